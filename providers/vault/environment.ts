/** The environment as the `vault` and `bao` commands read it. */

export type Environment = Readonly<Record<string, string>>

export interface Variable {
  readonly name: string
  readonly text: string
}

/** OpenBao's own name goes first, as its command has it. An empty one counts as not set. */
export function variable(environment: Environment, name: string): Variable | undefined {
  for (const full of [`BAO_${name}`, `VAULT_${name}`]) {
    const text = environment[full]
    if (text !== undefined && text !== '') return { name: full, text }
  }
  return undefined
}

/** The variable that has the server's address, of an agent first. */
export function addressVariable(environment: Environment): Variable | undefined {
  return variable(environment, 'AGENT_ADDR') ?? variable(environment, 'ADDR')
}
