import { Mailbox } from '../../lib/base/mailbox.ts'
import type { OperationalError } from '../../lib/errors.ts'
import type { Range } from './range.ts'
import { integer, type Event } from './wire.ts'

/** Whoever falls further behind reads anew, which costs less than to keep it all. */
const EVENTS_MAX = 20_000

/** There may have been changes that are not told: what is known is to be read anew. */
export class Gap extends Error {
  /** What made it, where that was a failure. */
  readonly failure: OperationalError | undefined
  constructor(message: string, failure?: OperationalError) {
    super(message)
    this.failure = failure
  }
}

/** What happens to one range after a revision, in order and without a gap: or the word that there is one. */
export class Following {
  readonly range: Range
  /** The first revision that it is told of. */
  readonly start: number
  /** What wakes who waits. */
  readonly bell = new Mailbox<true>()
  #events: Event[] = []
  /** Those of a revision that has come in part. */
  #parts: Event[] = []
  /** The newest revision that has come whole. */
  #newest: number
  #gap: Gap | undefined

  constructor(range: Range, start: number) {
    this.range = range
    this.start = start
    this.#newest = start - 1
  }

  /** Takes what has come since the last time: whole revisions only. Throws the `Gap` when there is one. */
  take(): readonly Event[] {
    if (this.#gap !== undefined) throw this.#gap
    const events = this.#events
    this.#events = []
    return events
  }

  /** @param isPart whether more of the same revision follows */
  put(events: readonly Event[], isPart: boolean): void {
    if (this.#gap !== undefined) return
    // What was before the start is known. What is older than what has come since was left out then: a server may tell a watch that has
    // fallen behind of the newest change first (seen with etcd 3.6.9).
    const later = events.filter(event => revisionOf(event) >= this.start)
    if (later.some(event => revisionOf(event) <= this.#newest)) {
      return this.break(new Gap('changes were told out of order'))
    }
    // Not spread into arguments: there can be more than a call takes.
    this.#parts = this.#parts.concat(later)
    if (this.#parts.length + this.#events.length > EVENTS_MAX) return this.break(new Gap('too many changes at once'))
    if (isPart || this.#parts.length === 0) return
    for (const event of this.#parts) this.#newest = Math.max(this.#newest, revisionOf(event))
    this.#events = this.#events.concat(this.#parts)
    this.#parts = []
    this.bell.put(true)
  }

  break(gap: Gap): void {
    this.#gap ??= gap
    this.#events = []
    this.#parts = []
    this.bell.put(true)
  }
}

function revisionOf({ kv }: Event): number {
  return integer(kv?.mod_revision)
}
