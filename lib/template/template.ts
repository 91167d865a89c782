import type { Value } from '../base/value.ts'
import type { FunctionTable } from './function.ts'

export { TemplateError, type TemplateErrorCode } from './error.ts'
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

/** How much one execution may use. What is over ends it with a `TemplateError` of code `bound`. */
export interface Bounds {
  /** @default 64 MiB */
  readonly outputBytesMax?: number
  /** Nodes evaluated and turns of ranges. @default 10 million */
  readonly stepsMax?: number
  /** Templates within templates. @default 1_000 */
  readonly depthMax?: number
}

/** A parsed template; it may be executed any number of times. */
export interface Template<Context> {
  readonly name: string
  /** The output for `dot`. Throws a `TemplateError`; an error that a function threw is its `cause`. */
  execute(dot: Value, context: Context, bounds?: Bounds): string
}

/** Parses a text in the language of Go's text/template (of Go 1.26). Throws a `TemplateError` of code `parse`. */
export function parseTemplate<Context>(options: TemplateOptions<Context>): Template<Context> {
  throw new Error(`not there yet: ${options.name}`)
}
