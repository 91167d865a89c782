import type { FunctionTable, TemplateFunction } from '../function.ts'
import { encodingFunctions } from './encoding.ts'
import { environmentFunctions, type Environment } from './environment.ts'
import { textFunctions } from './text.ts'

export type { Environment } from './environment.ts'

/** The functions beside Go's builtins that need no provider, with the names and argument orders of consul-template. */
export function standardFunctions<Context extends Environment>(): FunctionTable<Context> {
  const all: readonly TemplateFunction<Context>[] = [...textFunctions, ...encodingFunctions, ...environmentFunctions]
  return new Map(all.map(each => [each.name, each]))
}
