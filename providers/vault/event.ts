/** What a Vault tells of changes as they are made: https://developer.hashicorp.com/vault/docs/concepts/events, and
 *  https://developer.hashicorp.com/vault/api-docs/system/events for how it is asked. */
import { parseJson } from '../../lib/base/json.ts'
import type { Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { mapOf, textOf } from './secret.ts'

/** What is subscribed to, of all types that KV engines have. */
export const SUBSCRIPTION = { path: 'sys/events/subscribe/kv*', query: { json: 'true' } } as const

/** A change in a KV engine. */
export interface VaultEvent {
  /** As the event names it, without slashes at its ends; undefined where it names none, as for the root. */
  readonly namespace: string | undefined
  /** Without a slash at its end. */
  readonly mount: string
  readonly isVersioned: boolean
  /** Of the secret, below the mount, without `data/`. */
  readonly name: string
}

/** An event in a message; undefined for one that changes nothing we ask for, or that is none. */
export function parseEvent(message: string): VaultEvent | undefined {
  const data = mapOf(mapOf(jsonIn(message))?.get('data'))
  const metadata = mapOf(mapOf(data?.get('event'))?.get('metadata'))
  const [, version] = /^kv-v([12])\//.exec(textOf(data, 'event_type')) ?? []
  const mount = trimmed(textOf(mapOf(data?.get('plugin_info')), 'mount_path'))
  const path = trimmed(textOf(metadata, 'data_path') || textOf(metadata, 'path'))
  const isAbout = mount !== '' && path.startsWith(`${mount}/`)
  if (version === undefined || !isAbout || textOf(metadata, 'modified') === 'false') return undefined
  const isVersioned = version === '2'
  const below = path.slice(mount.length + 1)
  const name = isVersioned ? /^(?:data|metadata|delete|undelete|destroy)\/(.+)$/s.exec(below)?.[1] : below
  if (name === undefined) return undefined
  const namespace = data?.has('namespace') === true ? trimmed(textOf(data, 'namespace')) : undefined
  return { namespace, mount, isVersioned, name }
}

/** What a dependency is found by; undefined for one that no event is about. Equal for those that ask for the same. */
export function subjectOf({ kind, path }: Pick<Dependency, 'kind' | 'path'>): string | undefined {
  return kind === 'secret' || kind === 'api' || kind === 'list' ? `${kind} ${path}` : undefined
}

/** The subjects that an event is about: the secret, however it is asked for (see `pathIn`), and the lists above it. */
export function subjectsOf({ mount, isVersioned, name }: VaultEvent): readonly string[] {
  const parts = name.split('/')
  const above = parts.map((_, count) => [mount, ...parts.slice(0, count)].join('/'))
  const lists = above.map(path => `list ${path}`)
  if (!isVersioned) return [`secret ${mount}/${name}`, `api ${mount}/${name}`, ...lists]
  return [
    `secret ${mount}/${name}`,
    ...['data', 'metadata', 'subkeys'].map(part => `api ${mount}/${part}/${name}`),
    // A name that starts as a part of the API does is asked for with `data/` before it.
    ...(/^(data|metadata|subkeys)\//.test(name) ? [] : [`api ${mount}/${name}`]),
    ...lists,
    ...above.map(path => `list ${mount}/metadata${path.slice(mount.length)}`),
  ]
}

function trimmed(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, '')
}

function jsonIn(text: string): Value | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
