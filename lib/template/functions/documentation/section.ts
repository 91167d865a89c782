/** Functions that belong together. */
export interface Section {
  readonly title: string
  /** What is to be said of all of them. */
  readonly introduction?: string
  readonly functions: readonly Documented[]
}

/** What people are told of a function. It stands beside the table, not in it: a program that runs templates needs none of it. */
export interface Documented {
  /** The function's name, and others that mean the same. */
  readonly names: readonly string[]
  /** A sentence that says what it gives. */
  readonly summary: string
  /** An example, and what it gives; see `exampleWorld` and `exampleDot`. */
  readonly template: string
  readonly output: string
}

/** `names` are separated by blanks. */
export function about(names: string, summary: string, template: string, output: string): Documented {
  return { names: names.split(' '), summary, template, output }
}
