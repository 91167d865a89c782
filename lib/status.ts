import type { Outcome } from './outcome.ts'

/** How the whole stands, for people and probes. Holds no value of any dependency. */
export interface Status {
  readonly bundles: readonly BundleStatus[]
  readonly providers: readonly ProviderStatus[]
  /** When the loop last came round, in milliseconds on the monotonic clock. */
  readonly loopedAtMs: number
}

export interface BundleStatus {
  readonly name: string
  /** The visible generation, if any. */
  readonly generation: number | undefined
  readonly confirmed: boolean
  readonly lastOutcome: Outcome | undefined
  /** Hooks that have not been told of the visible generation yet, with their last error. */
  readonly owed: readonly { readonly hook: string; readonly error: string | undefined }[]
  /** Whether it is what the application should run on now. */
  readonly ready: boolean
  /** One line: why it is not ready, or what it shows. */
  readonly summary: string
}

export interface ProviderStatus {
  readonly name: string
  readonly type: string
  readonly watches: number
  /** The newest error of a watch that has not succeeded since; a warning, never unreadiness by itself. */
  readonly error: string | undefined
  /** How long ago the oldest of the readings that failing watches left behind was last known to be good, in milliseconds. */
  readonly staleMs: number | undefined
  /** How long ago the oldest of the readings was read that were kept from before a restart and are served because the provider
   *  cannot be read, in milliseconds; undefined where there are none. */
  readonly lastKnownGoodMs?: number | undefined
  /** What has lost too much at once and is not believed yet. @default nothing */
  readonly heldBack?: readonly HeldBackStatus[]
}

/** A list or tree that is served as it was before. */
export interface HeldBackStatus {
  /** As people write it. */
  readonly dependency: string
  /** How many entries are served, and how many there are now. */
  readonly had: number
  readonly has: number
  /** After which it is read anew, and believed when it is still so; 0 while that has not succeeded. */
  readonly leftMs: number
}
