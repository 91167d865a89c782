import type { Dependency } from '../dependency.ts'
import type { KeptLease, Reading } from '../reading.ts'

/** What was kept before, to look at only. */
export interface Recalled {
  /** What was kept, or undefined. */
  reading(dependency: Dependency): Promise<Reading | undefined>
}

/** Where the store keeps what must outlive the process. It decides itself what it keeps of which provider, and a failure is its
 *  own to report: what cannot be kept is only missing after a restart. */
export interface Keeper extends Recalled {
  /** Resolves when it is durable, or cannot be. What was kept of the same lease is replaced. */
  putLease(kept: KeptLease): Promise<void>
  removeLease(kept: KeptLease): Promise<void>
  /** Keeps the newest reading of a dependency, soon. */
  putReading(dependency: Dependency, reading: Reading): void
  removeReading(dependency: Dependency): void
  /** Resolves when a restart finds nothing that is older than what was put or removed by now, be it nothing at all; or when that
   *  cannot be. */
  forgetOlder(): Promise<void>
  /** Nothing else is wanted: the readings of other dependencies can go. */
  retain(dependencies: readonly Dependency[]): void
}
