import type { Dependency, DependencyId } from '../dependency.ts'
import { messageOf, OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import type { Problem } from '../outcome.ts'
import type { Environment } from '../template/functions/standard.ts'
import { TemplateError } from '../template/template.ts'
import type { Part } from './assemble.ts'
import { Answers, Questioning, type View } from './question.ts'
import type { Unit } from './unit.ts'

/** One entry under `files:`, and what its last evaluation gave. */
export interface Entry {
  /** Evaluates all of it that would not give the same again. */
  refresh(view: View, world: Environment): Refreshed
  readonly answers: readonly Answers[]
  readonly parts: readonly Part[]
  readonly problem: Problem | undefined
}

export interface Refreshed {
  /** How many units were evaluated. */
  readonly renders: number
  /** Whether something else is wanted or missing than before. */
  readonly asksOtherwise: boolean
}

/** An entry that is one unit. */
export class Single implements Entry {
  readonly #title: string
  readonly #rendering: Rendering<readonly OutputFile[]>

  constructor(unit: Unit) {
    this.#title = unit.title
    this.#rendering = new Rendering(unit)
  }

  refresh(view: View, world: Environment): Refreshed {
    return this.#rendering.refresh(view, world)
  }

  get answers(): readonly Answers[] {
    return [this.#rendering.answers]
  }

  get parts(): readonly Part[] {
    return [{ title: this.#title, files: this.#rendering.result ?? [] }]
  }

  get problem(): Problem | undefined {
    const { failure } = this.#rendering
    if (failure === undefined) return undefined
    const { error } = failure
    // Go's words name the template already.
    return error instanceof TemplateError ? problemOf(error) : problemOf(error, this.#title)
  }
}

/** A unit and what its last evaluation gave. */
export class Rendering<Result> {
  readonly #unit: Unit<Result>
  answers = new Answers([])
  /** Of the last evaluation that did not fail. */
  result: Result | undefined
  failure: { readonly error: unknown } | undefined
  /** How many steps the templates of the last evaluation took. */
  steps = 0
  #evaluated = false
  #whole: ReadonlyMap<DependencyId, Dependency> = new Map()

  constructor(unit: Unit<Result>) {
    this.#unit = unit
  }

  /** Evaluates the unit unless it would give the same again. */
  refresh(view: View, world: Environment): Refreshed {
    if (this.#evaluated && this.answers.stillTrue(view)) return NOTHING
    const before = this.answers
    const questioning = new Questioning(view)
    this.failure = undefined
    try {
      this.result = this.#unit.evaluate({ questioning, ...world })
    } catch (error) {
      this.failure = { error }
    }
    this.answers = questioning.answers
    this.steps = questioning.steps
    // A render that broke off has not asked for all it needs: what the last whole one asked for stays wanted, or each error
    // would end watches that the next success starts again.
    if (this.failure === undefined) this.#whole = this.answers.wanted
    else this.answers = this.answers.alsoWanting(this.#whole)
    this.#evaluated = true
    return { renders: 1, asksOtherwise: !this.answers.asksAs(before) }
  }
}

const NOTHING: Refreshed = { renders: 0, asksOtherwise: false }

/** What is wrong, for people. */
export function problemOf(error: unknown, title?: string): Problem {
  const hint = error instanceof OperationalError ? error.hint : undefined
  const message = title === undefined ? messageOf(error) : `${title}: ${messageOf(error)}`
  return hint === undefined ? { message } : { message, hint }
}
