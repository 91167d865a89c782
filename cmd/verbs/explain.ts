import { fromBytes } from '../../lib/base/text.ts'
import { Explainer, type Explanation } from '../../lib/render/explain.ts'
import { ExitCode } from '../exit-code.ts'
import { explanationText } from '../explanation.ts'
import { candidatesFor, lineIn, nearestPath, type Candidate } from '../output-file.ts'
import type { CommonOptions } from '../options.ts'
import { eachPreview } from '../preview.ts'
import { readConfig, withLog } from '../setup.ts'
import { sayProblem } from '../terminal.ts'
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
  const names = [...new Set(wanted.map(({ bundle }) => bundle.name))]
  const found: Found[] = []
  const others: { readonly path: string }[] = []
  const code = await eachPreview(config, names, options.timeoutMs, appWorld, (preview, { files }) => {
    others.push(...files)
    const explainer = new Explainer(preview.options, preview.inputs)
    for (const candidate of wanted.filter(({ bundle }) => bundle.name === preview.name)) {
      const explanation = explainer.explain(candidate.path)
      if (explanation !== undefined) found.push({ candidate, explanation })
    }
    return ExitCode.done
  })
  if (code !== ExitCode.done) return code
  const [only] = found
  if (only === undefined) return unknownFile(options.file, others, world)
  return found.length > 1 ? ambiguousFile(options.file, found, world) : print(only, options, appWorld)
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
  if (published === undefined) terminal.say(`note: ${diskPath} is not there; this explains what would be published now`)
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
