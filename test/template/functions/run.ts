import type { Value } from '../../../lib/base/value.ts'
import { standardFunctions, type Environment } from '../../../lib/template/functions/standard.ts'
import {
  parseTemplate,
  pending,
  TemplateError,
  type Bounds,
  type FunctionTable,
} from '../../../lib/template/template.ts'

/** Nothing of the world. */
export const nowhere: Environment = { environment: {}, now: () => 0, networkAddresses: () => [] }

/** The standard functions and `awaited`, which has no answer yet. */
export const functions: FunctionTable<Environment> = new Map([
  ...standardFunctions<Environment>(),
  ['awaited', { name: 'awaited', signature: 'awaited', parameters: [], call: () => pending }],
])

/** The output of a template. */
export function run(text: string, dot: Value = null, world: Partial<Environment> = {}, bounds: Bounds = {}): string {
  return parseTemplate({ name: 't', text, functions }).execute(dot, { ...nowhere, ...world }, bounds)
}

/** The error that a template ends with. */
export function failureOf(text: string, dot: Value = null, bounds: Bounds = {}): TemplateError {
  try {
    run(text, dot, {}, bounds)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error(`${text} executes`)
}
