import type { TemplateFunction } from '../function.ts'

/** What the functions on the environment need of the world. */
export interface Environment {
  /** What `env` reads. */
  readonly environment: Readonly<Record<string, string>>
}

export const environmentFunctions: readonly TemplateFunction<Environment>[] = [
  {
    name: 'env',
    signature: 'env NAME',
    parameters: ['string'],
    call: ({ environment }, [name]) => variable(environment, name as string) ?? '',
  },
  {
    name: 'mustEnv',
    signature: 'mustEnv NAME',
    parameters: ['string'],
    call({ environment }, [name]) {
      const value = variable(environment, name as string) ?? ''
      if (value === '') throw new Error(`required environment variable ${name as string} is empty`)
      return value
    },
  },
  {
    name: 'envOrDefault',
    signature: 'envOrDefault NAME DEFAULT',
    parameters: ['string', 'string'],
    call: ({ environment }, [name, otherwise]) => variable(environment, name as string) ?? (otherwise as string),
  },
]

function variable(environment: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined
}
