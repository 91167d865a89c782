import { randomBytes } from 'node:crypto'
import { v } from '../../lib/base/schema.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Provider, ProviderHost, ProviderPlugin, Question } from '../../lib/provider.ts'
import { absent, contentRevision, type Reading } from '../../lib/reading.ts'

export interface EnvOptions {
  /** Whether the values must not be seen in logs, diffs and status. @default false */
  readonly sensitive: boolean
}

/** `ref "NAME://HOME"`: the variable's value. */
const variable: Question = {
  ask(provider, args) {
    const [name] = args
    if (args.length !== 1 || typeof name !== 'string') throw new Error('want the name of one variable')
    if (name === '' || /[=\0]/.test(name)) throw new Error(`want the name of a variable, got ${JSON.stringify(name)}`)
    return { provider, kind: 'variable', path: name, params: {} }
  },
  answer({ value }) {
    if (typeof value !== 'string') throw new TypeError('a reading of a variable is a text')
    return value
  },
}

/** Reads our own environment, as it was at the start: `type: env`. */
export const env: ProviderPlugin<EnvOptions> = {
  type: 'env',
  options: v.strictObject({ sensitive: v.optional(v.boolean('true or false'), false) }),
  reference: variable,
  functions: {},
  isLocal: true,
  open: async (options, host) => new EnvProvider(options, host),
}

class EnvProvider implements Provider {
  readonly #sensitive: boolean
  readonly #host: ProviderHost
  /** Of this process alone: a revision is shown, and a short secret could be guessed from its plain hash. */
  readonly #revisionKey: Uint8Array | undefined

  constructor({ sensitive }: EnvOptions, host: ProviderHost) {
    this.#sensitive = sensitive
    this.#host = host
    this.#revisionKey = sensitive ? randomBytes(32) : undefined
  }

  /** Yields once: what cannot change is awaited until the end. */
  async *watch({ path }: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    signal.throwIfAborted()
    const { environment, clock } = this.#host
    const value = Object.hasOwn(environment, path) ? environment[path] : undefined
    const revision = value === undefined ? 'unset' : contentRevision(value, this.#revisionKey)
    yield { value: value ?? absent, revision, observedAtMs: clock.nowMs(), sensitive: this.#sensitive }
    await aborted(signal)
  }

  async close(): Promise<void> {}
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}
