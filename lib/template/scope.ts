import type { Boxing } from './boxing.ts'

/** A variable of a template, while it is compiled. */
export interface Variable {
  readonly name: string
  readonly slot: number
  /** The slot that tells how Go holds its value: as an interface, once a range has set it. */
  readonly boxing: number
}

/** The variables of one template: each gets a slot of its own, so that nothing is looked up by name when it executes. */
export class Scope {
  /** How many slots the template needs. */
  slots = 0
  /** How Go holds the dot of where the compiler is. */
  dotBoxing: Boxing = false
  readonly #variables: Variable[] = []

  constructor() {
    this.declare('$')
  }

  declare(name: string): Variable {
    const variable = { name, slot: this.slots++, boxing: this.slots++ }
    this.#variables.push(variable)
    return variable
  }

  /** The variable last declared under a name. There may be none: parsing does not see whether a branch is taken. */
  find(name: string): Variable | undefined {
    return this.#variables.findLast(variable => variable.name === name)
  }

  /** The variable declared just before another. */
  before(variable: Variable): Variable {
    return this.#variables[this.#variables.indexOf(variable) - 1] as Variable
  }

  /** A slot without a name. */
  reserve(): number {
    return this.slots++
  }

  /** Compiles something whose variables end with it. */
  within<T>(compile: () => T): T {
    const declared = this.#variables.length
    const { dotBoxing } = this
    const result = compile()
    this.#variables.length = declared
    this.dotBoxing = dotBoxing
    return result
  }
}
