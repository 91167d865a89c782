import type { Clock } from '../base/clock.ts'
import type { ProviderError } from '../errors.ts'
import type { ProviderStatus } from '../status.ts'
import type { Kept } from './kept.ts'
import type { ShrinkGuard } from './shrink-guard.ts'

/** How a provider stands, by what is kept of it.
 *  @param leaseErrors those of leases that could not be renewed or revoked */
export function standingOf(
  kept: readonly Kept[],
  leaseErrors: readonly ProviderError[],
  guard: ShrinkGuard,
  clock: Clock,
): Omit<ProviderStatus, 'name' | 'type'> {
  const failing = kept.filter(entry => entry.error !== undefined)
  const old = kept.flatMap(({ reading }) => (reading?.lastKnownGood === true ? reading.observedAtMs : []))
  const stale = failing.filter(({ reading }) => reading !== undefined && reading.lastKnownGood !== true)
  return {
    watches: kept.length,
    error: (failing.at(-1)?.error ?? leaseErrors.at(-1))?.message,
    staleMs: oldest(stale.map(entry => clock.monotonicMs() - entry.failingSinceMs)),
    lastKnownGoodMs: oldest(old.map(atMs => Math.max(0, clock.nowMs() - atMs))),
    heldBack: kept.flatMap(entry => guard.status(entry) ?? []),
  }
}

function oldest(agesMs: readonly number[]): number | undefined {
  return agesMs.length > 0 ? Math.max(...agesMs) : undefined
}
