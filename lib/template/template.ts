import { nearest } from '../base/nearest.ts'
import type { Value } from '../base/value.ts'
import { builtinNames } from './builtins.ts'
import { compileAll, perform } from './compile.ts'
import { copyOf } from './copy.ts'
import { excessOf, Execution, type Bounds, type CompiledTemplate, type Source } from './execution.ts'
import type { FunctionTable } from './function.ts'
import { plain, type Instrument } from './instrument.ts'
import { parse, type TemplateSet } from './parser.ts'

export { TemplateError } from './error.ts'
export type { Bounds } from './execution.ts'
export {
  pending,
  unavailableFunction,
  type FunctionTable,
  type ParameterKind,
  type Pending,
  type TemplateFunction,
  type Unavailable,
} from './function.ts'

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
  const { name } = options
  const { source, main } = compileText(options, () => plain)
  return {
    name,
    execute: (dot, context, bounds = {}) => executeWithin(new Execution(source, main, context, bounds), main, dot),
  }
}

/** Parses a text and compiles all templates in it; `instrument` is given what they are made of. */
export function compileText(
  options: ParseOptions,
  instrument: (set: TemplateSet) => Instrument,
): { readonly source: Source; readonly main: CompiledTemplate } {
  const { name, text, functions, missingKey = 'error', showValues = false } = options
  const { set, changesMaps } = parseSet(options)
  // Each function gets back the context that its table was made for.
  const templates = compileAll(set, functions, instrument(set))
  const main = templates.get(name) as CompiledTemplate
  return { source: { name, text, templates, missingKey, showValues, changesMaps }, main }
}

export type ParseOptions = Omit<TemplateOptions<never>, 'functions'> & { readonly functions: FunctionTable<never> }

/** Parses a text with the functions that it may call; tells whether one that it calls changes maps. */
export function parseSet({ name, text, functions, delims = ['{{', '}}'] }: ParseOptions): {
  readonly set: TemplateSet
  readonly changesMaps: boolean
} {
  let changesMaps = false
  const hasFunction = (word: string) => {
    const own = functions.get(word)
    changesMaps ||= own?.changesMaps === true
    return own !== undefined || builtinNames.has(word)
  }
  const unavailableFunction = (word: string) => functions.get(word)?.unavailable
  const nearFunction = (word: string) => {
    const available = [...functions.values()].filter(each => each.unavailable === undefined)
    return nearest(word, [...available.map(each => each.name), ...builtinNames])
  }
  const set = parse({ name, text, delims, hasFunction, unavailableFunction, nearFunction })
  return { set, changesMaps }
}

/** Executes a template, and gives its output. */
export function executeWithin(run: Execution, main: CompiledTemplate, dot: Value): string {
  return within(run, () => perform(run, main, (run.source.changesMaps ? copyOf(dot) : dot) ?? undefined))
}

/** Ends what is too much even for V8 as what is over a bound. */
export function within<T>(run: Execution, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const excess = excessOf(error)
    if (excess !== undefined) return run.exceed(excess, error)
    throw error
  } finally {
    run.end()
  }
}
