import type { TemplateFunction } from '../function.ts'

export const templateFunctions: readonly TemplateFunction<unknown>[] = [
  {
    name: 'executeTemplate',
    signature: 'executeTemplate NAME [DOT]',
    parameters: ['string'],
    variadic: 'any',
    call(_, [name, ...data], execution) {
      if (data.length > 1) {
        const count = data.length + 1
        throw new Error(`executeTemplate: wrong number of arguments, expected 1 or 2, but got ${count}`)
      }
      return execution.execute(name as string, data[0] ?? null)
    },
  },
]
