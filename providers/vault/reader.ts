/** One reading of each kind of dependency. */
import { Struct } from '../../lib/base/value.ts'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { ProviderHost } from '../../lib/provider.ts'
import { absent, contentRevision, type Reading } from '../../lib/reading.ts'
import type { Answer } from './answer.ts'
import { certificateOf } from './certificate.ts'
import type { Answered, Client } from './client.ts'
import { Written } from './dependencies.ts'
import { failureOf, warningsOf } from './failure.ts'
import { withGrace } from './grace.ts'
import { metadataPathOf, pathIn, versionOfData, versionOfMetadata, whyNothing, type Version } from './kv.ts'
import type { Mount, Mounts } from './mounts.ts'
import { SECRET } from './questions.ts'
import { contentOf, dataOf, endOf, leaseOf, mapOf, secretOf, versionedSecretsIn } from './secret.ts'

/** A reading, and what the watch needs to know of where it is from. */
export interface Read {
  readonly reading: Reading
  /** Of a KV v2 secret: where its metadata is, and the version that was read. */
  readonly versioned?: { readonly metadataPath: string; readonly version: Version | undefined }
  /** Of a lease: the accessor of the token that it hangs on; empty where it hangs on none. */
  readonly holder?: string
}

/** A reading that was kept from before a restart, as it was read. */
export function recalled(reading: Reading): Read {
  const versioned = versionedIn(reading.cursor ?? '')
  return versioned === undefined ? { reading } : { reading, versioned }
}

/** It was sealed by us, so it is as it was written; but another version of the program may have written it. */
function versionedIn(cursor: string): Read['versioned'] {
  try {
    const versioned = JSON.parse(cursor) as Read['versioned']
    return typeof versioned?.metadataPath === 'string' ? versioned : undefined
  } catch {
    return undefined
  }
}

export class Reader {
  readonly #client: Client
  readonly #mounts: Mounts
  readonly #host: ProviderHost
  /** Revisions are shown; without the key a short secret could be guessed from its own. */
  readonly #revisionKey: Uint8Array

  constructor(client: Client, mounts: Mounts, host: ProviderHost, revisionKey: Uint8Array) {
    this.#revisionKey = revisionKey
    this.#client = client
    this.#mounts = mounts
    this.#host = host
  }

