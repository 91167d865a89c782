import type { Tree, Value } from '../base/value.ts'
import type { FileOptions } from '../bundle.ts'
import { dependencyId, type Dependency } from '../dependency.ts'
import type { OutputFile } from '../generation.ts'
import type { Question } from '../provider.ts'
import type { Reading } from '../reading.ts'
import type { Expression } from '../template/expression.ts'
import { traceExpression } from '../template/trace/expression.ts'
import { traceTemplate, type Lineage, type Origin, type Traced } from '../template/trace/template.ts'
import type { Pending, Template, TemplateOptions } from '../template/template.ts'
import type { RenderContext } from './functions.ts'
import type { RendererOptions } from './options.ts'
import { Questioning, type View } from './question.ts'
import { listingOf, unitOf } from './renderer.ts'
import type { Item, Listing } from './several.ts'
import type { Unit } from './unit.ts'

/** Where the bytes of one file come from. */
export interface Explanation {
  readonly content: Uint8Array
  /** Together they are the whole content, in its order. */
  readonly segments: readonly ExplainedSegment[]
}

/** Some bytes of a file; see `Segment` of the template engine for what is promised. */
export interface ExplainedSegment {
  readonly bytes: number
  /** What wrote it; undefined where no template was in between. */
  readonly place: Place | undefined
  /** What it shows. */
  readonly from: readonly Provenance[]
  /** What decided that it is there. */
  readonly under: readonly Provenance[]
}

/** A text or an action of a template. */
export interface Place {
  readonly template: string
  readonly line: number
  readonly column: number
  readonly isText: boolean
}

/** A part of what a provider answered. */
export interface Provenance {
  readonly dependency: Dependency
  /** What was asked of the dependency: its own path, or a part of it, as a file of a tree. */
  readonly path: string
  /** Keys, from the outermost; none for all of it. */
  readonly field: readonly string[]
  readonly reading: Reading
}

/** Explains the files of one bundle that this view can render completely; as a render, all of it in one turn. Each file is traced at
 *  most once, as soon as it or one after it is asked for: all files of a bundle take what one render takes. */
export class Explainer {
  readonly #explained = new Map<string, Explanation>()
  readonly #rest: Iterator<Explained>

  constructor(options: RendererOptions, view: View) {
    this.#rest = explainEach(options, view)
  }

  /** Explains one file; undefined where the bundle has no such file. */
  explain(path: string): Explanation | undefined {
    let explanation = this.#explained.get(path)
    while (explanation === undefined) {
      const next = this.#rest.next()
      if (next.done === true) return undefined
      const [found, its] = next.value
      this.#explained.set(found, its)
      if (found === path) explanation = its
    }
    return explanation
  }
}

/** A path and where its file comes from. */
type Explained = readonly [string, Explanation]

function* explainEach(options: RendererOptions, view: View): Generator<Explained> {
  const { environment, now, networkAddresses, bundle } = options
  const tracing = { ...options, parse: parseTraced, parseList: parseTracedList }
  for (const configured of bundle.files) {
    const context = { questioning: new TracingQuestioning(view), environment, now, networkAddresses }
    const listing = listingOf(configured, tracing)
    if (listing !== undefined) yield* explainListed(listing, configured, context)
    else
      yield* unitOf(configured, tracing)
        .evaluate(context)
        .map(file => explained(file, context.questioning))
  }
}

interface Context extends RenderContext {
  readonly questioning: TracingQuestioning
}

/** Explains the outputs of an entry that has many: what was listed decides which there are. */
function* explainListed(listing: Unit<Listing>, { path: above }: FileOptions, context: Context): Generator<Explained> {
  const { files, items } = listing.evaluate(context)
  const { listed } = context.questioning
  const treeOf = context.questioning.taken()
  // What is below the configured path is below what was asked for.
  const inTree = (at: string) =>
    treeOf.map(origin => provenanceOf(origin, at.slice(above === '.' ? 0 : above.length + 1)))
  for (const file of files) yield wholly(file, inTree(file.path))
  for (const item of items) {
    const dot = dotOf(item, listed)
    const questioning = context.questioning.forItem(dot)
    const under = [...originsOf(dot).map(origin => provenanceOf(origin)), ...inTree(item.title)]
    yield* item.evaluate({ ...context, questioning }).map(file => explained(file, questioning, under))
  }
}

/** Where the dot of an item comes from, that was listed from this. */
function dotOf({ element }: Item, listed: Lineage): Lineage {
  const { exact, also } = listed
  if (exact === undefined || element === undefined) return listed
  const origin = { token: exact.token, path: [...exact.path, element.key] }
  return { exact: element.isPaired ? { token: new Pair(origin), path: [] } : origin, also }
}

function originsOf({ exact, also }: Lineage): readonly Origin[] {
  return exact === undefined ? also : [exact, ...also]
}

