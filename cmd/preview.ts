import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../lib/config/config.ts'
import { showDependency } from '../lib/dependency.ts'
import type { Contents } from '../lib/generation.ts'
import type { Renderer } from '../lib/render/renderer.ts'
import type { Subscription } from '../lib/store/store.ts'
import { takenWithin } from '../lib/sync/settle.ts'
import { hideCredentials } from './credentials.ts'
import { ExitCode } from './exit-code.ts'
import { buildRenderers, openSources } from './sources.ts'
import { sayProblem } from './terminal.ts'
import type { AppWorld, World } from './world.ts'

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

/** Renders a bundle as soon as all that it asks for is there, or gives the exit code when that does not come to be: then it has
 *  been said why. Until the next turn of the event loop, the readings in `inputs` are those that were rendered. */
export async function contentsOf(
  { name, renderer, inputs }: Preview,
  deadlineMs: number,
  { clock, terminal }: World,
  signal: AbortSignal,
): Promise<Contents | number> {
  for (;;) {
    inputs.changed.clear()
    const rendered = renderer.render(inputs)
    inputs.want(rendered.wanted)
    if (rendered.kind === 'complete') return rendered.contents
    if (rendered.kind === 'broken') {
      sayProblem(terminal, `${name}: ${rendered.problem.message}`, rendered.problem.hint)
      return ExitCode.failed
    }
    if (await takenWithin(inputs.changed, deadlineMs - clock.monotonicMs(), clock, signal)) continue
    for (const missing of rendered.missing) {
      terminal.say(`${name}: still waiting for ${showDependency(missing)}: ${inputs.why(missing)}`)
    }
    return ExitCode.waiting
  }
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
        // Nobody uses what was only looked at.
        await sources.close('all')
        await removeState()
      },
    }
  } catch (error) {
    await removeState()
    throw error
  }
}
