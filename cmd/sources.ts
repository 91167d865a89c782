import { join } from 'node:path'
import type { Config } from '../lib/config/config.ts'
import { OperationalError } from '../lib/errors.ts'
import type { Provider } from '../lib/provider.ts'
import { renderFunctions, type Asker } from '../lib/render/functions.ts'
import type { Owners, RendererOptions } from '../lib/render/options.ts'
import { Renderer } from '../lib/render/renderer.ts'
import { Store, type ShrinkLimit } from '../lib/store/store.ts'
import { identityOf } from './identity.ts'
import { networkAddresses } from './network.ts'
import { Notes } from './notes.ts'
import { readOwners } from './owners.ts'
import type { AppWorld } from './world.ts'

/** The providers of a configuration, and the store that watches them. */
export interface Sources {
  readonly store: Store
  readonly notes: Notes
  /** Ends the watches, then closes the providers. May be called again; what was said first holds.
   *  @param revokes whose leases are revoked: of the providers that are configured so, or of all. @default of none */
  close(revokes?: 'asked' | 'all'): Promise<void>
}

/** How long leases may take to be revoked at the end; what is not revoked by then ends by itself. */
const REVOKE_MS_MAX = 5_000

/** Opens every provider; no network is used yet.
 *  @param limits by provider, what its lists and trees may lose at once. @default anything */
export async function openSources(
  config: Config,
  world: AppWorld,
  limits: ReadonlyMap<string, ShrinkLimit> = new Map(),
): Promise<Sources> {
  const providers = new Map<string, Provider>()
  const notes = new Notes()
  const { environment } = world
  const identities = new Map([...config.providers].map(([name, each]) => [name, identityOf(each, environment)]))
  const closeProviders = async () => {
    const closed = await Promise.allSettled([...providers.values()].map(provider => provider.close()))
    for (const { reason } of closed.filter(result => result.status === 'rejected')) throw reason
  }
  try {
    for (const { name, plugin, options } of config.providers.values()) {
      providers.set(
        name,
        await plugin.open(options, {
          ...hostOf(name, config, world),
          note: notes.of(name, identities.get(name) ?? ''),
        }),
      )
    }
  } catch (error) {
    await closeProviders()
    throw error
  }
  const store = new Store({ ...world, providers, identities, shrinkLimits: limits })
  const end = async (revokes: 'asked' | 'all' | undefined) => {
    const revoked = [...config.providers.values()].filter(
      ({ revokesOnShutdown }) => revokes === 'all' || (revokes === 'asked' && revokesOnShutdown),
    )
    const names = new Set(revoked.map(({ name }) => name))
    await store.close({ providers: names, withinMs: REVOKE_MS_MAX })
    await closeProviders()
  }
  let ending: Promise<void> | undefined
  return { store, notes, close: revokes => (ending ??= end(revokes)) }
}

/** What the configuration says of each provider. */
export function shrinkLimits({ providers }: Config): ReadonlyMap<string, ShrinkLimit> {
  return new Map([...providers].flatMap(([name, { shrinkGuard }]) => (shrinkGuard ? [[name, shrinkGuard]] : [])))
}

function hostOf(name: string, config: Config, { clock, random, log, environment, fileSystem }: AppWorld) {
  const directory = join(config.stateDirectory, 'providers', name)
  return {
    name,
    clock,
    random,
    log: log.with({ provider: name }),
    environment,
    configDirectory: config.directory,
    async directory() {
      await fileSystem.makeDirectories(directory, 0o700)
      return directory
    },
  }
}

/** A renderer for each of these bundles. Rejects with an AggregateError of all that is wrong with their templates and owners.
 *  @param owners by default those of this machine */
export async function buildRenderers(
  config: Config,
  bundles: Iterable<string>,
  digestKey: Uint8Array,
  world: AppWorld,
  owners?: Owners,
): Promise<ReadonlyMap<string, Renderer>> {
  return renderersOf(await rendererOptions(config, bundles, digestKey, world, owners))
}

/** Throws as `buildRenderers` rejects. */
export function renderersOf(all: readonly RendererOptions[]): ReadonlyMap<string, Renderer> {
  const renderers = new Map<string, Renderer>()
  const errors: unknown[] = []
  for (const options of all) {
    const { name } = options.bundle
    try {
      renderers.set(name, new Renderer(options))
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error
      errors.push(...error.errors.map(each => inBundle(name, each)))
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'templates are wrong')
  return renderers
}

/** What the renderers of these bundles are made of. */
export async function rendererOptions(
  config: Config,
  bundles: Iterable<string>,
  digestKey: Uint8Array,
  world: AppWorld,
  owners?: Owners,
): Promise<readonly RendererOptions[]> {
  const askers = new Map<string, Asker>(config.providers)
  const functions = renderFunctions(askers, world.plugins.values())
  const known = owners ?? (await readOwners(world))
  const { environment } = world
  const common = { functions, askers, digestKey, owners: known, environment, networkAddresses }
  return Array.from(bundles, name => {
    const bundle = config.bundles.get(name)
    if (bundle === undefined) throw new TypeError(`no bundle ${name}`)
    return { bundle, ...common, now: () => world.clock.nowMs() }
  })
}

/** Two bundles may well have a file of the same path. */
function inBundle(name: string, error: unknown): unknown {
  if (!(error instanceof OperationalError)) return error
  const hint = error.hint === undefined ? {} : { hint: error.hint }
  return new OperationalError(error.code, `${name}: ${error.message}`, { ...hint, cause: error })
}
