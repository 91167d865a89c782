import { messageOf } from '../../lib/errors.ts'
import { buildApp, type App } from '../app.ts'
import { ExitCode } from '../exit-code.ts'
import type { CommonOptions } from '../options.ts'
import { openLog, readConfig } from '../setup.ts'
import { sayError } from '../terminal.ts'
import type { World } from '../world.ts'

/** Keeps every bundle current until SIGTERM or SIGINT. SIGHUP loads the configuration beside the running one: on any problem
 *  the old one stays. A second SIGTERM or SIGINT leaves at once, by the system's default. */
export async function run(options: CommonOptions, world: World): Promise<number> {
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const { log, redactor } = openLog(options, world)
  const appWorld = { ...world, log, redactor }
  let app: App
  try {
    app = await buildApp(config, appWorld, { tellHooks: true })
  } catch (error) {
    sayError(world.terminal, error)
    return ExitCode.usage
  }

  const leaving = new AbortController()
  let reload = newReload()
  const stopListening = [
    world.signals.on(['SIGHUP'], () => reload.ask()),
    world.signals.on(['SIGTERM', 'SIGINT'], signal => {
      stopListening[1]?.()
      log.info('leaving', { signal })
      leaving.abort(new Error(`got ${signal}`))
    }),
  ]
  try {
    log.info('starting', { config: config.file })
    await app.start()
    for (;;) {
      await Promise.race([aborted(leaving.signal), reload.asked])
      if (leaving.signal.aborted) return ExitCode.done
      reload = newReload()
      const next = await loadBeside()
      if (next === undefined) {
        log.error('configuration not loaded, the old one stays', { config: config.file })
        continue
      }
      app = await replace(app, next)
    }
  } catch (error) {
    sayError(world.terminal, error)
    return ExitCode.failed
  } finally {
    await app.stop()
    for (const stop of stopListening) stop()
  }

  async function loadBeside(): Promise<App | undefined> {
    const loaded = await readConfig(options, world)
    if (loaded === undefined) return undefined
    try {
      return await buildApp(loaded, appWorld, { tellHooks: true })
    } catch (error) {
      sayError(world.terminal, error)
      return undefined
    }
  }

  /** Stops the old one and starts the next; should that one not start, the old configuration is started again. */
  async function replace(old: App, next: App): Promise<App> {
    await old.stop()
    try {
      await next.start()
      log.info('configuration loaded', { config: config?.file })
      return next
    } catch (error) {
      log.error('configuration not started, the old one stays', { error: messageOf(error) })
      await next.stop()
      const again = await buildApp(old.config, appWorld, { tellHooks: true })
      await again.start()
      return again
    }
  }
}

function newReload() {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  return { asked, ask }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
