import { formatDurationMs } from '../../lib/base/duration.ts'
import { showDependency } from '../../lib/dependency.ts'
import type { BundleStatus } from '../../lib/status.ts'
import { explainOutcome } from '../../lib/outcome.ts'
import { buildApp, type App } from '../app.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommonOptions } from '../options.ts'
import { openLog, readConfig } from '../setup.ts'
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
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const { terminal, clock, signals } = world
  const { log, redactor } = openLog(options, world, 'silent')
  let app: App
  try {
    app = await buildApp(config, { ...world, log, redactor }, { tellHooks: options.hooks, listen: false })
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.usage
  }
  const over = new AbortController()
  const stopListening = signals.on(['SIGTERM', 'SIGINT'], signal => over.abort(new Error(`got ${signal}`)))
  try {
    await app.start()
    const waits = [
      ended(app, over.signal),
      sayPatiently(app, world, over.signal),
      ...(options.timeoutMs === 0 ? [] : [clock.sleep(options.timeoutMs, over.signal)]),
    ]
    await Promise.race(waits.map(wait => wait.catch(() => {})))
    over.abort(new Error('once is over'))
    return conclude(app.status().bundles, terminal, options.timeoutMs)
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    over.abort(new Error('once is over'))
    stopListening()
    await app.stop()
  }
}

/** Resolves when no bundle has anything left to do, or one has failed: more waiting would not help. */
function ended(app: App, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      const ends = app.status().bundles.map(endOf)
      if (ends.every(end => end !== undefined) || ends.some(end => end !== undefined && end !== ExitCode.done))
        resolve()
    }
    const stop = app.listen(look)
    signal.addEventListener('abort', stop, { once: true })
    look()
  })
}

/** How a bundle ended, or undefined while it has not. */
function endOf({ lastOutcome, confirmed }: BundleStatus): number | undefined {
  switch (lastOutcome?.kind) {
    case 'published':
    case 'unchanged':
      return confirmed ? ExitCode.done : undefined
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

/** Says how each bundle ended, and gives the exit code: the gravest of all. */
function conclude(bundles: readonly BundleStatus[], terminal: Terminal, timeoutMs: number): number {
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
  if (code === ExitCode.waiting)
    terminal.say(`gave up waiting after ${formatDurationMs(timeoutMs)}; nothing was taken away`)
  return code
}
