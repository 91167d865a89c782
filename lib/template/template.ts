import { nearest } from '../base/nearest.ts'
import type { Value } from '../base/value.ts'
import { builtinNames } from './builtins.ts'
import { compileAll, perform } from './compile.ts'
import { copyOf } from './copy.ts'
import { excessOf, Execution, type Bounds, type CompiledTemplate, type Source } from './execution.ts'
import type { FunctionTable } from './function.ts'
import { parse, type TemplateSet } from './parser.ts'

export { TemplateError } from './error.ts'
export type { Bounds } from './execution.ts'
export { pending, type FunctionTable, type ParameterKind, type Pending, type TemplateFunction } from './function.ts'

/** What makes a template. */
export interface TemplateOptions<Context> {
  /** Names the template in errors, a path say. */
  readonly name: string
  readonly text: string
  /** Beside Go's builtins. */
  readonly functions: FunctionTable<Context>
  /** @default ['{{', '}}'], also for one that is empty */
  readonly delims?: readonly [string, string]
  /** What a missing map key does: Go's option of that name. @default 'error' */
  readonly missingKey?: 'error' | 'default' | 'zero'
  /** Whether errors may quote values, as Go's do in a few places; else the type stands there, since a value may be a secret.
   *  @default false */
  readonly showValues?: boolean
}

/** A parsed template; it may be executed any number of times. */
export interface Template<Context> {
  readonly name: string
  /** The output for `dot`. Throws a `TemplateError`; an error that a function threw is its `cause`. */
  execute(dot: Value, context: Context, bounds?: Bounds): string
}

/** Parses a text in the language of Go's text/template (of Go 1.26). Throws a `TemplateError` of code `parse` or `bound`. */
export function parseTemplate<Context>(options: TemplateOptions<Context>): Template<Context> {
  const { name, text, functions, missingKey = 'error', showValues = false } = options
  const { set, changesMaps } = parseSet(options)
  // Each function gets back the context that its table was made for.
  const templates = compileAll(set, functions)
  const main = templates.get(name) as CompiledTemplate
  const source: Source = { name, text, templates, missingKey, showValues, changesMaps }
  return {
    name,
    execute(dot, context, bounds = {}) {
      const run = new Execution(source, main, context, bounds)
      return within(run, () => perform(run, main, (changesMaps ? copyOf(dot) : dot) ?? undefined))
    },
  }
}

/** Parses a text with the functions that it may call; tells whether one that it calls changes maps. */
export function parseSet<Context>({ name, text, functions, delims = ['{{', '}}'] }: TemplateOptions<Context>): {
  readonly set: TemplateSet
  readonly changesMaps: boolean
} {
  let changesMaps = false
  const hasFunction = (word: string) => {
    const own = functions.get(word)
    changesMaps ||= own?.changesMaps === true
    return own !== undefined || builtinNames.has(word)
  }
  const nearFunction = (word: string) => nearest(word, [...functions.keys(), ...builtinNames])
  const set = parse({ name, text, delims, hasFunction, nearFunction })
  return { set, changesMaps }
}

/** Ends what is too much even for V8 as what is over a bound. */
export function within<T>(run: Execution, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const excess = excessOf(error)
    if (excess !== undefined) return run.exceed(excess, error)
    throw error
  }
}
