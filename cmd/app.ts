import { join } from 'node:path'
import { withDeadline } from '../lib/base/deadline.ts'
import { Scope } from '../lib/base/scope.ts'
import type { BundleOptions } from '../lib/bundle.ts'
import type { Config } from '../lib/config/config.ts'
import { startAdmin } from '../lib/admin/admin.ts'
import { startControl } from '../lib/admin/control.ts'
import { OperationalError } from '../lib/errors.ts'
import { digestOf } from '../lib/generation.ts'
import { runCheck } from '../lib/gate/check.ts'
import { runProbe } from '../lib/gate/probe.ts'
import type { Verdict } from '../lib/gate/verdict.ts'
import { systemProcesses } from '../lib/notify/host.ts'
import { createHook } from '../lib/notify/hooks.ts'
import { Notifier } from '../lib/notify/notifier.ts'
import { filesPublisher } from '../lib/publish/files.ts'
import { changedPaths, type Publisher } from '../lib/publish/publisher.ts'
import { volumePublisher } from '../lib/publish/volume.ts'
import type { Renderer } from '../lib/render/renderer.ts'
import { readDigestKey } from '../lib/state/digest-key.ts'
import { Hold } from '../lib/state/hold.ts'
import { openJournal } from '../lib/state/journal.ts'
import { acquireLock } from '../lib/state/lock.ts'
import type { KeptLease, ServedReading } from '../lib/reading.ts'
import type { Refreshed } from '../lib/refreshed.ts'
import type { Status } from '../lib/status.ts'
import { Reconciler } from '../lib/sync/reconciler.ts'
import { refresh, type RefreshParts } from '../lib/sync/refresh.ts'
import { Reporter } from '../lib/sync/reporter.ts'
import { hideCredentials } from './credentials.ts'
import { openSealed } from './sealed.ts'
import { buildRenderers, openSources, shrinkLimits, type Sources } from './sources.ts'
import type { AppWorld } from './world.ts'

/** How long the end may take: more than the grace of a hook, and less than the half minute after which Kubernetes kills. */
const STOP_MS_MAX = 20_000

export interface AppOptions {
  /** Whether hooks are told of what is published. */
  readonly tellHooks: boolean
  /** Whether what has lost too much at once is held back. Who looks only once has no later look that could let it through. */
  readonly holdsBack: boolean
  /** Whether first readings may be put off after a restart. Who looks only once looks now. @default false */
  readonly putsOff?: boolean
  /** Whether the health listener is started, where one is configured. @default true */
  readonly listen?: boolean
  /** Whether the control socket is opened. @default false */
  readonly control?: boolean
  /** Is told of a bug that ended a loop: what remains only looks alive. */
  readonly onFailure: (error: unknown) => void
}

/** Builds everything that a configuration asks for and starts nothing: no lock is taken, nothing is watched or published. So a
 *  new configuration can be built beside the running one. Rejects when the configuration cannot work here. */
export async function buildApp(config: Config, world: AppWorld, options: AppOptions): Promise<App> {
  await hideCredentials(config, world)
  await world.fileSystem.makeDirectories(config.stateDirectory, 0o700)
  const digestKey = await readDigestKey(config.stateDirectory, world.fileSystem)
  const renderers = await buildRenderers(config, config.bundles.keys(), digestKey, world)
  const sources = await openSources(config, world, options.holdsBack ? shrinkLimits(config) : undefined)
  return new App(config, world, options, sources, renderers, digestKey)
}

/** What outlives a configuration in this process. */
export interface HandedOver {
  readonly leases: readonly KeptLease[]
  readonly notes: ReadonlyMap<string, string>
  /** For the comparison of the shrink guard alone. */
  readonly served: readonly ServedReading[]
}

const NOTHING: HandedOver = { leases: [], notes: new Map(), served: [] }

/** A configuration at work. `start` once, or not at all, then `stop`. */
export class App {
  readonly config: Config
  readonly #world: AppWorld
  readonly #options: AppOptions
  readonly #sources: Sources
  readonly #renderers: ReadonlyMap<string, Renderer>
  readonly #digestKey: Uint8Array
  readonly #scope: Scope
  readonly #holds = new Map<string, Hold>()
  readonly #notifiers = new Map<string, Notifier>()
  readonly #reporter: Reporter
  readonly #refreshParts = new Map<string, RefreshParts>()
  #revokes = false

