import { fromBytes } from '../../lib/base/text.ts'
import { explainFile, type Explanation } from '../../lib/render/explain.ts'
import type { RendererOptions } from '../../lib/render/options.ts'
import { ExitCode } from '../exit-code.ts'
import { explanationText } from '../explanation.ts'
import { candidatesFor, lineIn, nearestPath, type Candidate } from '../output-file.ts'
import type { CommonOptions } from '../options.ts'
import { contentsOf, openPreview } from '../preview.ts'
import { readConfig, withLog } from '../setup.ts'
import { rendererOptions } from '../sources.ts'
import { sayError, sayProblem } from '../terminal.ts'
import type { AppWorld, World } from '../world.ts'

export interface ExplainOptions extends CommonOptions {
  /** A rendered file, as configured or where it is on disk, and maybe a line of it: `FILE:LINE`. */
  readonly file: string
  /** 0 waits for ever. */
  readonly timeoutMs: number
  /** Whether sensitive values are printed. */
  readonly reveal: boolean
}

/** Prints where a rendered file comes from: for each line the places of the template that wrote it, and the readings that it
 *  shows or that decided over it. It renders now; publishes nothing, tells nobody, keeps nothing. */
export async function explain(options: ExplainOptions, world: World): Promise<number> {
  const config = await readConfig(options, world)
  if (config === undefined) return ExitCode.usage
  const wanted = candidatesFor(options.file, config.bundles)
  if (wanted.length === 0)
    return unknownFile(
      options.file,
      [...config.bundles.values()].flatMap(({ files }) => files),
      world,
    )
  const appWorld = await withLog(options, world, 'silent')
  const { terminal } = appWorld
  const over = new AbortController()
  const stopListening = world.signals.on(['SIGTERM', 'SIGINT'], signal => over.abort(new Error(`got ${signal}`)))
  const names = [...new Set(wanted.map(({ bundle }) => bundle.name))]
  const previews = await openPreview(config, names, appWorld).catch((error: unknown) => {
    sayError(terminal, error)
    return undefined
  })
  if (previews === undefined) return ExitCode.usage
  try {
    const found: Found[] = []
    const others: { readonly path: string }[] = []
    const all = await rendererOptions(config, names, new Uint8Array(), appWorld)
    const deadlineMs = world.clock.monotonicMs() + (options.timeoutMs || Number.POSITIVE_INFINITY)
    for (const preview of previews.bundles) {
      const contents = await contentsOf(preview, deadlineMs, appWorld, over.signal)
      if (typeof contents === 'number') return contents
      others.push(...contents.files)
      // In the same turn, so from the same readings.
      const renderer = all.find(({ bundle }) => bundle.name === preview.name) as RendererOptions
      for (const candidate of wanted.filter(({ bundle }) => bundle.name === preview.name)) {
        const explanation = explainFile(renderer, candidate.path, preview.inputs)
        if (explanation !== undefined) found.push({ candidate, explanation })
      }
    }
    const [only] = found
    if (only === undefined) return unknownFile(options.file, others, world)
    return found.length > 1 ? ambiguousFile(options.file, found, world) : print(only, options, appWorld)
  } catch (error) {
    sayError(terminal, error)
    return ExitCode.failed
  } finally {
    stopListening()
    await previews.close()
  }
}

interface Found {
  readonly candidate: Candidate
  readonly explanation: Explanation
}

async function print(
  { candidate, explanation }: Found,
  { file, reveal }: ExplainOptions,
  world: AppWorld,
): Promise<number> {
  const { terminal, redactor, clock } = world
  const { bundle, path, diskPath } = candidate
  const line = lineIn(file, candidate)
  const redact = reveal ? (text: string) => text : (text: string) => redactor.redact(text)
  const lines = explanationText(explanation, { nowMs: clock.nowMs(), reveal, redact })
  if (line !== undefined && (line < 1 || line > lines.length)) {
    const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`
    sayProblem(terminal, `${path} has no line ${line}`, `it has ${count}`)
    return ExitCode.usage
  }
  terminal.out(`==> ${bundle.name}: ${path}\n`)
  terminal.out(line === undefined ? lines.join('') : (lines[line - 1] as string))
  const published = await world.readFile(diskPath).catch(() => undefined)
  if (published === undefined) terminal.say(`note: ${diskPath} is not there yet; this is what it would be`)
  else if (fromBytes(published) !== fromBytes(explanation.content)) {
    terminal.say(`note: ${diskPath} differs; this explains what would be published now`)
  }
  return ExitCode.done
}

function unknownFile(text: string, files: readonly { readonly path: string }[], { terminal }: World): number {
  const paths = files.map(({ path }) => path)
  const near = nearestPath(text, paths)
  const hint = near === undefined ? `the files are ${paths.join(', ')}` : `did you mean "${near}"?`
  sayProblem(terminal, `"${text}" is no file of any bundle`, hint)
  return ExitCode.usage
}

function ambiguousFile(text: string, found: readonly Found[], { terminal }: World): number {
  const paths = found.map(({ candidate }) => candidate.diskPath)
  sayProblem(terminal, `"${text}" is a file of ${found.length} bundles`, `name it by where it is: ${paths.join(', ')}`)
  return ExitCode.usage
}
