import type { Clock } from '../base/clock.ts'
import { showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import { ProviderError } from '../errors.ts'

/** How many leases are taken of one dependency within a minute, whatever goes wrong with them. */
const MINTS_MAX = 6
const MINTS_WITHIN_MS = 60_000

/** Counts the leases that were taken of each dependency, so that no fault can make a backend give them without end. */
export class Mints {
  readonly #clock: Clock
  readonly #takenAtMs = new Map<DependencyId, readonly number[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a lease of it was taken within the last minute. */
  has(id: DependencyId): boolean {
    return this.#recent(id).length > 0
  }

  /** Notes that one was taken, or may have been. */
  note(id: DependencyId): void {
    this.#takenAtMs.set(id, [...this.#recent(id), this.#clock.monotonicMs()])
  }

  /** Throws while there have been too many. */
  check(id: DependencyId, dependency: Dependency): void {
    const recent = this.#recent(id)
    const oldest = recent.at(-MINTS_MAX)
    if (oldest === undefined) return
    const message = `${showDependency(dependency)} has given ${recent.length} leases within a minute, so it is not asked for another yet`
    throw new ProviderError('rate-limited', message, {
      hint: 'its leases are too short, or the backend ends them early; give them a longer time there',
      retryAfterMs: oldest + MINTS_WITHIN_MS - this.#clock.monotonicMs(),
    })
  }

  #recent(id: DependencyId): readonly number[] {
    const nowMs = this.#clock.monotonicMs()
    const recent = (this.#takenAtMs.get(id) ?? []).filter(atMs => nowMs - atMs < MINTS_WITHIN_MS)
    if (recent.length === 0) this.#takenAtMs.delete(id)
    return recent
  }
}
