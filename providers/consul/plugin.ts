import type { ProviderPlugin } from '../../lib/provider.ts'
import {
  caLeaf,
  caRoots,
  connect,
  datacenters,
  exportedServices,
  importedServices,
  node,
  nodes,
  partitions,
  peerings,
  service,
  services,
} from './catalog-questions.ts'
import {
  filesQuestion,
  key,
  keyExists,
  keyExistsGet,
  keyOrDefault,
  ls,
  referenceQuestion,
  safeLs,
  safeTree,
  tree,
} from './kv-questions.ts'
import { consulOptions, type ConsulOptions } from './options.ts'
import { placeOf } from './settings.ts'

/** Reads the keys, the catalog and the mesh of Consul, and sees each change at once: `type: consul`. */
export const consul: ProviderPlugin<ConsulOptions> = {
  type: 'consul',
  options: consulOptions,
  reference: referenceQuestion,
  tree: filesQuestion,
  functions: {
    key,
    keyExists,
    keyExistsGet,
    keyOrDefault,
    ls,
    safeLs,
    tree,
    safeTree,
    service,
    services,
    connect,
    node,
    nodes,
    datacenters,
    partitions,
    peerings,
    caRoots,
    caLeaf,
    exportedServices,
    importedServices,
  },
  identity: (options, environment) => JSON.stringify(placeOf(options, environment)),
  async open(options, host) {
    const { ConsulProvider } = await import('./provider.ts')
    return ConsulProvider.open(options, host)
  },
}