  /** Reads a secret. */
  async secret(dependency: Dependency, signal: AbortSignal): Promise<Read> {
    const { path, params, kind } = dependency
    const what = showDependency(dependency)
    const { namespace, ...query } = params
    const mount = await this.#mounts.find(what, path, this.#namespace(dependency), signal)
    const isVersioned = mount?.isVersioned === true
    const apiPath = isVersioned ? pathIn(mount, 'data', path, kind === 'api') : path
    const askedAtMs = this.#host.clock.nowMs()
    const mayMake = mount?.mayMake === true
    const ask = (cut: AbortSignal) =>
      this.#client.ask(what, { operation: 'read', path: apiPath, query, namespace, mayMake }, cut)
    const answer = await (mayMake ? withGrace(ask, this.#host.clock, signal) : ask(signal))
    const metadataPath = isVersioned ? metadataPathOf(mount, apiPath) : undefined
    if (metadataPath === undefined) {
      return { reading: this.#plain(answer, dependency, mount, askedAtMs), holder: this.#holderOf(answer) }
    }
    const version = versionOfData(answer)
    const versioned = { metadataPath, version }
    const cursor = JSON.stringify(versioned)
    return { reading: { ...this.#versioned(answer, version, cursor), cursor }, versioned }
  }

  /** The version of a KV v2 secret that there is now, in one small request. */
  async version(metadataPath: string, dependency: Dependency, signal: AbortSignal): Promise<Version | undefined> {
    const { namespace, version = '0' } = dependency.params
    const ask = { operation: 'read', path: metadataPath, namespace } as const
    return versionOfMetadata(await this.#client.ask(showDependency(dependency), ask, signal), Number(version))
  }

  /** Reads the names below a path. */
  async list(dependency: Dependency, signal: AbortSignal): Promise<Read> {
    const { path, params } = dependency
    const what = showDependency(dependency)
    const { namespace } = params
    const mount = await this.#mounts.find(what, path, this.#namespace(dependency), signal)
    const apiPath = mount?.isVersioned === true ? pathIn(mount, 'metadata', path, true) : path
    const answer = await this.#client.ask(what, { operation: 'list', path: apiPath, namespace }, signal)
    const names = mapOf(mapOf(answer.body)?.get('data'))?.get('keys')
    if (answer.status === 404 || names === undefined) return { reading: this.#absent(dependency, answer, mount) }
    if (!Array.isArray(names) || names.some(name => typeof name !== 'string')) {
      throw new ProviderError('invalid-data', `${what}: the answer is no list of names`)
    }
    const value = (names as readonly string[]).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    // Names are in each dependency below them, and so in logs.
    return { reading: { ...this.#reading(value, JSON.stringify(value)), sensitive: false } }
  }

  /** Writes, and reads what the server answers. */
  async write(dependency: Written, signal: AbortSignal): Promise<Read> {
    const nowMs = this.#host.clock.nowMs()
    const answer = await this.#written(dependency, signal)
    const secret = secretOf(answer.body)
    const value = struct({ Secret: secret, IsVersioned: false })
    const lease = leaseOf(secret, dependency.params.namespace, nowMs) ?? endOf(secret, nowMs)
    const reading = { ...this.#reading(value, contentOf(secret)), ...(lease === undefined ? {} : { lease }) }
    return { reading, holder: this.#holderOf(answer) }
  }

  /** Has a certificate issued. It has no lease of the server's, and ends all the same. */
  async certificate(dependency: Written, signal: AbortSignal): Promise<Read> {
    const what = showDependency(dependency)
    const nowMs = this.#host.clock.nowMs()
    const answer = await this.#written(dependency, signal)
    const secret = secretOf(answer.body)
    const { value, serial, startsAtMs, endsAtMs } = certificateOf(what, dataOf(secret))
    const lease = leaseOf(secret, dependency.params.namespace, nowMs) ?? {
      // A certificate that is replaced stays good until it ends: who revokes it must be allowed to, and few are.
      id: '',
      durationMs: endsAtMs - Math.max(startsAtMs, Math.min(nowMs, endsAtMs - 1)),
      renewable: false,
      endsAtMs,
    }
    return { reading: { ...this.#reading(value, serial), lease }, holder: this.#holderOf(answer) }
  }

  async #written(dependency: Written, signal: AbortSignal): Promise<Answered> {
    const { path, params } = dependency
    const { namespace } = params
    const what = showDependency(dependency)
    const fields = dependency.reveal()
    const mount = await this.#mounts.find(what, path, this.#namespace(dependency), signal)
    const isVersioned = mount?.isVersioned === true
    const apiPath = isVersioned ? pathIn(mount, 'data', path, true) : path
    const sent = isVersioned ? { data: fields } : fields
    const write = { operation: 'write', path: apiPath, fields: sent, namespace, mayMake: !isVersioned } as const
    const answer = await this.#client.ask(what, write, signal)
    if (answer.status === 404) throw failureOf(what, answer)
    return answer
  }

  /** A token that is an orphan hangs on nothing; every other one, and every lease, on the token that it was made with. */
  #holderOf(answer: Answered): string {
    const auth = mapOf(mapOf(answer.body)?.get('auth'))
    return auth?.get('orphan') === true ? '' : this.#client.accessorOf(answer)
  }

  #namespace({ params }: Dependency): string {
    return params.namespace ?? this.#client.settings.namespace
  }

  #plain(answer: Answer, dependency: Dependency, mount: Mount | undefined, askedAtMs: number): Reading {
    if (answer.status === 404 || answer.body === undefined) return this.#absent(dependency, answer, mount)
    const secret = secretOf(answer.body)
    const reading = this.#reading(struct({ Secret: secret, IsVersioned: false }), contentOf(secret))
    const lease = leaseOf(secret, dependency.params.namespace, askedAtMs)
    return lease === undefined ? reading : { ...reading, lease }
  }

  #versioned(answer: Answer, version: Version | undefined, cursor: string): Reading {
    const secret = secretOf(answer.body)
    const isThere = answer.status === 200 && mapOf(dataOf(secret).get('data')) !== undefined
    if (!isThere && version === undefined) return this.#nothing('absent')
    if (!isThere && version !== undefined) return this.#nothing(`absent-${version.number}`, whyNothing(version))
    // A version has one content for ever; where it was deleted and written anew from the first, it was made at another time.
    const content = version === undefined ? contentOf(secret) : cursor
    const reading = this.#reading(struct({ Secret: secret, IsVersioned: true }), content)
    const revision = `version ${version?.number ?? '?'}, ${reading.revision}`
    return { ...reading, revision, secrets: versionedSecretsIn(secret) }
  }

  #absent(dependency: Dependency, answer: Answer, mount: Mount | undefined): Reading {
    if (mount === undefined) return this.#nothing('absent', 'nothing is mounted there')
    // What a server says when we ask a KV v2 engine as if it were another: it has become one.
    if (warningsOf(answer.body).length > 0) this.#mounts.forget(mount, this.#namespace(dependency))
    return this.#nothing('absent')
  }

  #nothing(revision: string, why?: string): Reading {
    const observedAtMs = this.#host.clock.nowMs()
    return { value: absent, revision, observedAtMs, sensitive: true, ...(why === undefined ? {} : { why }) }
  }

  #reading(value: Reading['value'], content: string): Reading {
    const revision = contentRevision(content, this.#revisionKey)
    return { value, revision, observedAtMs: this.#host.clock.nowMs(), sensitive: true }
  }
}

function struct({ Secret, IsVersioned }: { readonly Secret: Struct; readonly IsVersioned: boolean }): Struct {
  return new Struct(SECRET, new Map<string, Struct | boolean>(Object.entries({ Secret, IsVersioned })))
}
