import { formatDurationMs } from '../../lib/base/duration.ts'
import { showDependency } from '../../lib/dependency.ts'
import type { BundleStatus } from '../../lib/status.ts'
import { messageOf } from '../../lib/errors.ts'
import { explainOutcome } from '../../lib/outcome.ts'
import { buildApp, type App } from '../app.ts'
import { ExitCode } from '../exit-code.ts'
import { untilLeft } from '../leaving.ts'
import type { CommonOptions } from '../options.ts'
import { readConfig, withLog } from '../setup.ts'
import { sayError, sayProblem, type Terminal } from '../terminal.ts'
import type { World } from '../world.ts'

/** After this long without an end, what is waited for is said. */
const PATIENCE_MS = 5_000

export interface OnceOptions extends CommonOptions {
  /** 0 waits for ever. */
  readonly timeoutMs: number
  /** Whether the hooks are told. */
  readonly hooks: boolean
}

/** Brings every bundle up to date, tells the hooks, and ends: the same loop as `run`, with a deadline and an exit code. */
export async function once(options: OnceOptions, world: World): Promise<number> {
  return await untilLeft(world.signals, ({ signal }) => bringUpToDate(options, world, signal))
}

async function bringUpToDate(options: OnceOptions, world: World, signal: AbortSignal): Promise<number> {
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const appWorld = await withLog(options, world, 'silent')
  const { terminal, clock, log } = appWorld
  const died = Promise.withResolvers<never>()
  died.promise.catch(() => {}) // Nobody may be waiting for it when it happens.
  let app: App
  try {
    const { hooks: tellHooks } = options
    app = await buildApp(config, appWorld, { tellHooks, holdsBack: false, listen: false, onFailure: died.reject })
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.usage
  }
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  try {
    await app.start()
    const waits = [
      ended(app, either),
      sayPatiently(app, appWorld, either),
      ...(options.timeoutMs === 0 ? [] : [clock.sleep(options.timeoutMs, either)]),
    ]
    await Promise.race([...waits.map(wait => wait.catch(() => {})), died.promise])
    const why = signal.aborted
      ? messageOf(signal.reason)
      : `gave up waiting after ${formatDurationMs(options.timeoutMs)}`
    return conclude(app.status().bundles, terminal, why, signal.aborted)
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    over.abort(new Error('once is over'))
    await app.stop().catch((error: unknown) => log.warn('not ended in good order', { error: messageOf(error) }))
  }
}

/** Resolves when every bundle has come to an end, good or bad. One that failed does not keep the others from theirs. */
function ended(app: App, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (app.status().bundles.every(bundle => endOf(bundle) !== undefined)) resolve()
    }
    const stop = app.listen(look)
    signal.addEventListener('abort', stop, { once: true })
    look()
  })
}

/** How a bundle ended, or undefined while it has not. */
function endOf({ lastOutcome, confirmed, owed }: BundleStatus): number | undefined {
  switch (lastOutcome?.kind) {
    case 'published':
    case 'unchanged':
      // Confirmed by a `once --no-hooks` before this one, a generation may still be owed to hooks.
      return confirmed && owed.length === 0 ? ExitCode.done : undefined
    case 'broken':
      return ExitCode.failed
    case 'rejected':
    case 'rolled-back':
      return ExitCode.rejected
    case 'waiting':
    case undefined:
      return undefined
  }
}

async function sayPatiently(app: App, { clock, terminal }: World, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(PATIENCE_MS, signal)
    for (const bundle of app.status().bundles) if (endOf(bundle) === undefined) sayWaiting(bundle, terminal)
  }
}

function sayWaiting({ name, lastOutcome, owed, generation }: BundleStatus, terminal: Terminal): void {
  if (lastOutcome?.kind === 'waiting') {
    for (const { dependency, why } of lastOutcome.for)
      terminal.say(`${name}: waiting for ${showDependency(dependency)}: ${why}`)
  } else if (owed.length > 0) {
    for (const { hook, error } of owed) terminal.say(`${name}: waiting for hook ${hook}: ${error ?? 'not tried yet'}`)
  } else {
    terminal.say(generation === undefined ? `${name}: waiting` : `${name}: generation ${generation} is on probation`)
  }
}

/** Says how each bundle ended, and gives the exit code: the gravest of all.
 *  @param why nothing more is waited for, where something is. */
function conclude(bundles: readonly BundleStatus[], terminal: Terminal, why: string, wasInterrupted: boolean): number {
  let code: number = ExitCode.done
  for (const bundle of bundles) {
    const { name, generation, lastOutcome, owed } = bundle
    const end = endOf(bundle)
    if (end === ExitCode.done) {
      terminal.say(
        `${name}: generation ${generation} ${lastOutcome?.kind === 'published' ? 'published' : 'is up to date'}`,
      )
    } else if (end === undefined) {
      sayWaiting(bundle, terminal)
      if (code === ExitCode.done)
        code = lastOutcome === undefined || lastOutcome.kind === 'waiting' ? ExitCode.waiting : ExitCode.failed
    } else {
      const hint = lastOutcome?.kind === 'broken' ? lastOutcome.problem.hint : undefined
      sayProblem(
        terminal,
        `${name}: ${lastOutcome?.kind}: ${lastOutcome === undefined ? '' : explainOutcome(lastOutcome)}`,
        hint,
      )
      if (code !== ExitCode.failed) code = end
    }
    if (end !== ExitCode.done && owed.length > 0) code = ExitCode.failed
  }
  if (code !== ExitCode.waiting) return code
  terminal.say(`${why}; nothing was taken away`)
  return wasInterrupted ? ExitCode.failed : code
}
