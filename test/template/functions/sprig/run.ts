import { toValue } from '../../../../lib/base/value.ts'
import type { TemplateFunction } from '../../../../lib/template/function.ts'
import { standardFunctions, type Environment } from '../../../../lib/template/functions/standard.ts'
import { parseTemplate, TemplateError, type Bounds } from '../../../../lib/template/template.ts'

export interface Run {
  readonly dot?: unknown
  /** Milliseconds since 1970. @default 0 */
  readonly now?: number
  /** Beside the standard ones. */
  readonly functions?: readonly TemplateFunction<unknown>[]
  readonly bounds?: Bounds
}

/** What a template with the standard functions prints. */
export function run(text: string, { dot = null, now = 0, functions = [], bounds = {} }: Run = {}): string {
  const table = new Map([...standardFunctions<Environment>(), ...functions.map(each => [each.name, each] as const)])
  const template = parseTemplate({ name: 't', text, functions: table, missingKey: 'zero' })
  return template.execute(toValue(dot), { environment: {}, now: () => now, networkAddresses: () => [] }, bounds)
}

export function failureOf(text: string, options?: Run): TemplateError {
  try {
    run(text, options)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error(`${text} executes`)
}
