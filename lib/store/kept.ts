import { Mailbox } from '../base/mailbox.ts'
import { type Dependency, type DependencyId } from '../dependency.ts'
import type { ProviderError } from '../errors.ts'
import { absent, type Reading } from '../reading.ts'
import type { HeldLease } from './held-lease.ts'

/** A reading that has lost too much at once, and waits for its time. */
export interface HeldBack {
  /** The newest of them. */
  reading: Reading
  /** Both on the monotonic clock; a reload changes neither. */
  readonly sinceMs: number
  readonly endsAtMs: number
  /** Whether its time is over, so that the next reading decides. */
  isOver: boolean
  readonly stop: AbortController
}

/** A first reading that is put off. */
export interface PutOff {
  /** On the monotonic clock; in the past while it is not known whether anything was kept. */
  endsAtMs: number
  /** Ends it early. */
  readonly over: AbortController
}

/** Why a watch is cut that has given what it was for. Made once: an error has a stack. */
export const ENOUGH = new Error('there is enough of it for now')

/** What the store keeps of one dependency. */
export class Kept {
  readonly id: DependencyId
  readonly dependency: Dependency
  readonly stop = new AbortController()
  /** Cuts the watch that runs, so that it is read anew at once. */
  cut = new AbortController()
  reading: Reading | undefined
  /** What `reading` hangs on, where it has a lease. */
  held: HeldLease | undefined
  /** A newer reading that has lost so much at once that it is not believed yet. */
  heldBack: HeldBack | undefined
  /** Whether a watch runs: none does while a lease keeps the reading. */
  isWatched = false
  /** How often it has been asked for: each watch asks once. */
  asked = 0
  /** The last of these that was answered, be it by an error. */
  answered = 0
  /** The last that somebody waits for the answer of: the first, or what a refresh asks for. */
  awaited = 1
  /** Full while it is to be asked for once more, and not only when its watch or its wait has ended. */
  readonly again = new Mailbox<undefined>()
  /** Whether what was kept from before a restart has been looked for. */
  isRecalled = false
  /** Set while `reading` is what was kept from before a restart, since its first reading can wait. */
  putOff: PutOff | undefined
  /** Why a reading that was there is not any more. */
  lost: string | undefined
  /** The last error, until the next reading. */
  error: ProviderError | undefined
  /** When the watch that `error` ended was still good, on the monotonic clock: what it had read before held until then. */
  failingSinceMs = 0
  /** Whether there was any answer, be it an error; or what was kept will do for one. */
  settled = false

  constructor(id: DependencyId, dependency: Dependency) {
    this.id = id
    this.dependency = dependency
  }

  /** Whether a lease keeps what was read, so that there is nothing to ask. */
  get isLeased(): boolean {
    return this.held !== undefined && !this.held.isDue
  }

  /** Whether an answer is still to come that somebody waits for: what has failed is tried again with nobody waiting. */
  get isAsked(): boolean {
    return this.answered < this.awaited
  }

  /** Has it asked for once more; gives the number of that. */
  askAgain(): number {
    this.awaited = this.asked + 1
    this.again.put(undefined)
    return this.awaited
  }

  /** What there is will do for everybody. */
  askNoMore(): void {
    this.awaited = this.answered
    this.again.clear()
  }

  /** Why there is no value of it, for people. */
  why(): string {
    if (this.error !== undefined)
      return this.lost === undefined
        ? this.error.message
        : `${this.lost}, and it cannot be read again: ${this.error.message}`
    if (this.lost !== undefined) return this.lost
    if (this.reading?.value !== absent) return 'no answer yet'
    return this.reading.why ?? 'the backend says there is nothing'
  }
}
