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
  /** Why what was kept before cannot be looked at, where it cannot. */
  readonly unreadable: string | undefined
  close(): Promise<void>
}

/** Why a bundle cannot be shown. */
export interface Hindrance {
  /** How the program ends for it. */
  readonly code: number
  /** Says it on the terminal. */
  say(): void
}

/** What a bundle would publish, as soon as all that it asks for is there. Until the next turn of the event loop, the readings in
 *  its `inputs` are those that were rendered. */
export type Rendering = (preview: Preview) => Promise<Contents | Hindrance>

/** Renders bundles one after the other, and shows each to `see` in the turn in which it was rendered. Gives the first exit code that
 *  is not that of success, having said why.
 *  @param timeoutMs for all of them; 0 waits for ever */
export async function eachPreview(
  config: Config,
  names: readonly string[],
  timeoutMs: number,
  world: AppWorld,
  see: (preview: Preview, contents: Contents) => number,
): Promise<number> {
  return withPreviews(config, names, timeoutMs, world, async (previews, render) => {
    for (const preview of previews) {
      const rendered = await render(preview)
      if (isHindrance(rendered)) rendered.say()
      const code = isHindrance(rendered) ? rendered.code : see(preview, rendered)
      if (code !== ExitCode.done) return code
    }
    return ExitCode.done
  })
}

/** Opens bundles to be rendered and not published; gives the exit code of `look`, or that of what fails, having said why.
 *  @param timeoutMs for all of them; 0 waits for ever */
export async function withPreviews(
  config: Config,
  names: readonly string[],
  timeoutMs: number,
  world: AppWorld,
  look: (previews: readonly Preview[], render: Rendering) => Promise<number>,
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
    const { bundles, unreadable } = previews
    let isNoted = unreadable === undefined
    const note = () => {
      if (!isNoted) terminal.say(`note: what was kept before cannot be looked at: ${unreadable}`)
      isNoted = true
    }
    return await look(bundles, preview => contentsOf(preview, deadlineMs, world, over.signal, note))
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    stopListening()
    over.abort(new Error('nobody looks any more'))
    await previews.close()
  }
}

export function isHindrance(rendered: Contents | Hindrance): rendered is Hindrance {
  return 'code' in rendered
}

/** @param note says once what else may keep it waiting */
async function contentsOf(
  { name, renderer, inputs }: Preview,
  deadlineMs: number,
  { clock, terminal }: World,
  signal: AbortSignal,
  note: () => void,
): Promise<Contents | Hindrance> {
  for (;;) {
    inputs.changed.clear()
    const rendered = renderer.render(inputs)
    inputs.want(rendered.wanted)
    if (rendered.kind === 'complete') return rendered.contents
    if (rendered.kind === 'broken') {
      const { message, hint } = rendered.problem
      return { code: ExitCode.failed, say: () => sayProblem(terminal, `${name}: ${message}`, hint) }
    }
    if (await inputs.changed.takenWithin(deadlineMs - clock.monotonicMs(), clock, signal)) continue
    const lines = rendered.missing.map(
      missing => `${name}: still waiting for ${showDependency(missing)}: ${inputs.why(missing)}`,
    )
    return {
      code: ExitCode.waiting,
      say() {
        for (const line of lines) terminal.say(line)
        note()
      },
    }
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
    const { kept, unreadable } = await keptReadings(config, world)
    sources.store.restore(undefined, [], [], kept)
    return {
      unreadable,
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
