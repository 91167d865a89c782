import type { FileOptions } from '../bundle.ts'
import type { Dependency, DependencyId } from '../dependency.ts'
import { messageOf } from '../errors.ts'
import type { Contents, OutputFile } from '../generation.ts'
import type { Problem } from '../outcome.ts'
import type { Environment } from '../template/functions/standard.ts'
import { TemplateError } from '../template/template.ts'
import { assemble } from './assemble.ts'
import type { RendererOptions } from './options.ts'
import { Answers, Questioning, type View } from './question.ts'
import { templateUnit, treeUnit, type Unit } from './unit.ts'

/** What a render of a bundle came to. `wanted` is everything that was asked for, however it ended. */
export type Rendered =
  /** Some of it is not there yet; what was rendered is of no use to anyone. */
  | { readonly kind: 'incomplete'; readonly wanted: readonly Dependency[]; readonly missing: readonly Dependency[] }
  | { readonly kind: 'broken'; readonly wanted: readonly Dependency[]; readonly problem: Problem }
  | {
      readonly kind: 'complete'
      readonly wanted: readonly Dependency[]
      readonly contents: Contents
      readonly renders: number
    }

/** Renders one bundle: each of its files from a template or a tree, each again only when its own answers changed. */
export class Renderer {
  readonly #bundle: string
  readonly #units: readonly Rendering[]
  readonly #world: Environment
  readonly #digestKey: Uint8Array
  #wanted: readonly Dependency[] = []
  #missing: readonly Dependency[] = []
  #newest: Contents | undefined

  /** Throws an AggregateError of all that is wrong: a TemplateError for each template that does not parse, an OperationalError
   *  for each owner that is not known. */
  constructor(options: RendererOptions) {
    this.#bundle = options.bundle.name
    const { environment, now, networkAddresses } = options
    this.#world = { environment, now, networkAddresses }
    this.#digestKey = options.digestKey
    const errors: unknown[] = []
    this.#units = options.bundle.files.flatMap(file => {
      try {
        return [new Rendering(unitOf(file, options))]
      } catch (error) {
        errors.push(error)
        return []
      }
    })
    if (errors.length > 0) throw new AggregateError(errors, `bundle ${options.bundle.name} cannot be rendered`)
  }

  /** One render against one view, from beginning to end in one turn. */
  render(view: View): Rendered {
    let renders = 0
    let asksOtherwise = false
    for (const unit of this.#units) {
      const before = unit.answers
      if (!unit.refresh(view, this.#world)) continue
      renders++
      asksOtherwise ||= !unit.answers.asksAs(before)
    }
    if (asksOtherwise) {
      this.#wanted = union(this.#units.map(unit => unit.answers.wanted))
      this.#missing = union(this.#units.map(unit => unit.answers.missing))
    }
    const [wanted, missing] = [this.#wanted, this.#missing]
    // While anything is missing, an error may come from that very gap: it is not an error yet.
    if (missing.length > 0) return { kind: 'incomplete', wanted, missing }
    const problem = this.#units.find(unit => unit.problem !== undefined)?.problem
    if (problem !== undefined) return { kind: 'broken', wanted, problem }
    if (renders > 0 || this.#newest === undefined) {
      const assembled = assemble(
        this.#bundle,
        this.#units.map(({ unit, files }) => ({ title: unit.title, files })),
        this.#digestKey,
      )
      if ('problem' in assembled) return { kind: 'broken', wanted, problem: assembled.problem }
      this.#newest = assembled.contents
    }
    return { kind: 'complete', wanted, contents: this.#newest, renders }
  }
}

function unitOf(file: FileOptions, options: RendererOptions): Unit {
  return file.source.kind === 'template' ? templateUnit(file, options) : treeUnit(file, options)
}

/** A unit and what its last evaluation gave. */
class Rendering {
  readonly unit: Unit
  answers = new Answers([])
  files: readonly OutputFile[] = []
  problem: Problem | undefined
  #evaluated = false
  #whole: ReadonlyMap<DependencyId, Dependency> = new Map()

  constructor(unit: Unit) {
    this.unit = unit
  }

  /** Evaluates the unit unless it would give the same again; tells whether it did. */
  refresh(view: View, world: Environment): boolean {
    if (this.#evaluated && this.answers.stillTrue(view)) return false
    const questioning = new Questioning(view)
    this.problem = undefined
    try {
      this.files = this.unit.evaluate({ questioning, ...world })
    } catch (error) {
      this.problem = problemOf(this.unit, error)
    }
    this.answers = questioning.answers
    // A render that broke off has not asked for all it needs: what the last whole one asked for stays wanted, or each error
    // would end watches that the next success starts again.
    if (this.problem === undefined) this.#whole = this.answers.wanted
    else this.answers = this.answers.alsoWanting(this.#whole)
    this.#evaluated = true
    return true
  }
}

function problemOf(unit: Unit, error: unknown): Problem {
  const hint = error instanceof TemplateError ? error.hint : undefined
  const message = error instanceof TemplateError ? error.message : `${unit.title}: ${messageOf(error)}`
  return hint === undefined ? { message } : { message, hint }
}

function union(sets: readonly ReadonlyMap<DependencyId, Dependency>[]): readonly Dependency[] {
  const all = new Map<DependencyId, Dependency>()
  for (const set of sets) for (const [id, dependency] of set) all.set(id, dependency)
  return [...all.values()]
}
