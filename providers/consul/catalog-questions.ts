import type { Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Question } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { NOTHING } from './kv-questions.ts'
import {
  filterOf,
  nodeForm,
  nodesForm,
  only,
  partsOf,
  peeringsForm,
  serviceForm,
  servicesForm,
  type Form,
  type Params,
} from './names.ts'

/** `service "tag.name?…@dc~near|filter" ["filter"]`: the instances of a service, those that pass where nothing else is said. */
export const service: Question = { ask: (provider, args) => askHealth(provider, 'service', args), answer: listOf }

/** `connect "…"`: the same of what is to be reached through the mesh. */
export const connect: Question = { ask: (provider, args) => askHealth(provider, 'connect', args), answer: listOf }

/** `services ["?…@dc"]`: the names of all services, with their tags. */
export const services: Question = named('services', servicesForm, ['dc', 'ns', 'partition'])

/** `nodes ["?…@dc~near"]`: all nodes. */
export const nodes: Question = named('nodes', nodesForm, ['dc', 'near', 'ns', 'partition'])

/** `peerings ["?partition=…"]`: the peerings of a partition. */
export const peerings: Question = named('peerings', peeringsForm, ['partition'])

/** `node ["name?…@dc"]`: a node and its services; without a name, that of the agent. */
export const node: Question = {
  ask(provider, args) {
    const text = joined(args)
    const { name = '', ...parts } = text === '' ? {} : partsOf(text, nodeForm)
    return { provider, kind: 'node', path: name, params: only(parts, 'dc', 'ns', 'partition') }
  },
  answer: structOf,
}

/** `datacenters [true]`: the names of all datacenters; with true, of those that answer. */
export const datacenters: Question = {
  ask(provider, args) {
    const [ignoreFailing = false] = args
    if (args.length > 1 || typeof ignoreFailing !== 'boolean') throw new Error('want true, false or nothing')
    return { provider, kind: 'datacenters', path: '', params: ignoreFailing ? { failing: 'ignored' } : {} }
  },
  answer: listOf,
}

/** `partitions`: the partitions there are. */
export const partitions: Question = { ask: (provider, args) => plain(provider, 'partitions', args), answer: listOf }

/** `caRoots`: the roots of the mesh's authority. */
export const caRoots: Question = { ask: (provider, args) => plain(provider, 'ca-roots', args), answer: listOf }

/** `caLeaf "service"`: a certificate of the mesh for a service, with its key. */
export const caLeaf: Question = {
  ask(provider, args) {
    const [path] = args
    if (args.length !== 1 || typeof path !== 'string') throw new Error('want the name of a service')
    return path === '' ? nothing(provider) : { provider, kind: 'ca-leaf', path, params: {} }
  },
  answer: structOf,
}

/** `exportedServices ["partition"]`: what a partition lets others use. */
export const exportedServices: Question = {
  ask(provider, args) {
    if (args.length > 1) throw new Error('want one partition, or none')
    return ofPartition(provider, 'exported-services', joined(args))
  },
  answer: listOf,
}

/** `importedServices "partition"`: what others let a partition use. */
export const importedServices: Question = {
  ask(provider, args) {
    const [partition] = args
    if (args.length !== 1 || typeof partition !== 'string' || partition === '') throw new Error('want one partition')
    return ofPartition(provider, 'imported-services', partition)
  },
  answer: listOf,
}

function named(kind: string, form: Form, params: readonly string[]): Question {
  return {
    ask: (provider, args) => ({ provider, kind, path: '', params: only(partsOf(joined(args), form), ...params) }),
    answer: listOf,
  }
}

function askHealth(provider: string, kind: string, args: readonly Value[]): Dependency {
  if (args.length === 0) throw new Error('want the name of a service')
  const text = joined(args, '|')
  if (args[0] === '') return nothing(provider)
  const { name = '', filter, ...parts } = partsOf(text, serviceForm)
  if (parts.peer !== undefined && parts['sameness-group'] !== undefined) {
    throw new Error('want a peer or a sameness-group, not both')
  }
  const states = filterOf(filter)
  const params: Params = {
    ...only(parts, 'tag', 'dc', 'near', 'ns', 'partition', 'peer', 'sameness-group'),
    ...(states === 'passing' ? {} : { filter: states }),
  }
  return { provider, kind, path: name, params }
}

function ofPartition(provider: string, kind: string, partition: string): Dependency {
  if (!/^[\w.-]*$/.test(partition)) throw new Error('want the name of a partition')
  return { provider, kind, path: '', params: partition === '' ? {} : { partition } }
}

function plain(provider: string, kind: string, args: readonly Value[]): Dependency {
  if (args.length > 0) throw new Error('want nothing after it')
  return { provider, kind, path: '', params: {} }
}

function nothing(provider: string): Dependency {
  return { provider, kind: NOTHING, path: '', params: {} }
}

/** As consul-template has it, several arguments are one. */
function joined(args: readonly Value[], separator = ''): string {
  if (!args.every(arg => typeof arg === 'string')) throw new Error('want text')
  return args.join(separator)
}

function listOf({ value }: Reading): Value {
  if (value === null) return []
  if (!Array.isArray(value)) throw new TypeError('a reading of the catalog is a list')
  return value as readonly Value[]
}

function structOf({ value }: Reading): Value {
  if (value === absent) throw new TypeError('a reading of a node or certificate is there')
  return value as Value
}
