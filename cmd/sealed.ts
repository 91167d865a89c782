import { join } from 'node:path'
import type { Config, ProviderConfig } from '../lib/config/config.ts'
import type { SealedState } from '../lib/state/sealed-state.ts'
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
  const kept = [...providers.values()].map(
    provider => [provider.name, { seal: provider.seal, identity: identityOf(provider) }] as const,
  )
  return openSealedState({ directory, key, providers: new Map(kept), fileSystem, clock, log })
}

/** What reads this machine has no leases, so `leases` is nothing there. */
function hasMuchToKeep({ plugin, seal }: ProviderConfig): boolean {
  return seal === 'all' || (seal === 'leases' && plugin.isLocal !== true)
}
