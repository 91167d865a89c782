import { Struct, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import { escapePath, type Ask } from './api.ts'
import {
  caRoot,
  catalogSnippet,
  compare,
  exportedService,
  flatEntry,
  healthService,
  importedService,
  itemsOf,
  jsonOf,
  leafCertificate,
  node,
  nodeService,
  partition,
  peering,
  text,
  type Json,
} from './shapes.ts'

/** How one kind of dependency is asked for, and what its answer comes to. */
export interface Part {
  ask(dependency: Dependency): Ask
  read(json: unknown, dependency: Dependency): Value
  /** Whether it is only ever read again, since it cannot be waited for. @default false */
  readonly isPolled?: boolean
  /** Whether it is hidden whatever the configuration says. @default false */
  readonly isSecret?: boolean
}

/** The parts of Consul beside its keys, by the kind of dependency. */
const parts: Readonly<Record<string, Part>> = {
  service: { ask: dependency => askHealth('service', dependency), read: readHealth },
  connect: { ask: dependency => askHealth('connect', dependency), read: readHealth },
  services: {
    ask: ({ params }) => ({ path: 'catalog/services', params }),
    read: json =>
      Object.entries(jsonOf(json))
        .map(([Name, Tags]) => ({ Name, Tags }))
        .toSorted(by('Name'))
        .map(catalogSnippet),
  },
  nodes: {
    ask: ({ params }) => ({ path: 'catalog/nodes', params }),
    read: (json, { params }) =>
      sortedUnlessNear(itemsOf(json).map(jsonOf), params.near, by('Node', 'Address')).map(node),
  },
  node: {
    ask: ({ path, params }) => ({ path: `catalog/node/${escapePath(path)}`, params }),
    read: readNode,
  },
  partitions: {
    ask: () => ({ path: 'partitions', params: {} }),
    read: json => itemsOf(json).map(jsonOf).toSorted(by('Name')).map(partition),
    isPolled: true,
  },
  peerings: {
    ask: ({ params }) => ({ path: 'peerings', params }),
    read: json =>
      itemsOf(json)
        .map(jsonOf)
        .toSorted(by('State', 'Partition', 'Name'))
        .map(peering),
  },
  'ca-roots': {
    ask: () => ({ path: 'agent/connect/ca/roots', params: {}, isOfAgent: true }),
    read: json => itemsOf(jsonOf(json).Roots).map(caRoot),
  },
  'ca-leaf': {
    ask: ({ path }) => ({ path: `agent/connect/ca/leaf/${escapePath(path)}`, params: {}, isOfAgent: true }),
    read: leafCertificate,
    isSecret: true,
  },
  'exported-services': {
    ask: ({ params }) => ({ path: 'exported-services', params }),
    read: json => itemsOf(json).map(jsonOf).toSorted(by('Service')).map(exportedService),
  },
  'imported-services': {
    ask: ({ params }) => ({ path: 'imported-services', params }),
    read: json => itemsOf(json).map(jsonOf).toSorted(by('Service')).map(importedService),
  },
}

/** Consul leaves out by itself what does not pass; any other choice is made here. */
function askHealth(kind: string, { path, params }: Dependency): Ask {
  const { filter, ...rest } = params
  return { path: `health/${kind}/${path}`, params: { ...rest, ...(filter === undefined ? { passing: '1' } : {}) } }
}

function readHealth(json: unknown, { params }: Dependency): Value {
  const states = (params.filter ?? 'passing').split(',')
  const entries = itemsOf(json)
    .map(flatEntry)
    .filter(({ Status }) => states.includes(Status as string) || states.includes('any'))
  return sortedUnlessNear(entries, params.near, by('Node', 'ID')).map(healthService)
}

/** As consul-template has it, a node that is not there has neither a node nor services. */
function readNode(json: unknown): Value {
  const { Node, Services } = jsonOf(json)
  const services = Object.values(jsonOf(Services)).map(jsonOf).toSorted(by('Service', 'ID')).map(nodeService)
  const fields: readonly (readonly [string, Value])[] = [
    ['Node', Node === undefined || Node === null ? null : node(Node)],
    ['Services', services],
  ]
  return new Struct('*dependency.CatalogNode', new Map(fields))
}

/** Consul sorts by round trip when it is asked for what is near. */
function sortedUnlessNear(
  items: readonly Json[],
  near: string | undefined,
  order: (a: Json, b: Json) => number,
): readonly Json[] {
  return near === undefined ? items.toSorted(order) : items
}

/** An order by one field after another. */
function by(...names: readonly string[]) {
  return (a: Json, b: Json): number => {
    for (const name of names) {
      const order = compare(text(a[name]) as string, text(b[name]) as string)
      if (order !== 0) return order
    }
    return 0
  }
}

export function partOf({ kind }: Dependency): Part {
  const part = parts[kind]
  if (part !== undefined) return part
  throw new ProviderError('unsupported', `a Consul provider has no ${kind}`)
}
