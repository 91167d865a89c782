import type { FileOptions } from '../bundle.ts'
import type { Dependency, DependencyId } from '../dependency.ts'
import type { Contents } from '../generation.ts'
import type { Problem } from '../outcome.ts'
import type { Environment } from '../template/functions/standard.ts'
import { assemble } from './assemble.ts'
import { forEachUnit } from './for-each.ts'
import type { RendererOptions } from './options.ts'
import type { View } from './question.ts'
import { Single, type Entry } from './rendering.ts'
import { Several, type Listing } from './several.ts'
import { treeUnit } from './tree.ts'
import { fromUnit, templateUnit, type Unit } from './unit.ts'

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

/** Renders one bundle: each of its files from a template, a tree or a value, each again only when its own answers changed. */
export class Renderer {
  readonly #bundle: string
  readonly #entries: readonly Entry[]
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
    this.#entries = options.bundle.files.flatMap(file => {
      try {
        return [entryOf(file, options)]
      } catch (error) {
        errors.push(...(error instanceof AggregateError ? error.errors : [error]))
        return []
      }
    })
    if (errors.length > 0) throw new AggregateError(errors, `bundle ${options.bundle.name} cannot be rendered`)
  }

  /** One render against one view, from beginning to end in one turn. */
  render(view: View): Rendered {
    let renders = 0
    let asksOtherwise = false
    for (const entry of this.#entries) {
      const refreshed = entry.refresh(view, this.#world)
      renders += refreshed.renders
      asksOtherwise ||= refreshed.asksOtherwise
    }
    if (asksOtherwise) {
      const answers = this.#entries.flatMap(entry => entry.answers)
      this.#wanted = union(answers.map(({ wanted }) => wanted))
      this.#missing = union(answers.map(({ missing }) => missing))
    }
    const [wanted, missing] = [this.#wanted, this.#missing]
    // While anything is missing, an error may come from that very gap: it is not an error yet.
    if (missing.length > 0) return { kind: 'incomplete', wanted, missing }
    const problem = this.#entries.find(entry => entry.problem !== undefined)?.problem
    if (problem !== undefined) return { kind: 'broken', wanted, problem }
    if (renders > 0 || this.#newest === undefined) {
      // What was found wrong is not forgotten while nothing changes.
      this.#newest = undefined
      const parts = this.#entries.flatMap(entry => entry.parts)
      const assembled = assemble(this.#bundle, parts, this.#digestKey)
      if ('problem' in assembled) return { kind: 'broken', wanted, problem: assembled.problem }
      this.#newest = assembled.contents
    }
    return { kind: 'complete', wanted, contents: this.#newest, renders }
  }
}

function entryOf(file: FileOptions, options: RendererOptions): Entry {
  const listing = listingOf(file, options)
  return listing === undefined ? new Single(unitOf(file, options)) : new Several(listing)
}

/** What lists the outputs of an entry that may have many; undefined for an entry of one. */
export function listingOf(file: FileOptions, options: RendererOptions): Unit<Listing> | undefined {
  const { source } = file
  if (source.kind === 'tree') return treeUnit(file, options)
  return source.kind === 'template' && source.forEach !== undefined ? forEachUnit(file, options) : undefined
}

/** What gives the one output of an entry. */
export function unitOf(file: FileOptions, options: RendererOptions): Unit {
  return file.source.kind === 'from' ? fromUnit(file, options) : templateUnit(file, options)
}

function union(sets: readonly ReadonlyMap<DependencyId, Dependency>[]): readonly Dependency[] {
  const all = new Map<DependencyId, Dependency>()
  for (const set of sets) for (const [id, dependency] of set) all.set(id, dependency)
  return [...all.values()]
}
