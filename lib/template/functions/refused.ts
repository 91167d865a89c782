import type { TemplateFunction } from '../function.ts'

/** Names that consul-template has and that are not here on purpose: they are errors that say what to use instead. */
export const refusedFunctions: readonly TemplateFunction<unknown>[] = [
  refused('plugin', 'a template runs no programs; let a provider fetch what the plugin gave'),
  refused('writeToFile', 'a template writes no other files; give each its own entry under files:'),
  refused('file', 'a template reads no files by itself; configure a file provider and use ref "NAME://PATH"'),
]

function refused(name: string, reason: string): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} …`,
    parameters: [],
    variadic: 'any',
    call() {
      throw new Error(`not available: ${reason}`)
    },
  }
}