  constructor(
    config: Config,
    world: AppWorld,
    options: AppOptions,
    sources: Sources,
    renderers: ReadonlyMap<string, Renderer>,
    digestKey: Uint8Array,
  ) {
    this.config = config
    this.#world = world
    this.#options = options
    this.#sources = sources
    this.#renderers = renderers
    this.#digestKey = digestKey
    this.#scope = new Scope(error => {
      world.log.error('a loop ended', { error })
      options.onFailure(error)
    })
    this.#scope.onEnd(() => sources.close())
    const types = new Map([...config.providers].map(([name, { plugin }]) => [name, plugin.type]))
    this.#reporter = new Reporter(
      new Map([...config.bundles.keys()].map(name => [name, () => this.#notifiers.get(name)?.owed() ?? []])),
      () => sources.store.status(types),
      world.clock,
    )
  }

  /** Takes the locks, opens what is needed, and only then starts the loops, which take up what was left. Rejects when a lock is
   *  held, a port is taken or the state cannot be used; then nothing has been published or told.
   *  @param before what the configuration kept that this one takes the place of */
  async start(before: HandedOver = NOTHING): Promise<void> {
    const { clock } = this.#world
    const { stateDirectory, bundles, admin } = this.config
    // The state directory is one writer's as well: journals and private stores lie there.
    const lock = await acquireLock(stateDirectory, clock, this.#scope.signal)
    this.#scope.onEnd(() => lock.release())
    for (const { name, volume } of bundles.values()) if (volume !== undefined) await this.#hold(name, volume)
    // Before the locks are given back, since providers write to the state directory. It may be closed again.
    const sealed = await openSealed(this.config, this.#world)
    this.#scope.onEnd(() => sealed?.close())
    this.#scope.onEnd(() => this.#sources.close(this.#revokes ? 'asked' : undefined))
    // What was handed over is newer than what was written down of it.
    this.#sources.notes.open(sealed, before.notes)
    this.#sources.store.restore(sealed, [...(sealed?.leases ?? []), ...before.leases], before.served)
    if (this.#options.putsOff === true && before === NOTHING) this.#sources.store.putOff()
    if (admin !== undefined && this.#options.listen !== false) {
      const { log, redactor } = this.#world
      const redact = (line: string) => redactor.redact(line)
      const listener = await startAdmin({ ...admin, status: () => this.status(), redact, clock, log })
      this.#scope.onEnd(() => listener.close())
    }
    const reconcilers: Reconciler[] = []
    for (const bundle of bundles.values()) reconcilers.push(await this.#prepare(bundle))
    if (this.#options.control === true) await this.#openControl()
    for (const reconciler of reconcilers) this.#scope.run(signal => reconciler.run(signal))
    this.#scope.run(signal => this.#reporter.beat(signal))
  }

  /** Ends the loops, in the middle of whatever they do: what is durable is taken up at the next start. Only a hook that is
   *  being called is given some time to end. Rejects when something has not ended in time: a file system that hangs, say.
   *  @param isLast whether no other start follows this end, so that leases are revoked where that is asked for */
  async stop(isLast = false): Promise<void> {
    this.#revokes = isLast
    const hint = 'the log says what was under way; a network file system that is away holds up whoever uses it'
    const timeoutError = () => new OperationalError('timeout', 'something does not end', { hint })
    const end = () => this.#scope.end(new Error('stopping'))
    await withDeadline({ timeoutMs: STOP_MS_MAX, timeoutError }, end, this.#world.clock, new AbortController().signal)
  }

  /** What it kept, for the configuration that takes its place; after `stop`. */
  handOver(): HandedOver {
    const { store, notes } = this.#sources
    return { leases: store.handOver(), notes: notes.handOver(), served: store.handOverServed() }
  }

  status(): Status {
    return this.#reporter.status()
  }

  /** Asks at once for everything that these bundles want, and tells what came of it within the time. Rejects with the signal's reason. */
  async refresh(bundles: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<readonly Refreshed[]> {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const cancel = this.#world.clock.after(timeoutMs, () => over.abort(new Error('the time is over')))
    try {
      const all = bundles.flatMap(name => this.#refreshParts.get(name) ?? [])
      const refreshed = await Promise.all(all.map(parts => refresh(parts, either)))
      signal.throwIfAborted()
      return refreshed
    } finally {
      cancel()
    }
  }

  /** Calls back whenever the status may have changed, until the returned function is called. */
  listen(listener: () => void): () => void {
    return this.#reporter.listen(listener)
  }

  /** Makes a volume ours. Rejects when somebody else has it; whatever else is wrong with it holds up its own bundle only, and may be
   *  mended while the others go on. */
  async #hold(bundle: string, volume: string): Promise<void> {
    const { fileSystem, clock } = this.#world
    const hold = new Hold(volume, fileSystem, clock, this.#scope.signal)
    this.#holds.set(bundle, hold)
    this.#scope.onEnd(() => hold.release())
    await hold.ensure().catch((error: unknown) => {
      if (error instanceof OperationalError && error.code === 'locked') throw error
    })
  }

  async #openControl(): Promise<void> {
    const { clock, log, redactor } = this.#world
    const control = await startControl({
      directory: this.config.stateDirectory,
      bundles: [...this.config.bundles.keys()],
      refresh: (bundles, timeoutMs, signal) => this.refresh(bundles, timeoutMs, signal),
      redact: text => redactor.redact(text),
      clock,
      log,
      signal: this.#scope.signal,
    })
    this.#scope.onEnd(() => control.close())
  }

  async #prepare(bundle: BundleOptions): Promise<Reconciler> {
    const { clock, random, log, fileSystem } = this.#world
    const renderer = this.#renderers.get(bundle.name)
    if (renderer === undefined) throw new TypeError(`no renderer for ${bundle.name}`)
    const directory = join(this.config.stateDirectory, 'bundles', bundle.name)
    await fileSystem.makeDirectories(directory, 0o700)
    const publisher = this.#publisher(bundle, directory)
    const generations = () => publisher.generations()
    const journal = await openJournal(join(directory, 'journal'), { fileSystem, clock, generations })
    for (const damage of journal.damage)
      log.error('journal damaged, the rest of it is kept', { bundle: bundle.name, damage })
    const hooks = this.#options.tellHooks ? bundle.hooks.map(options => createHook(options, this.#host())) : []
    const notifier = new Notifier({
      hooks,
      delivered: (generation, hook) => journal.append({ kind: 'delivered', generation, hook }),
      clock,
      random,
      log,
    })
    this.#notifiers.set(bundle.name, notifier)
    // Beside the loop and not after it, because the loop waits for hooks.
    this.#scope.signal.addEventListener('abort', () => this.#scope.run(() => notifier.close()))
    const inputs = this.#sources.store.subscribe(bundle.name)
    const reconciler = new Reconciler(
      {
        bundle: bundle.name,
        settle: bundle.settle,
        keep: bundle.keep,
        hooks: hooks.map(hook => hook.id),
        inputs,
        renderer,
        publisher,
        hold: async () => this.#holds.get(bundle.name)?.ensure(),
        journal,
        notifier,
        check: (staged, signal) => this.#check(bundle, staged, signal),
        probe: this.#probe(bundle),
        changedPaths,
        digestOf: files => digestOf(files, this.#digestKey),
        clock,
        random,
        log,
      },
      standing => this.#reporter.report(bundle.name, standing),
    )
    this.#refreshParts.set(bundle.name, {
      inputs,
      rounds: reconciler.rounds,
      status: () => this.#reporter.bundleStatus(bundle.name),
      listen: listener => this.listen(listener),
    })
    return reconciler
  }

  #publisher({ volume, keepAgeMs }: BundleOptions, directory: string): Publisher {
    const { fileSystem, clock } = this.#world
    const host = { fileSystem, clock, keepAgeMs }
    return volume === undefined ? filesPublisher(directory, host) : volumePublisher(volume, host)
  }

  async #check({ checks }: BundleOptions, staged: string, signal: AbortSignal): Promise<Verdict> {
    for (const check of checks) {
      const verdict = await runCheck(check, staged, this.#host(), signal)
      if (!verdict.ok) return verdict
    }
    return { ok: true }
  }

  #probe({ probe }: BundleOptions): ((signal: AbortSignal) => Promise<Verdict>) | undefined {
    return probe === undefined || !this.#options.tellHooks ? undefined : signal => runProbe(probe, this.#host(), signal)
  }

  #host() {
    const { clock, redactor, environment } = this.#world
    return { clock, redactor, environment, processes: systemProcesses }
  }
}
