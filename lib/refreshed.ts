import type { Outcome } from './outcome.ts'

/** What a refresh of one bundle came to, for people. Holds no value of any dependency. Its texts are as they were said, with line breaks
 *  and of any length: what is cut or put on one line is not found any more by who masks it. */
export interface Refreshed {
  readonly bundle: string
  /** `pending`: it has not come to anything within its time. */
  readonly outcome: Outcome['kind'] | 'pending'
  /** What it came to or waits for. */
  readonly summary: string
  readonly hint?: string | undefined
  /** What could not be read, the first of them. */
  readonly unread: readonly RefreshFailure[]
  /** How many more could not be read. */
  readonly more: number
}

/** A dependency that could not be read. */
export interface RefreshFailure {
  /** As people write it. */
  readonly dependency: string
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
}

/** How long a refresh may be waited for. */
export const REFRESH_MS_MAX = 3_600_000
