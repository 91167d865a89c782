/** The paths and answers of KV v2. */
import type { Value } from '../../lib/base/value.ts'
import type { Answer } from './answer.ts'
import type { Mount } from './mounts.ts'
import { mapOf, numberOf, textOf, type Fields } from './secret.ts'

/** The API's path of what is asked for by its own: `kv/app` is `kv/data/app`.
 *  @param isApi whether the path may be the API's already, and then stays */
export function pathIn(mount: Mount, part: 'data' | 'metadata', path: string, isApi: boolean): string {
  const below = path.slice(mount.path.length + 1)
  if (isApi && /^(data|metadata|subkeys)(\/|$)/.test(below)) return path
  return below === '' ? `${mount.path}/${part}` : `${mount.path}/${part}/${below}`
}

/** The metadata's path that belongs to a path of data; undefined for any other. */
export function metadataPathOf(mount: Mount, apiPath: string): string | undefined {
  const prefix = `${mount.path}/data/`
  return apiPath.startsWith(prefix) ? `${mount.path}/metadata/${apiPath.slice(prefix.length)}` : undefined
}

/** What there is to know of one version of a secret, and what differs in every other state of it. */
export interface Version {
  readonly number: number
  readonly createdTime: string
  /** When it is deleted, or was; empty for never. */
  readonly deletionTime: string
  readonly isDestroyed: boolean
  readonly custom: string
}

/** The version in an answer of data, be there any data or not; undefined where there never was one. */
export function versionOfData({ body }: Answer): Version | undefined {
  const metadata = mapOf(mapOf(mapOf(body)?.get('data'))?.get('metadata'))
  return metadata === undefined ? undefined : versionOf(metadata, numberOf(metadata, 'version'), metadata)
}

/** The version in an answer of metadata.
 *  @param wanted its number; 0 for the newest */
export function versionOfMetadata({ body, status }: Answer, wanted: number): Version | undefined {
  const data = status === 200 ? mapOf(mapOf(body)?.get('data')) : undefined
  const number = wanted === 0 ? numberOf(data, 'current_version') : wanted
  const version = mapOf(mapOf(data?.get('versions'))?.get(String(number)))
  return data === undefined || version === undefined ? undefined : versionOf(version, number, data)
}

function versionOf(version: Fields, number: number, from: Fields): Version {
  return {
    number,
    createdTime: textOf(version, 'created_time'),
    deletionTime: textOf(version, 'deletion_time'),
    isDestroyed: version.get('destroyed') === true,
    custom: customOf(from.get('custom_metadata')),
  }
}

function customOf(custom: Value | undefined): string {
  return JSON.stringify([...(mapOf(custom) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Whether the time at which it is deleted has come. */
export function isDeleted({ deletionTime }: Version, nowMs: number): boolean {
  const atMs = Date.parse(deletionTime)
  return !Number.isNaN(atMs) && atMs <= nowMs
}

/** Why a version gives no data, for people. */
export function whyNothing({ number, isDestroyed }: Version): string {
  if (isDestroyed) return `version ${number} was destroyed`
  return `version ${number} was deleted`
}
