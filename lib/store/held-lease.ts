import type { Random } from '../base/clock.ts'
import type { Dependency } from '../dependency.ts'
import type { ProviderError } from '../errors.ts'
import type { Lease, Reading } from '../reading.ts'

/** A lease is renewed after two thirds of its time, or up to a tenth of that earlier, so that many do not come at once. */
const RENEW_AFTER = 2 / 3
const RENEW_JITTER = 0.1
/** What cannot be renewed is replaced after eight to nine tenths of its time. */
const REPLACE_AFTER = 0.9
const REPLACE_JITTER = 1 / 9
/** While renewals fail the lease has time until then: the last tenth, or the last minute of a long one. */
const LAST_PART = 0.1
const LAST_MS_MAX = 60_000
/** A renewal that is granted less than this part of what was asked for, and moves the end by less than the rest, was the last. */
const GRANTED_PART_MIN = 0.9

/** One lease that is kept: from when it is given until it is revoked or ends. It outlives the watch that gave it, the token it
 *  was asked with, and whoever wanted it. */
export class HeldLease {
  readonly key: string
  readonly dependency: Dependency
  readonly order: number
  /** The bundles that may show something of it. */
  readonly users: Set<string>
  /** Ends its keeping: it is revoked, replaced under its own key, or the process ends. */
  readonly stop = new AbortController()
  /** Undefined once another has taken its place. */
  reading: Reading | undefined
  lease: Lease
  /** On the monotonic clock. */
  endsAtMs: number
  /** Whether it must be replaced now. */
  isDue = false
  /** Whether it is about to take its place: until then nobody can say that it is not needed. */
  isArriving = false
  /** Whether it is to be revoked unless it is needed again. */
  isLeaving = false
  isRevoking = false
  /** Why it could not be renewed or revoked, until that works. */
  error: ProviderError | undefined

  constructor(key: string, given: Given) {
    this.key = key
    this.dependency = given.dependency
    this.order = given.order
    this.users = new Set(given.users)
    this.reading = given.reading
    this.lease = given.lease
    this.endsAtMs = given.endsAtMs
  }

  /** Takes what a renewal granted; tells whether there is any use in another. */
  renewed(lease: Lease, endsAtMs: number): boolean {
    const asked = this.lease.durationMs
    const isShort = lease.durationMs < asked * GRANTED_PART_MIN
    const isMoved = endsAtMs - this.endsAtMs >= asked * (1 - GRANTED_PART_MIN)
    // The name stays: it is what the record of it lies under.
    this.lease = { ...lease, id: this.lease.id }
    this.endsAtMs = endsAtMs
    return !isShort || isMoved
  }
}

export interface Given {
  readonly dependency: Dependency
  readonly reading: Reading | undefined
  readonly lease: Lease
  readonly endsAtMs: number
  readonly users: Iterable<string>
  readonly order: number
}

export function renewalDelayMs(leftMs: number, random: Random): number {
  return leftMs * RENEW_AFTER * (1 - RENEW_JITTER * random())
}

export function replacementDelayMs(leftMs: number, random: Random): number {
  return leftMs * REPLACE_AFTER * (1 - REPLACE_JITTER * random())
}

/** How much of a lease must be left for its renewal to be tried: in what is less, it is read again. */
export function lastPartMs({ durationMs }: Lease): number {
  return Math.min(durationMs * LAST_PART, LAST_MS_MAX)
}
