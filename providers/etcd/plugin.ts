import type { ProviderPlugin } from '../../lib/provider.ts'
import { etcdOptions, placeOf, type EtcdOptions } from './options.ts'
import { filesQuestion, keyQuestion, lsQuestion, treeQuestion } from './questions.ts'

/** Reads keys of etcd, and sees each change at once: `type: etcd`. */
export const etcd: ProviderPlugin<EtcdOptions> = {
  type: 'etcd',
  options: etcdOptions,
  reference: keyQuestion,
  tree: filesQuestion,
  functions: { etcdKey: keyQuestion, etcdLs: lsQuestion, etcdTree: treeQuestion },
  identity: (options, environment) => JSON.stringify(placeOf(options, environment)),
  async open(options, host) {
    const { EtcdProvider } = await import('./provider.ts')
    return EtcdProvider.open(options, host)
  },
}
