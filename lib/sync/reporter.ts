import type { Clock } from '../base/clock.ts'
import { explainOutcome } from '../outcome.ts'
import type { BundleStatus, ProviderStatus, Status } from '../status.ts'
import type { Standing } from './standing.ts'

/** How long a hook may be owed before the bundle is not ready because of it. */
const OWED_GRACE_MS = 30_000
/** How often the loop shows that it comes round. */
const HEARTBEAT_MS = 5_000

export interface Owed {
  readonly hook: string
  readonly error: string | undefined
}

/** Gathers what every bundle reports into one status for people and probes. */
export class Reporter {
  readonly #clock: Clock
  readonly #providers: () => readonly ProviderStatus[]
  readonly #bundles = new Map<string, Reported>()
  readonly #listeners = new Set<() => void>()
  #loopedAtMs: number

  /** @param bundles gives, for each bundle, the hooks that it owes. */
  constructor(
    bundles: ReadonlyMap<string, () => readonly Owed[]>,
    providers: () => readonly ProviderStatus[],
    clock: Clock,
  ) {
    this.#clock = clock
    this.#providers = providers
    this.#loopedAtMs = clock.monotonicMs()
    for (const [name, owed] of bundles) this.#bundles.set(name, { standing: undefined, owed, owingSinceMs: undefined })
  }

  /** Takes a bundle's standing. */
  report(bundle: string, standing: Standing): void {
    const reported = this.#bundles.get(bundle)
    if (reported === undefined) throw new TypeError(`no bundle ${bundle}`)
    reported.standing = standing
    this.#owedBy(reported)
    this.#loopedAtMs = this.#clock.monotonicMs()
    for (const listener of this.#listeners) listener()
  }

  /** Calls back after every report, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Shows, until the signal aborts, that the event loop comes round: what liveness means here. Never depends on a backend. */
  async beat(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#clock.sleep(HEARTBEAT_MS, signal)
      for (const reported of this.#bundles.values()) this.#owedBy(reported)
      this.#loopedAtMs = this.#clock.monotonicMs()
    }
  }

  status(): Status {
    return {
      bundles: [...this.#bundles.keys()].map(name => this.bundleStatus(name)),
      providers: this.#providers(),
      loopedAtMs: this.#loopedAtMs,
    }
  }

  bundleStatus(name: string): BundleStatus {
    const reported = this.#bundles.get(name)
    if (reported === undefined) throw new TypeError(`no bundle ${name}`)
    const { standing } = reported
    const owed = this.#owedBy(reported)
    const nowMs = this.#clock.monotonicMs()
    const overdue = reported.owingSinceMs !== undefined && nowMs - reported.owingSinceMs > OWED_GRACE_MS
    const why = whyNotReady(standing, owed, overdue)
    return {
      name,
      generation: standing?.visible,
      confirmed: standing?.confirmed ?? false,
      lastOutcome: standing?.outcome,
      owed,
      ready: why === undefined,
      summary: why ?? shows(standing, owed),
    }
  }

  /** What a bundle owes now, with a note of when that began: taken often, so that it does not hang on who asks when. */
  #owedBy(reported: Reported): readonly Owed[] {
    const owed = reported.owed()
    reported.owingSinceMs = owed.length === 0 ? undefined : (reported.owingSinceMs ?? this.#clock.monotonicMs())
    return owed
  }
}

interface Reported {
  standing: Standing | undefined
  readonly owed: () => readonly Owed[]
  owingSinceMs: number | undefined
}

/** One line that says why a bundle is not what the application should run on, or undefined when it is. What a failing input
 *  left behind stays ready: the last good generation is exactly what it should run on then. */
function whyNotReady(standing: Standing | undefined, owed: readonly Owed[], overdue: boolean): string | undefined {
  if (standing?.visible === undefined) return `nothing published yet: ${explain(standing)}`
  if (standing.condemned !== undefined)
    return `generation ${standing.visible} was taken badly and stays: ${standing.condemned}`
  const isProven = standing.confirmed || standing.hasConfirmed
  // A hook that fails keeps probation from beginning, so it is what there is to say of a first generation, too.
  if (overdue || (owed.length > 0 && !isProven)) return `generation ${standing.visible} not told: ${whatIsOwed(owed)}`
  // A first generation has to prove itself. A later one is watched while the application serves: to take the Pod out of service at
  // each change would be worse than what probation guards against, and a bad one is rolled back.
  if (!isProven) return `generation ${standing.visible} is on probation`
  return undefined
}

function shows(standing: Standing | undefined, owed: readonly Owed[]): string {
  const base = `generation ${standing?.visible}, ${standing?.confirmed === true ? 'confirmed' : 'on probation'}`
  const outcome = standing?.outcome
  if (owed.length > 0) return `${base}; not told yet: ${whatIsOwed(owed)}`
  if (outcome === undefined || outcome.kind === 'unchanged' || outcome.kind === 'published') return base
  return `${base}; not newer because: ${explain(standing)}`
}

function whatIsOwed(owed: readonly Owed[]): string {
  return owed.map(({ hook, error }) => `${hook} (${error ?? 'not tried yet'})`).join('; ')
}

function explain(standing: Standing | undefined): string {
  if (standing?.failing !== undefined) return standing.failing.message
  return standing?.outcome === undefined ? 'starting' : explainOutcome(standing.outcome)
}
