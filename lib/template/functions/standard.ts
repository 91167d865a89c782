import type { FunctionTable, TemplateFunction } from '../function.ts'

/** What the standard functions need of the world. */
export interface Environment {
  /** What `env` reads. */
  readonly environment: Readonly<Record<string, string>>
}

/** The functions beside Go's builtins that need no provider, with the names and argument orders of consul-template. */
export function standardFunctions<Context extends Environment>(): FunctionTable<Context> {
  const all: readonly TemplateFunction<Context>[] = []
  return new Map(all.map(each => [each.name, each]))
}
