import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../lib/config/config.ts'
import type { Renderer } from '../lib/render/renderer.ts'
import type { Subscription } from '../lib/store/store.ts'
import type { AppWorld } from './world.ts'
import { hideCredentials } from './credentials.ts'
import { buildRenderers, openSources } from './sources.ts'

/** One bundle that is rendered and not published. */
export interface Preview {
  readonly name: string
  readonly renderer: Renderer
  readonly inputs: Subscription
}

export interface Previews {
  readonly bundles: readonly Preview[]
  close(): Promise<void>
}

/** Opens the providers and renderers of a configuration beside whatever may be running on it: the providers keep what they
 *  need in a directory that is gone afterwards, and no lock is taken. */
export async function openPreview(config: Config, names: readonly string[], world: AppWorld): Promise<Previews> {
  await hideCredentials(config, world)
  const renderers = await buildRenderers(config, names, randomBytes(32), world)
  const stateDirectory = await mkdtemp(join(tmpdir(), 'outrigger-render-'))
  const removeState = () => rm(stateDirectory, { recursive: true, force: true })
  try {
    const sources = await openSources({ ...config, stateDirectory }, world)
    return {
      bundles: [...renderers].map(([name, renderer]) => ({ name, renderer, inputs: sources.store.subscribe() })),
      async close() {
        await sources.close()
        await removeState()
      },
    }
  } catch (error) {
    await removeState()
    throw error
  }
}
