import type { Clock } from '../../../lib/base/clock.ts'
import type { HeldToken } from './held-token.ts'

/** So many are kept for their leases. Each took a login, and a login is made when a token ends or may too little: a few in its life. */
const NEEDED_MAX = 10
/** Of so many others it is known when they end. */
const ENDS_MAX = 100

/** Tokens that others have taken the place of, by accessor.
 *
 *  The server ends a lease with the token that it was made with. So one on which leases hang is kept, and renewed whenever one of
 *  these is; nothing else is asked with it. When no lease asks for it any more it is dropped, and ends by itself. */
export class ReplacedTokens {
  readonly #clock: Clock
  readonly #needed = new Map<string, HeldToken>()
  /** When those end that are not kept, on the monotonic clock. */
  readonly #ends = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes one that is renewed no more by itself. */
  keep(before: HeldToken): void {
    const { accessor, renewable, isEnding } = before
    if (accessor === '' || this.#ends.has(accessor)) return
    const { prolonging: _, ...rest } = before
    // One at the end of all renewals would be given less each time.
    this.#needed.set(accessor, { ...rest, renewable: renewable && !isEnding, over: new AbortController() })
    this.#drop()
  }

  /** Those on which leases may hang. */
  get needed(): readonly HeldToken[] {
    this.#drop()
    return [...this.#needed.values()]
  }

  find(accessor: string): HeldToken | undefined {
    return this.#needed.get(accessor)
  }

  /** When one ends of which no more is known. */
  endOf(accessor: string): number | undefined {
    return this.#ends.get(accessor)
  }

  /** Notes when one ends that is not kept; what was noted first holds. */
  noteEnd(accessor: string, endsMs: number): void {
    this.#needed.get(accessor)?.over.abort(new Error('it is not kept'))
    this.#needed.delete(accessor)
    if (accessor === '' || this.#ends.has(accessor)) return
    const [oldest] = this.#ends.keys()
    if (this.#ends.size >= ENDS_MAX && oldest !== undefined) this.#ends.delete(oldest)
    this.#ends.set(accessor, endsMs)
  }

  /** Takes back what was noted of one that is in use again. */
  forget(accessor: string): void {
    this.#ends.delete(accessor)
  }

  close(): void {
    for (const { over } of this.#needed.values()) over.abort(new Error('the provider is closed'))
    this.#needed.clear()
  }

  /** Drops what no lease hangs on, and of too many those that are needed for the shortest time. */
  #drop(): void {
    const nowMs = this.#clock.monotonicMs()
    const untilMs = ({ endsMs, neededUntilMs }: HeldToken) => Math.min(endsMs, neededUntilMs)
    const longest = [...this.#needed.values()].toSorted((a, b) => untilMs(b) - untilMs(a))
    for (const [index, held] of longest.entries()) {
      if (index >= NEEDED_MAX || untilMs(held) <= nowMs) this.noteEnd(held.accessor, held.endsMs)
    }
  }
}
