/** What can be asked of a Vault provider, as dependencies. */
import { createHmac, randomBytes } from 'node:crypto'
import type { Dependency } from '../../lib/dependency.ts'
import type { Asked } from './paths.ts'

/** - `secret`: a path without the `data/` of a KV v2 engine, which is put in where it belongs
 *  - `api`: the same, where the path may have it already, as consul-template takes it
 *  - `list`: the names below a path
 *  - `token`: the token that the provider itself asks with; its path is empty
 *  - `write`: what the server answers to fields that are written to a path
 *  - `certificate`: the same of a path that issues certificates */
type Kind = 'secret' | 'api' | 'list' | 'token' | 'write' | 'certificate'

export function reads(provider: string, kind: Exclude<Kind, Written['kind']>, asked: Asked): Dependency {
  return { provider, kind, ...asked }
}

/** A dependency that writes. What it writes may be secret, so it is carried where nobody sees it, and the dependency's params have
 *  the fields that are known to be none and a digest of the others. */
export class Written implements Dependency {
  readonly provider: string
  readonly kind: 'write' | 'certificate'
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly #fields: ReadonlyMap<string, string>

  constructor(provider: string, kind: 'write' | 'certificate', asked: Asked, fields: ReadonlyMap<string, string>) {
    this.provider = provider
    this.kind = kind
    this.path = asked.path
    this.params = { ...asked.params, ...shown(fields, digestKeys.get(provider) ?? digestKey) }
    this.#fields = fields
  }

  /** What is written. */
  reveal(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#fields)
  }
}

/** Fields of the engines' documentation that say what is wanted and hold no secret. */
const PLAIN: ReadonlySet<string> = new Set([
  'alt_names',
  'common_name',
  'exclude_cn_from_sans',
  'format',
  'ip_sans',
  'key_bits',
  'key_type',
  'not_after',
  'other_sans',
  'private_key_format',
  'remove_roots_from_chain',
  'role_arn',
  'ttl',
  'uri_sans',
  'user_ids',
])
const DIGEST = 'written'

/** A short secret could be guessed from its digest, and digests are shown: without the key no guess can be tried. Where nothing is kept
 *  the key is of this process; a provider that was opened has one of its own, by its name, with which a dependency stays the same after
 *  a restart, and so does its lease. */
const digestKey = randomBytes(32)
const digestKeys = new Map<string, Uint8Array>()

export function keyDigests(provider: string, key: Uint8Array): void {
  digestKeys.set(provider, key)
}

function shown(fields: ReadonlyMap<string, string>, key: Uint8Array): Readonly<Record<string, string>> {
  const sorted = [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const plain = sorted.filter(([name]) => PLAIN.has(name))
  const others = sorted.filter(([name]) => !PLAIN.has(name))
  if (others.length === 0) return Object.fromEntries(plain)
  const digest = createHmac('sha256', key).update(JSON.stringify(others)).digest('hex').slice(0, 16)
  return { ...Object.fromEntries(plain), [DIGEST]: digest }
}