/** @param under what decided, besides, that there is such a file */
function explained(file: OutputFile, questioning: TracingQuestioning, under: readonly Provenance[] = []): Explained {
  // A path is a template, too; the content is executed last.
  const traced = questioning.traced.at(-1)
  if (traced === undefined)
    return wholly(
      file,
      questioning.taken().map(origin => provenanceOf(origin)),
    )
  const named = questioning.traced.slice(0, -1).flatMap(({ segments }) => segments)
  const fromPath = named.flatMap(segment => [...segment.from, ...segment.under].map(origin => provenanceOf(origin)))
  return [file.path, { content: file.content, segments: segmentsOf(traced, [...under, ...fromPath]) }]
}

/** A content that no template made. */
function wholly({ path, content }: OutputFile, from: readonly Provenance[]): Explained {
  return [path, { content, segments: [{ bytes: content.length, place: undefined, from, under: [] }] }]
}

/** Parses a template that leaves with the questioning what it knows of its output. */
function parseTraced(options: TemplateOptions<RenderContext>): Template<RenderContext> {
  const template = traceTemplate(options)
  return {
    name: template.name,
    execute(dot, context, bounds = {}) {
      const questioning = tracingOf(context)
      const traced = template.trace(dot, context, {
        taken: () => questioning.taken(),
        dot: questioning.dot,
        bounds,
      })
      questioning.traced.push({ name: template.name, ...traced })
      return traced.output
    },
  }
}

/** Parses what lists the outputs of a `forEach`; it leaves with the questioning where that comes from. */
function parseTracedList(options: TemplateOptions<RenderContext>): Expression<RenderContext> {
  const expression = traceExpression(options)
  return {
    evaluate(context, bounds) {
      const questioning = tracingOf(context)
      const { value, lineage } = expression.trace(context, () => questioning.taken(), bounds)
      questioning.listed = lineage
      return value
    },
  }
}

function tracingOf({ questioning }: RenderContext): TracingQuestioning {
  if (!(questioning instanceof TracingQuestioning)) throw new TypeError('nobody wants to know')
  return questioning
}

/** What an origin's token stands for: something that was asked for. */
interface Asked {
  readonly dependency: Dependency
  readonly path: string
  readonly reading: Reading
}

/** Or the pair of Key and Value that a `forEach` makes of an element of that. */
class Pair {
  readonly element: Origin

  constructor(element: Origin) {
    this.element = element
  }
}

/** What is known of the output of a template of this name. */
interface Named extends Traced {
  readonly name: string
}

/** A questioning that can tell what was asked for. */
class TracingQuestioning extends Questioning {
  /** Of the templates that were executed, in their order. */
  readonly traced: Named[] = []
  /** Where the dot of those templates comes from. */
  readonly dot: Lineage
  /** Where the list of a `forEach` comes from. */
  listed: Lineage = { also: [] }
  readonly #view: View
  /** What was asked for twice is the same. */
  readonly #known: Map<string, Asked>
  #taken: Origin[] = []

  constructor(view: View, dot: Lineage = { also: [] }, known = new Map<string, Asked>()) {
    super(view)
    this.dot = dot
    this.#view = view
    this.#known = known
  }

  /** One for an output whose dot comes from this. */
  forItem(dot: Lineage): TracingQuestioning {
    return new TracingQuestioning(this.#view, dot, this.#known)
  }

  override aside(): TracingQuestioning {
    return new TracingQuestioning(this.#view)
  }

  override ask(question: Question, provider: string, args: readonly Value[]): Value | Tree | Pending {
    const dependency = question.ask(provider, args)
    const reading = this.#view.get(dependency)
    const [first, field] = args
    if (reading !== undefined) {
      const path = typeof first === 'string' ? first : dependency.path
      const key = JSON.stringify([dependencyId(dependency), path])
      const token = this.#known.get(key) ?? { dependency, path, reading }
      this.#known.set(key, token)
      const isField = question.hasFields === true && typeof field === 'string'
      this.#taken.push({ token, path: isField ? [field] : [] })
    }
    return super.ask(question, provider, args)
  }

  override took(keys: readonly string[]): void {
    const last = this.#taken.pop()
    if (last !== undefined) this.#taken.push({ ...last, path: [...last.path, ...keys] })
  }

  /** What was asked for since this was last called. */
  taken(): readonly Origin[] {
    const taken = this.#taken
    this.#taken = []
    return taken
  }
}

function segmentsOf({ name, segments }: Named, besides: readonly Provenance[]): readonly ExplainedSegment[] {
  return segments.map(({ bytes, line, column, isText, from, under }) => ({
    bytes,
    place: { template: name, line, column, isText },
    from: from.map(origin => provenanceOf(origin)),
    under: [...besides, ...under.map(origin => provenanceOf(origin))],
  }))
}

function provenanceOf({ token, path: field }: Origin, below = ''): Provenance {
  if (token instanceof Pair) {
    const { element } = token
    const [half, ...rest] = field
    return provenanceOf(half === 'Value' ? { ...element, path: [...element.path, ...rest] } : element)
  }
  const { dependency, path, reading } = token as Asked
  return { dependency, path: [path, below].filter(part => part !== '').join('/'), field, reading }
}
