import { createHash, createHmac } from 'node:crypto'
import type { Tree, Value } from './base/value.ts'

/** What a reading holds when the backend answers that there is nothing: an answer, not an error. */
export const absent: unique symbol = Symbol('absent')
export type Absent = typeof absent

/** One observation of a dependency. */
export interface Reading {
  readonly value: Value | Tree | Absent
  /** The backend's own version of it (a commit, an index), or a hash of the content; equal revisions mean equal values.
   *  Never a request id, never a wall-clock second. Shown to people. */
  readonly revision: string
  /** When it was read, in milliseconds since 1970. */
  readonly observedAtMs: number
  /** Whether the value must not be seen in logs, diffs and status. */
  readonly sensitive: boolean
  /** Of an absent value, for people: what exactly is not there. No values. @default that the backend says there is nothing */
  readonly why?: string
  readonly lease?: Lease
  /** Set when the reading was taken from the sealed copy of an earlier run, not from the backend. */
  readonly lastKnownGood?: true
}

/** The backend's promise to keep a reading good for a while. */
export interface Lease {
  readonly id: string
  readonly durationMs: number
  readonly renewable: boolean
  /** When it ends, in milliseconds since 1970. */
  readonly endsAtMs: number
}

/** How much of a hash is a revision: 64 bits, which no accident meets twice and a person can compare. */
const REVISION_LENGTH = 16

/** The revision of a backend that has none of its own: a hash of the content, in hexadecimal.
 *  @param key keeps a guess at a short secret from being checked against its revision, which is shown to people. */
export function contentRevision(content: string | Uint8Array, key?: Uint8Array): string {
  const hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  return hash.update(content).digest('hex').slice(0, REVISION_LENGTH)
}
