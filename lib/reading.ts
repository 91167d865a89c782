import { createHash, createHmac, hash } from 'node:crypto'
import type { Tree, Value } from './base/value.ts'
import type { Dependency } from './dependency.ts'

/** What a reading holds when the backend answers that there is nothing: an answer, not an error. */
export const absent: unique symbol = Symbol('absent')
export type Absent = typeof absent

/** One observation of a dependency. */
export interface Reading {
  /** Where it is many things that come and go, an array or a `Tree`: only those are guarded against shrinking. What is one thing,
   *  with whatever fields, is a text, a map or a struct. */
  readonly value: Value | Tree | Absent
  /** The backend's own version of it (a commit, an index), or a hash of the content; equal revisions mean equal values.
   *  Never a request id, never a wall-clock second. Shown to people. */
  readonly revision: string
  /** When it was read, in milliseconds since 1970. */
  readonly observedAtMs: number
  /** Whether the value must not be seen in logs, diffs and status. */
  readonly sensitive: boolean
  /** What of a sensitive value must not be seen, in this process. @default all of it */
  readonly secrets?: readonly Value[]
  /** Of an absent value, for people: what exactly is not there. No values. @default that the backend says there is nothing */
  readonly why?: string
  /** Set where reading again would make something new: the store then renews this one for as long as it can. */
  readonly lease?: Lease
  /** For the provider alone: what it takes to see, in another process, whether this is still the newest. Kept sealed, never shown. */
  readonly cursor?: string
  /** It was kept from before a restart, and its provider cannot be read now or gives what is not believed yet. Only the store
   *  sets this. */
  readonly lastKnownGood?: true
}

/** The backend's promise to keep a reading good for a while. */
export interface Lease {
  /** The backend's own name for it; empty where it has none, then it can be neither renewed nor revoked and only ends. */
  readonly id: string
  /** For how long it was granted, from when it was asked for. Within a process this decides, as a wall clock may leap. */
  readonly durationMs: number
  readonly renewable: boolean
  /** When it ends, in milliseconds since 1970: for another process, after a restart. */
  readonly endsAtMs: number
  /** What was granted beyond that, of a lease that is given in parts, each of which is renewed: for the provider alone. @default 0 */
  readonly restMs?: number
}

/** A lease and what it takes to renew, replace and revoke it, also in another process. */
export interface KeptLease {
  readonly dependency: Dependency
  /** What the provider read from when it was given; see `ProviderPlugin.identity`. */
  readonly identity: string
  readonly lease: Lease
  /** Undefined once another has taken its place: then the lease waits to be revoked, and the value is nobody's any more. */
  readonly reading: Reading | undefined
  /** The bundles that may show something of it. */
  readonly users: readonly string[]
  /** Greater than that of every lease before it. */
  readonly order: number
  /** When this was written down, in milliseconds since 1970. */
  readonly keptAtMs: number
}

/** What was served before a reload. */
export interface ServedReading {
  readonly dependency: Dependency
  /** What the provider read it from; see `ProviderPlugin.identity`. */
  readonly identity: string
  readonly reading: Reading
  /** Since when one that has lost too much has been held back for it, on the monotonic clock; undefined where none is. */
  readonly heldSinceMs?: number | undefined
}

/** How much of a hash is a revision: 64 bits, which no accident meets twice and a person can compare. */
const REVISION_LENGTH = 16

/** The revision of a backend that has none of its own: a hash of the content, in hexadecimal.
 *  @param key keeps a guess at a short secret from being checked against its revision, which is shown to people. */
export function contentRevision(content: string | Uint8Array, key?: Uint8Array): string {
  // Of a hash that is cut this short nothing can be appended to the content, so the key before it will do for a text: HMAC's two
  // hashes and their set-up cost several times as much.
  if (typeof content === 'string') {
    return hash('sha256', key === undefined ? content : `${spelled(key)} ${content}`).slice(0, REVISION_LENGTH)
  }
  const hashing = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  return hashing.update(content).digest('hex').slice(0, REVISION_LENGTH)
}

function spelled(key: Uint8Array): string {
  const known = spellings.get(key)
  if (known !== undefined) return known
  const spelling = Buffer.from(key).toString('hex')
  spellings.set(key, spelling)
  return spelling
}

const spellings = new WeakMap<Uint8Array, string>()
