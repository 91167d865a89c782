import { onTestFinished } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import type { Struct, Value } from '../../../lib/base/value.ts'
import { dependencyId, type DependencyId } from '../../../lib/dependency.ts'
import type { Provider, ProviderHost, Question } from '../../../lib/provider.ts'
import { absent, type Reading } from '../../../lib/reading.ts'
import { renderFunctions, type Asker } from '../../../lib/render/functions.ts'
import { Questioning } from '../../../lib/render/question.ts'
import { parseTemplate } from '../../../lib/template/template.ts'
import { consul } from '../../../providers/consul/plugin.ts'
import { ConsulServer, type ConsulServerOptions } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { Watching } from '../workbench.ts'

/** A real Consul with its data in memory, gone when the test is over. */
export async function startConsul(options: ConsulServerOptions = {}): Promise<ConsulServer> {
  const server = await ConsulServer.start(scratch({ inMemory: true }), options)
  onTestFinished(() => server.kill())
  return server
}

/** A provider, and what the tests do with it. */
export class ConsulBench {
  readonly provider: Provider
  readonly logged: readonly string[]
  readonly #watchings = new Map<DependencyId, Watching>()

  private constructor(provider: Provider, logged: readonly string[]) {
    this.provider = provider
    this.logged = logged
  }

  /** @param options as the configuration gives them */
  static async open(options: Readonly<Record<string, unknown>>, overrides: Partial<ProviderHost> = {}) {
    const { host, logged } = providerHost(scratch(), overrides)
    const provider = await consul.open(v.parse(consul.options, options), host)
    onTestFinished(() => provider.close())
    return new ConsulBench(provider, logged)
  }

  /** As the store does, begins anew after an error unless told otherwise. */
  watch(name: string, ...args: readonly Value[]): Watching {
    return new Watching(this.provider, question(name).ask('mine', args), true)
  }

  /** Why a first reading fails. */
  async failure(name: string, ...args: readonly Value[]): Promise<unknown> {
    const controller = new AbortController()
    try {
      for await (const _reading of this.provider.watch(question(name).ask('mine', args), controller.signal)) break
    } catch (error) {
      return error
    }
    throw new Error('the read did not fail')
  }

  /** What a template comes to now. It is `undefined` while something is missing; watches that it needs are started, and stay. */
  render(text: string): string | undefined {
    const questioning = new Questioning({
      get: dependency => {
        const id = dependencyId(dependency)
        const known = this.#watchings.get(id)
        if (known === undefined) this.#watchings.set(id, new Watching(this.provider, dependency, true))
        return known?.readings.at(-1)
      },
    })
    const template = parseTemplate({ name: 'text', text, functions })
    const context = { questioning, environment: {}, now: () => 0, networkAddresses: () => [] }
    try {
      const output = template.execute(null, context)
      return questioning.answers.missing.size === 0 ? output : undefined
    } catch (error) {
      if (questioning.answers.missing.size === 0) throw error
      return undefined
    }
  }

  /** What it comes to once nothing is missing. */
  async rendered(text: string): Promise<string> {
    return await eventually(() => {
      const output = this.render(text)
      if (output === undefined) {
        const ends = [...this.#watchings.values()].flatMap(({ ends }) => ends)
        throw new Error(`something is missing in ${text}: ${String(ends[0])}`)
      }
      return output
    })
  }
}

const askers = new Map<string, Asker>([['mine', { name: 'mine', plugin: consul, isDefault: true }]])
const functions = renderFunctions(askers)

export function question(name: string): Question {
  const found = name === 'ref' ? consul.reference : name === 'files' ? consul.tree : consul.functions[name]
  if (found === undefined) throw new Error(`there is no function ${name}`)
  return found
}

/** The text in a reading of a key, or `absent`. */
export function textOf({ value }: Reading): unknown {
  return value === absent ? absent : (value as Struct).fields.get('Value')
}
