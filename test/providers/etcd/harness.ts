import { onTestFinished } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import type { Provider, ProviderHost, Question } from '../../../lib/provider.ts'
import { etcd } from '../../../providers/etcd/plugin.ts'
import { EtcdServer, type EtcdServerOptions } from '../../support/etcd-server.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { Watching } from '../workbench.ts'

/** A real etcd with its data in memory, gone when the test is over. */
export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const server = await EtcdServer.start(scratch({ inMemory: true }), options)
  onTestFinished(() => server.kill())
  return server
}

/** A provider, and what the tests do with it. */
export class EtcdBench {
  readonly provider: Provider
  readonly logged: readonly string[]

  private constructor(provider: Provider, logged: readonly string[]) {
    this.provider = provider
    this.logged = logged
  }

  /** @param options as the configuration gives them */
  static async open(options: Readonly<Record<string, unknown>>, overrides: Partial<ProviderHost> = {}) {
    const { host, logged } = providerHost(scratch(), overrides)
    const provider = await etcd.open(v.parse(etcd.options, options), host)
    onTestFinished(() => provider.close())
    return new EtcdBench(provider, logged)
  }

  key(path: string): Watching {
    return this.watch(etcd.reference, path)
  }

  prefix(path: string, options = {}): Watching {
    return this.watch(question('etcdTree'), path, options)
  }

  /** As the store does, begins anew after an error unless told otherwise. */
  watch(asked: Question, path: string, { restart = true }: { readonly restart?: boolean } = {}): Watching {
    return new Watching(this.provider, asked.ask('mine', [path]), restart)
  }

  /** Why a first reading fails. */
  async failure(path: string): Promise<unknown> {
    const controller = new AbortController()
    try {
      for await (const _reading of this.provider.watch(etcd.reference.ask('mine', [path]), controller.signal)) break
    } catch (error) {
      return error
    }
    throw new Error('the read did not fail')
  }
}

export function question(name: string): Question {
  const found = etcd.functions[name]
  if (found === undefined) throw new Error(`there is no function ${name}`)
  return found
}
