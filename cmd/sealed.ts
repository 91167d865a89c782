import { join } from 'node:path'
import type { Config, ProviderConfig } from '../lib/config/config.ts'
import { messageOf } from '../lib/errors.ts'
import type { SealedState } from '../lib/state/sealed-state.ts'
import type { Recalled } from '../lib/store/keeper.ts'
import { identityOf } from './identity.ts'
import type { AppWorld } from './world.ts'

/** Opens what is kept, sealed, for a restart; undefined when no provider of this configuration has anything to keep. Then what an
 *  earlier one kept is removed, and nothing that it would take is loaded. The state directory is ours alone by now. */
export async function openSealed(config: Config, world: AppWorld): Promise<SealedState | undefined> {
  const { stateDirectory, stateKey, providers } = config
  const { fileSystem, clock, log } = world
  const directory = join(stateDirectory, 'sealed')
  if (![...providers.values()].some(hasMuchToKeep)) {
    await fileSystem.remove(directory)
    return undefined
  }
  const { readSealKey } = await import('../lib/state/seal.ts')
  const { openSealedState } = await import('../lib/state/sealed-state.ts')
  const key = await readSealKey(stateDirectory, stateKey, fileSystem)
  return openSealedState({ directory, key, providers: policies(config, world), fileSystem, clock, log })
}

/** The readings that another process keeps, for who only looks at what would be rendered. Nothing of the state directory is
 *  changed; what cannot be read is not there, and `unreadable` says why. */
export async function keptReadings(config: Config, world: AppWorld): Promise<KeptReadings> {
  const { stateDirectory, stateKey } = config
  const { fileSystem, clock, log } = world
  const directory = join(stateDirectory, 'sealed')
  try {
    const { readSealKey, SEAL_KEY } = await import('../lib/state/seal.ts')
    // Where there is no key yet, there is nothing, and a key would be made.
    const isKept = await fileSystem.stat(stateKey ?? join(stateDirectory, SEAL_KEY))
    if (isKept === undefined) return {}
    const { openKeptReadings } = await import('../lib/state/sealed-state.ts')
    const key = await readSealKey(stateDirectory, stateKey, fileSystem)
    return {
      kept: await openKeptReadings({ directory, key, providers: policies(config, world), fileSystem, clock, log }),
    }
  } catch (error) {
    return { unreadable: messageOf(error) }
  }
}

export interface KeptReadings {
  readonly kept?: Recalled
  readonly unreadable?: string
}

function policies({ providers }: Config, { environment }: AppWorld) {
  return new Map(
    [...providers.values()].map(
      provider => [provider.name, { seal: provider.seal, identity: identityOf(provider, environment) }] as const,
    ),
  )
}

/** What reads this machine has no leases, so `leases` is nothing there. */
function hasMuchToKeep({ plugin, seal }: ProviderConfig): boolean {
  return seal === 'all' || (seal === 'leases' && plugin.isLocal !== true)
}
