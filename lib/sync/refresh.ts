import { listed } from '../base/listed.ts'
import { orAborted } from '../base/or-aborted.ts'
import { dependencyId, showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import { explainOutcome } from '../outcome.ts'
import type { Refreshed, RefreshFailure } from '../refreshed.ts'
import type { BundleStatus } from '../status.ts'
import type { Unread } from '../store/subscription.ts'
import type { Rounds } from './rounds.ts'

/** One bundle at work, as a refresh needs it. */
export interface RefreshParts {
  readonly inputs: RefreshInputs
  readonly rounds: Rounds
  readonly status: () => BundleStatus
  /** Calls back whenever the status may have changed, until the returned function is called. */
  readonly listen: (listener: () => void) => () => void
}

/** The store, as one bundle sees it. */
export interface RefreshInputs {
  readonly wanted: ReadonlyMap<DependencyId, Dependency>
  refresh(signal: AbortSignal): Promise<void>
  answered(signal: AbortSignal): Promise<void>
  settled(dependencies: readonly Dependency[]): boolean
  unread(): readonly Unread[]
}

/** How many of the dependencies that could not be read are told: a backend that is away takes thousands with it. */
const UNREAD_MAX = 100

/** Asks at once for everything that a bundle wants, and tells what came of it.
 *
 *  1. Everything is asked for again, and each has answered.
 *  2. A pass has come to its end that began after that, whether something changed or not: so it has also been seen that the volume still
 *     shows what it should. A template that was given more may ask for more, which takes another.
 *  3. What was published is told and confirmed: who asks wants to know how the application takes it.
 *
 *  When the signal aborts, it tells what is waited for by then. Never rejects. */
export async function refresh(parts: RefreshParts, signal: AbortSignal): Promise<Refreshed> {
  const before = parts.status().generation
  const progress: Progress = { awaits: 'answers' }
  const isOver = await conclude(parts, progress, before, signal).then(
    () => true,
    () => false,
  )
  const status = parts.status()
  const unread = parts.inputs.unread()
  // What has failed may be asked for once more by somebody else; that is no reason not to tell of it.
  const silent = unread.filter(
    ({ isAsked, error }) =>
      isAsked && (progress.awaits === 'answers' || (progress.awaits === 'more' && error === undefined)),
  )
  const waited = new Set(silent)
  const failures = unread.flatMap(each => (waited.has(each) ? [] : failureOf(each)))
  return {
    bundle: status.name,
    ...(isOver ? came(status, before) : pending(status, silent, progress)),
    unread: failures.slice(0, UNREAD_MAX),
    more: Math.max(0, failures.length - UNREAD_MAX),
  }
}

/** What is waited for: that everything answers, that what is asked for newly does, what comes of it, or how that is taken. */
interface Progress {
  awaits: 'answers' | 'more' | 'pass' | 'application'
}

async function conclude(
  { inputs, rounds, status, listen }: RefreshParts,
  progress: Progress,
  before: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  let known = inputs.wanted
  await inputs.refresh(signal) // (1)
  for (;;) {
    progress.awaits = 'pass'
    await rounds.next(signal) // (2)
    const { lastOutcome } = status()
    const missing = lastOutcome?.kind === 'waiting' ? lastOutcome.for.map(({ dependency }) => dependency) : []
    // What the pass has asked for newly may have been answered since; then it has not seen that.
    if (missing.every(each => known.has(dependencyId(each))) && inputs.settled(missing)) break
    progress.awaits = 'more'
    known = inputs.wanted
    await inputs.answered(signal)
  }
  progress.awaits = 'application'
  const { promise: taken, resolve } = Promise.withResolvers<void>() // (3)
  const look = () => {
    if (isTaken(status(), before)) resolve()
  }
  const stop = listen(look)
  look()
  await orAborted(taken, signal).finally(stop)
}

function isTaken(status: BundleStatus, before: number | undefined): boolean {
  if (status.lastOutcome === undefined) return false
  return !hasPublished(status, before) || (status.confirmed && status.owed.length === 0)
}

/** What came first may have been published, and the last pass had nothing to do any more. */
function hasPublished({ lastOutcome, generation }: BundleStatus, before: number | undefined): boolean {
  return lastOutcome?.kind === 'published' || (lastOutcome?.kind === 'unchanged' && generation !== before)
}

type CameTo = Pick<Refreshed, 'outcome' | 'summary' | 'hint'>

function came(status: BundleStatus, before: number | undefined): CameTo {
  const { lastOutcome, generation, owed } = status
  if (lastOutcome === undefined) return { outcome: 'pending', summary: 'the next pass is under way' }
  if (hasPublished(status, before)) return { outcome: 'published', summary: `generation ${generation} published` }
  const { kind } = lastOutcome
  const untold = kind === 'unchanged' && owed.length > 0 ? `; not told yet: ${listed(owed.map(showOwed), '; ')}` : ''
  const hint = kind === 'broken' ? lastOutcome.problem.hint : undefined
  return { outcome: kind, summary: explainOutcome(lastOutcome) + untold, hint }
}

function pending({ lastOutcome, summary }: BundleStatus, silent: readonly Unread[], { awaits }: Progress): CameTo {
  if (silent.length > 0) {
    const names = silent.map(({ dependency }) => showDependency(dependency))
    return { outcome: 'pending', summary: `no answer yet from ${listed(names)}` }
  }
  const isAwaited = awaits === 'application' || lastOutcome === undefined || lastOutcome.kind === 'published'
  return { outcome: 'pending', summary: isAwaited ? summary : `the pass has not ended yet; ${summary}` }
}

function failureOf({ dependency, error }: Unread): readonly RefreshFailure[] {
  if (error === undefined) return []
  const { code, message, hint } = error
  return [{ dependency: showDependency(dependency), code, message, hint }]
}

function showOwed({ hook, error }: BundleStatus['owed'][number]): string {
  return `${hook} (${error ?? 'not tried yet'})`
}
