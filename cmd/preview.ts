import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../lib/config/config.ts'
import { showDependency } from '../lib/dependency.ts'
import type { Contents } from '../lib/generation.ts'
import type { RendererOptions } from '../lib/render/options.ts'
import type { Renderer } from '../lib/render/renderer.ts'
import type { Subscription } from '../lib/store/store.ts'
import { takenWithin } from '../lib/sync/settle.ts'
import { hideCredentials } from './credentials.ts'
import { ExitCode } from './exit-code.ts'
import { keptReadings } from './sealed.ts'
import { openSources, rendererOptions, renderersOf } from './sources.ts'
import { sayError, sayProblem } from './terminal.ts'
import type { AppWorld, World } from './world.ts'

/** One bundle that is rendered and not published. */
export interface Preview {
  readonly name: string
  /** What its renderer is made of. */
  readonly options: RendererOptions
  readonly renderer: Renderer
  readonly inputs: Subscription
}

interface Previews {
  readonly bundles: readonly Preview[]
  close(): Promise<void>
}

/** Renders bundles one after the other, each as soon as all that it asks for is there, and shows each to `see` in the turn in
 *  which it was rendered, so that its inputs are those readings. Gives the first exit code that is not that of success, having said why.
 *  @param timeoutMs for all of them; 0 waits for ever */
export async function eachPreview(
  config: Config,
  names: readonly string[],
  timeoutMs: number,
  world: AppWorld,
  see: (preview: Preview, contents: Contents) => number,
): Promise<number> {
  const { terminal, clock, signals } = world
  const over = new AbortController()
  const stopListening = signals.on(['SIGTERM', 'SIGINT'], signal => over.abort(new Error(`got ${signal}`)))
  let previews: Previews | undefined
  try {
    previews = await openPreview(config, names, world)
  } catch (error) {
    stopListening()
    sayError(terminal, error)
    return ExitCode.usage
  }
  try {
    const deadlineMs = clock.monotonicMs() + (timeoutMs || Number.POSITIVE_INFINITY)
    for (const preview of previews.bundles) {
      const contents = await contentsOf(preview, deadlineMs, world, over.signal)
      const code = typeof contents === 'number' ? contents : see(preview, contents)
      if (code !== ExitCode.done) return code
    }
    return ExitCode.done
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    stopListening()
    await previews.close()
  }
}

/** Renders a bundle as soon as all that it asks for is there, or gives the exit code when that does not come to be: then it has
 *  been said why. Until the next turn of the event loop, the readings in `inputs` are those that were rendered. */
async function contentsOf(
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
async function openPreview(config: Config, names: readonly string[], world: AppWorld): Promise<Previews> {
  await hideCredentials(config, world)
  const all = await rendererOptions(config, names, randomBytes(32), world)
  const renderers = renderersOf(all)
  const stateDirectory = await mkdtemp(join(tmpdir(), 'outrigger-render-'))
  const removeState = () => rm(stateDirectory, { recursive: true, force: true })
  try {
    const sources = await openSources({ ...config, stateDirectory }, world)
    // What a process that runs on this configuration would serve, too, while a backend is away.
    sources.store.restore(await keptReadings(config, world), [])
    return {
      bundles: all.map(options => {
        const { name } = options.bundle
        return { name, options, renderer: renderers.get(name) as Renderer, inputs: sources.store.subscribe() }
      }),
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
