import { listed } from '../../lib/base/listed.ts'
import { Mailbox } from '../../lib/base/mailbox.ts'
import type { Config } from '../../lib/config/config.ts'
import { messageOf } from '../../lib/errors.ts'
import { problemOf, spoken } from '../../lib/sync/problem.ts'
import { buildApp, type App } from '../app.ts'
import { ConfigFiles } from '../config-files.ts'
import { ExitCode } from '../exit-code.ts'
import { untilLeft, type Leaving } from '../leaving.ts'
import type { CommonOptions } from '../options.ts'
import { loadFrom, logProblems, readConfig, withLog } from '../setup.ts'
import { sayError } from '../terminal.ts'
import type { World } from '../world.ts'

/** By now a start is over, and what it took can be given back. */
const CALM_AFTER_MS = 10_000

/** Keeps every bundle current until SIGTERM or SIGINT, then ends in good order; a second one leaves at once. On SIGHUP, and when one of
 *  its files changes, the configuration is loaded beside the running one: on any problem the old one stays. */
export async function run(options: CommonOptions, world: World): Promise<number> {
  // From the first moment on: a SIGHUP would end us otherwise, and as process 1 of a container we would miss a SIGTERM.
  const reload = new Mailbox<undefined>()
  const stopListening = world.signals.on(['SIGHUP'], () => reload.put(undefined))
  try {
    return await untilLeft(world.signals, leaving => keepCurrent(options, world, reload, leaving))
  } finally {
    stopListening()
  }
}

async function keepCurrent(
  options: CommonOptions,
  world: World,
  reload: Mailbox<undefined>,
  leaving: Leaving,
): Promise<number> {
  const files = new ConfigFiles(world)
  const config = await readConfig(options, files.reading())
  if (config === undefined) return ExitCode.usage
  const appWorld = await withLog(options, world)
  const { log, terminal } = appWorld
  const died = new AbortController()
  const over = AbortSignal.any([leaving.signal, died.signal])
  let app: App
  try {
    app = await build(config)
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.usage
  }
  try {
    leaving.signal.throwIfAborted()
    log.info('starting', { config: config.file })
    await app.start()
    lookForChanges()
    for (;;) {
      calmDown()
      await reload.take(over)
      const next = await loadBeside()
      if (next === undefined) log.error('configuration not loaded, the old one stays', { config: config.file })
      else app = await replace(app, next)
    }
  } catch (error) {
    if (error === leaving.signal.reason) {
      log.info('leaving', { why: messageOf(error) })
      return ExitCode.done
    }
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    // After a failure whoever supervises us starts us again.
    await end(app, leaving.signal.aborted)
  }

  /** A start leaves much behind that an idle process would keep for ever. */
  function calmDown(): void {
    world.clock.sleep(CALM_AFTER_MS, over).then(world.giveBackMemory, () => {})
  }

  function lookForChanges(): void {
    const changed = (paths: readonly string[]) => {
      log.info('configuration changed', { files: listed(paths) })
      reload.put(undefined)
    }
    files.watch(changed, over).catch((error: unknown) => died.abort(error))
  }

  function build(wanted: Config): Promise<App> {
    const onFailure = (error: unknown) => died.abort(error)
    return buildApp(wanted, appWorld, { tellHooks: true, holdsBack: true, putsOff: true, control: true, onFailure })
  }

  async function loadBeside(): Promise<App | undefined> {
    try {
      return await build(await loadFrom(options, files.reading()))
    } catch (error) {
      logProblems(log, error)
      return undefined
    }
  }

  /** Stops the old one and starts the next; should that one not start, the old configuration is started again. */
  async function replace(old: App, next: App): Promise<App> {
    if (leaving.signal.aborted) {
      await end(next)
      return old
    }
    await end(old)
    const kept = old.handOver()
    try {
      await next.start(kept)
      log.info('configuration loaded', { config: next.config.file })
      return next
    } catch (error) {
      log.error('configuration not started, the old one stays', spoken(problemOf(error)))
      await end(next)
      const again = await build(old.config)
      const tried = next.handOver()
      await again.start({
        leases: [...kept.leases, ...tried.leases],
        notes: new Map([...kept.notes, ...tried.notes]),
        served: [...kept.served, ...tried.served],
      })
      return again
    }
  }

  /** What cannot be closed does not change how the program ends, nor keep the next configuration from being started. */
  async function end(ending: App, isLast = false): Promise<void> {
    await ending
      .stop(isLast)
      .catch((error: unknown) => log.warn('not ended in good order', { error: messageOf(error) }))
  }
}
