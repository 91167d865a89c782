import type { Value } from '../base/value.ts'

/** "Not there yet": what a function gives whose answer is awaited. It prints as nothing, is false, is ranged over neither with
 *  the body nor with `else`, and yields itself on field access, as an operand of a builtin and as an argument: a function
 *  that would be given it is not called. So one execution asks as many questions as it can, and its output means nothing. */
export const pending: unique symbol = Symbol('pending')
export type Pending = typeof pending

/** How many steps a function that makes keys or hashes counts for each millisecond that it takes: so the bound on steps, ten
 *  million, is five seconds of it. */
export const STEPS_PER_MS = 2_000

/** The functions that a template may call, by name. One that has the name of a builtin replaces it. */
export type FunctionTable<Context> = ReadonlyMap<string, TemplateFunction<Context>>

/** A function as Go would declare it: so many fixed parameters, then maybe any number of further ones of one kind. The
 *  evaluator checks number and kinds of the arguments, with Go's words, before it calls. */
export interface TemplateFunction<Context> {
  readonly name: string
  /** For people: `join SEPARATOR LIST`. */
  readonly signature: string
  readonly parameters: readonly ParameterKind[]
  /** The kind of the arguments after the fixed ones. @default there may be none */
  readonly variadic?: ParameterKind
  /** Whether it changes maps that it is given. @default false */
  readonly changesMaps?: boolean
  /** Whether what it gives belongs to others: a template that may change maps gets a copy. @default false */
  readonly givesShared?: boolean
  /** Whether what it gives is used up by ranging over it. @default false */
  readonly givesChannel?: boolean
  /** How many steps of the bound a call is, where it takes longer than most: `STEPS_PER_MS` of them for each millisecond.
   *  @default 10, and what its arguments and its result weigh */
  readonly steps?: (args: readonly Value[]) => number
  /** Why no template may call it, where that is so: a template that names it does not parse. @default it may be called */
  readonly unavailable?: Unavailable
  /** Throws a plain Error whose message does not name the function: the evaluator does. Never `pending` in `args`. */
  call(context: Context, args: readonly Value[], execution: Executing): Value | Pending
}

/** What a template's author is told of a function that is not there. */
export interface Unavailable {
  readonly reason: string
  /** The next step. */
  readonly hint: string
}

/** A function that is in a table only to say why it cannot be called. */
export function unavailableFunction(name: string, unavailable: Unavailable): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} …`,
    parameters: [],
    variadic: 'any',
    unavailable,
    call() {
      throw new TypeError('a template that names it does not parse')
    },
  }
}

/** What a function may ask of the execution that calls it: one object for all calls of one execution. */
export interface Executing {
  /** What another template of the same set prints for `dot`; pending while an answer is awaited for it. Throws an Error, also
   *  when there is no such template. */
  execute(template: string, dot: Value): string | Pending
  /** A value for an error's message, as the verb prints it; its type, unless errors may show values. */
  quoted(value: Value, verb?: 'v' | 's' | 'q'): string
  /** Whether errors may show values. */
  readonly showsValues: boolean
  /** Counts characters or items that a function goes through beside those of its arguments and its result, so that the
   *  bound on steps holds for them. */
  weigh(pieces: number): void
}

/** What an argument must be: `any` is every value and nil; the others are Go's `string`, `bool`, `int`, `float64`,
 *  `[]interface {}` and `map[string]interface {}`, and after `struct` any other type by its name. Only constants convert, as in Go: `1` is a good `float`, `.one` is not. */
export type ParameterKind = 'any' | 'string' | 'bool' | 'int' | 'float' | 'list' | 'map' | `struct ${string}`
