import { listed } from '../../lib/base/listed.ts'
import { fromBytes } from '../../lib/base/text.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { Explainer, type Explanation } from '../../lib/render/explain.ts'
import { ExitCode } from '../exit-code.ts'
import { explanationText } from '../explanation.ts'
import { candidatesFor, lineIn, nearestPath, type Candidate, type Place } from '../output-file.ts'
import type { CommonOptions } from '../options.ts'
import { isHindrance, withPreviews, type Hindrance, type Preview, type Rendering } from '../preview.ts'
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
  const candidates = candidatesFor(options.file, config.bundles)
  const configured = [...config.bundles.values()].flatMap(({ files }) => files)
  if (candidates.length === 0) return unknownFile(options.file, configured, world)
  const certain = candidates.filter(({ isCertain }) => isCertain)
  if (certain.length > 1) return ambiguousFile(options.file, certain.map(placeIn), world)
  const appWorld = await withLog(options, world, 'silent')
  const names = candidates.map(({ bundle }) => bundle.name)
  return withPreviews(config, names, options.timeoutMs, appWorld, async (previews, render) => {
    const looks = await looksOf(candidates, previews, render, appWorld)
    const found = looks.flatMap(each => each.found ?? [])
    const [only] = found
    const places = found.map(({ place }) => place)
    if (places.length > 1) return ambiguousFile(options.file, places, appWorld)
    if (only !== undefined) return print(only, options, appWorld)
    // It may well be a file of one that cannot be rendered.
    const hindrances = looks.flatMap(({ hindrance }) => hindrance ?? [])
    for (const hindrance of hindrances) hindrance.say()
    const others = looks.flatMap(({ files }) => files)
    return hindrances[0]?.code ?? unknownFile(options.file, others, appWorld)
  })
}

/** How long a bundle that may have the file, too, is waited for when another has it. */
const OTHERS_MS = 1_000

interface Found {
  readonly bundle: string
  readonly place: Place
  readonly explanation: Explanation
}

/** What came of looking for the file in one bundle. */
interface Look {
  readonly files: readonly OutputFile[]
  readonly found?: Found
  readonly hindrance?: Hindrance
}

async function look(preview: Preview, { places }: Candidate, render: Rendering): Promise<Look> {
  const rendered = await render(preview)
  if (isHindrance(rendered)) return { files: [], hindrance: rendered }
  const { files } = rendered
  const place = places.find(({ path }) => files.some(file => file.path === path))
  if (place === undefined) return { files }
  const explanation = new Explainer(preview.options, preview.inputs).explain(place.path)
  return explanation === undefined ? { files } : { files, found: { bundle: preview.name, place, explanation } }
}

/** Looks for the file in all candidates at once. */
async function looksOf(
  candidates: readonly Candidate[],
  previews: readonly Preview[],
  render: Rendering,
  { clock }: World,
): Promise<readonly Look[]> {
  const looks: (Look | undefined)[] = candidates.map(() => undefined)
  const found = Promise.withResolvers<void>()
  const all = Promise.all(
    candidates.map(async (candidate, i) => {
      const its = await look(previews[i] as Preview, candidate, render)
      looks[i] = its
      if (its.found !== undefined) found.resolve()
    }),
  )
  const over = new AbortController()
  const late = found.promise.then(() => clock.sleep(OTHERS_MS, over.signal))
  try {
    await Promise.race([all, late])
  } finally {
    over.abort(new Error('nobody is waited for'))
    // Whoever is late is not listened to.
    all.catch(() => {})
  }
  return looks.filter(its => its !== undefined)
}

/** Where the file is most likely, in a bundle that may have it. */
function placeIn({ places }: Candidate): Place {
  return places[0] as Place
}

async function print(
  { bundle, place: { path, diskPath }, explanation }: Found,
  { file, reveal }: ExplainOptions,
  world: AppWorld,
): Promise<number> {
  const { terminal, redactor, clock } = world
  const line = lineIn(file, path)
  const redact = reveal ? (text: string) => text : (text: string) => redactor.redact(text)
  const lines = explanationText(explanation, { nowMs: clock.nowMs(), reveal, redact })
  if (line !== undefined && (line < 1 || line > lines.length)) {
    const count = `${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`
    sayProblem(terminal, `${path} has no line ${line}`, `it has ${count}`)
    return ExitCode.usage
  }
  terminal.out(`==> ${bundle}: ${path}\n`)
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
  const hint = near === undefined ? `the files are ${listed(paths)}` : `did you mean "${near}"?`
  sayProblem(terminal, `"${text}" is no file of any bundle`, hint)
  return ExitCode.usage
}

function ambiguousFile(text: string, places: readonly Place[], { terminal }: World): number {
  const paths = places.map(({ diskPath }) => diskPath)
  sayProblem(terminal, `"${text}" is a file of ${places.length} bundles`, `name it by where it is: ${listed(paths)}`)
  return ExitCode.usage
}
