/** The engines of the double. */
import { randomBytes } from 'node:crypto'
import { parseDurationMs } from '../../lib/base/duration.ts'
import { issue, newAuthority, type Authority } from './vault-double-pki.ts'
import type { Json } from './vault-server.ts'

export interface Call {
  readonly operation: 'read' | 'list' | 'write' | 'delete'
  /** Below the mount. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Json
}

export interface Answer {
  readonly status: number
  readonly body?: Json
  readonly lease?: {
    readonly seconds: number
    readonly renewable: boolean
    readonly maxSeconds?: number
    readonly end?: () => void
  }
}

export interface Engine {
  readonly type: string
  readonly options: Json
  answer(call: Call): Answer | Promise<Answer>
}

export const engines = {
  kv: (options: Json): Engine => (String(options?.version ?? '1') === '2' ? new VersionedKv() : new Kv()),
  transit: (): Engine => new Transit(),
  pki: (): Engine => new Pki(),
  rabbitmq: (): Engine => new RabbitMq(),
  /** No engine of theirs: each read mints something with a lease, as those for databases do. */
  leased: (options: Json): Engine => new Leased(options),
}

/** Whole seconds, or a duration. */
export function secondsOf(text: string | number): number {
  const ms = /^\d+$/.test(String(text)) ? Number(text) * 1_000 : parseDurationMs(String(text))
  if (ms === undefined) throw new Error(`not a duration: ${text}`)
  return ms / 1_000
}

const NOTHING: Answer = { status: 404, body: { errors: [] } }

function found(data: Json, more: Json = {}): Answer {
  const request_id = randomBytes(8).toString('hex')
  const body = {
    request_id,
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: null,
    auth: null,
  }
  return { status: 200, body: { ...body, ...more } }
}

function namesBelow(paths: Iterable<string>, path: string): Answer {
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const below = [...paths].filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length))
  const keys = [...new Set(below.map(name => name.replace(/\/.*$/s, '/')))].toSorted()
  return keys.length === 0 ? NOTHING : found({ keys })
}

class Kv implements Engine {
  readonly type = 'kv'
  readonly options = { version: '1' }
  readonly #values = new Map<string, Json>()

  answer({ operation, path, body }: Call): Answer {
    if (operation === 'list') return namesBelow(this.#values.keys(), path)
    if (operation === 'read') {
      const value = this.#values.get(path)
      return value === undefined ? NOTHING : found(value, { lease_duration: 2_764_800 })
    }
    if (operation === 'write') this.#values.set(path, body)
    else this.#values.delete(path)
    return { status: 204 }
  }
}

interface Version {
  readonly data: Json
  readonly created_time: string
  deletion_time: string
  destroyed: boolean
}

interface Versions {
  readonly list: Version[]
  custom: Json
  deleteAfterMs: number
  updatedTime: string
}

class VersionedKv implements Engine {
  readonly type = 'kv'
  readonly options = { version: '2' }
  readonly #secrets = new Map<string, Versions>()

  answer(call: Call): Answer {
    const [part = '', ...rest] = call.path.split('/')
    const path = rest.join('/')
    switch (part) {
      case 'data':
        return this.#data(call, path)
      case 'metadata':
        return this.#metadata(call, path)
      case 'delete':
      case 'undelete':
      case 'destroy':
        return this.#change(part, this.#secrets.get(path), call.body.versions as number[])
      default: {
        const warning = `Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use.`
        return { status: 404, body: { errors: [], warnings: [warning] } }
      }
    }
  }

  #data({ operation, query, body }: Call, path: string): Answer {
    const secret = this.#secrets.get(path)
    if (operation === 'write') return this.#write(path, body.data)
    if (operation === 'delete') {
      const last = secret?.list.at(-1)
      if (last !== undefined) last.deletion_time = now()
      return { status: 204 }
    }
    const wanted = Number(query.get('version') ?? '0')
    const number = wanted === 0 ? (secret?.list.length ?? 0) : wanted
    const version = secret?.list[number - 1]
    if (secret === undefined || version === undefined) return NOTHING
    const { created_time, deletion_time, destroyed } = version
    const metadata = { created_time, custom_metadata: secret.custom, deletion_time, destroyed, version: number }
    const isGone = destroyed || (deletion_time !== '' && Date.parse(deletion_time) <= Date.now())
    return { ...found({ data: isGone ? null : version.data, metadata }), status: isGone ? 404 : 200 }
  }

  #write(path: string, data: Json): Answer {
    const secret = this.#secrets.get(path) ?? { list: [], custom: null, deleteAfterMs: 0, updatedTime: now() }
    this.#secrets.set(path, secret)
    const deletion_time = secret.deleteAfterMs === 0 ? '' : new Date(Date.now() + secret.deleteAfterMs).toISOString()
    secret.list.push({ data, created_time: now(), deletion_time, destroyed: false })
    const { created_time } = secret.list.at(-1) as Version
    const number = secret.list.length
    return found({ created_time, custom_metadata: secret.custom, deletion_time, destroyed: false, version: number })
  }

  #metadata({ operation, body }: Call, path: string): Answer {
    if (operation === 'list') return namesBelow(this.#secrets.keys(), path)
    const secret = this.#secrets.get(path)
    if (operation === 'write') {
      const known = secret ?? { list: [], custom: null, deleteAfterMs: 0, updatedTime: now() }
      this.#secrets.set(path, known)
      known.custom = body.custom_metadata ?? known.custom
      known.deleteAfterMs = secondsOf(body.delete_version_after ?? '0s') * 1_000
      return { status: 204 }
    }
    if (operation === 'delete') {
      this.#secrets.delete(path)
      return { status: 204 }
    }
    if (secret === undefined) return NOTHING
    const versions = Object.fromEntries(
      secret.list.map(({ created_time, deletion_time, destroyed }, index) => [
        String(index + 1),
        { created_time, deletion_time, destroyed },
      ]),
    )
    return found({ current_version: secret.list.length, custom_metadata: secret.custom, versions, updated_time: now() })
  }

  #change(part: string, secret: Versions | undefined, numbers: readonly number[]): Answer {
    for (const number of numbers) {
      const version = secret?.list[number - 1]
      if (version === undefined) continue
      if (part === 'destroy') version.destroyed = true
      else version.deletion_time = part === 'delete' ? now() : ''
    }
    return { status: 204 }
  }
}

/** Times have nanoseconds, so that two are never the same. */
function now(): string {
  const nanoseconds = process.hrtime.bigint() % 1_000_000n
  return new Date().toISOString().replace('Z', `${String(nanoseconds).padStart(6, '0')}Z`)
}

class Transit implements Engine {
  readonly type = 'transit'
  readonly options = null

  answer({ path, body, operation }: Call): Answer {
    if (operation !== 'write')
      return { status: 405, body: { errors: ['1 error occurred:\n\t* unsupported operation\n\n'] } }
    if (path.startsWith('keys/')) return { status: 204 }
    const salt = randomBytes(8).toString('hex')
    if (path.startsWith('encrypt/')) {
      return found({ ciphertext: `vault:v1:${Buffer.from(salt + body.plaintext).toString('base64')}`, key_version: 1 })
    }
    const text = /^vault:v1:(.+)$/.exec(String(body.ciphertext))?.[1]
    if (text === undefined) return { status: 400, body: { errors: ['invalid ciphertext: no prefix'] } }
    return found({ plaintext: Buffer.from(text, 'base64').toString().slice(salt.length) })
  }
}

class Pki implements Engine {
  readonly type = 'pki'
  readonly options = null
  readonly #roles = new Map<string, Json>()
  #authority: Authority | undefined

  answer({ path, body }: Call): Answer {
    const [area, name = ''] = path.split('/')
    if (area === 'root') {
      this.#authority = newAuthority(body.common_name)
      return found({ certificate: this.#authority.certificate.trim() })
    }
    if (area === 'roles') {
      this.#roles.set(name, body)
      return { status: 204 }
    }
    const role = this.#roles.get(name)
    if (role === undefined) return { status: 400, body: { errors: [`unknown role: ${name}`] } }
    const seconds = secondsOf(body.ttl ?? '1h')
    const issued = issue(this.#authority as Authority, { names: [body.common_name], seconds })
    const ca = (this.#authority as Authority).certificate.trim()
    const data = {
      ca_chain: [ca],
      certificate: issued.certificate.trim(),
      expiration: issued.expiration,
      issuing_ca: ca,
      private_key: issued.key.trim(),
      private_key_type: 'ec',
      serial_number: issued.serial,
    }
    return role.generate_lease === true ? { ...found(data), lease: { seconds, renewable: false } } : found(data)
  }
}

class Leased implements Engine {
  readonly type = 'leased'
  readonly options: Json
  #minted = 0

  constructor(options: Json) {
    this.options = options
  }

  answer(): Answer {
    this.#minted++
    if (this.options?.rotation !== undefined) {
      return found({
        username: 'app',
        password: `password ${this.#minted}`,
        rotation_period: 60,
        ttl: this.options.rotation,
      })
    }
    const data = { username: `user-${this.#minted}`, password: randomBytes(6).toString('hex') }
    return { ...found(data), lease: { seconds: 60, renewable: true } }
  }
}

/** Makes users of RabbitMQ, over its HTTP API. */
class RabbitMq implements Engine {
  readonly type = 'rabbitmq'
  readonly options = null
  #url = ''
  #lease = { ttl: 3_600, max_ttl: 0 }

  async answer({ path, body }: Call): Promise<Answer> {
    const [area, name = ''] = path.split('/')
    if (area === 'config' && name === 'connection') this.#url = body.connection_uri
    if (area === 'config' && name === 'lease') this.#lease = body
    if (area !== 'creds') return { status: 204 }
    const username = `app-${randomBytes(6).toString('hex')}`
    const ask = (method: string) => fetch(`${this.#url}/api/users/${username}`, { method })
    await ask('PUT')
    const { ttl, max_ttl } = this.#lease
    const end = () => void ask('DELETE').catch(() => {})
    const lease = { seconds: ttl, renewable: true, end, ...(max_ttl === 0 ? {} : { maxSeconds: max_ttl }) }
    return { ...found({ username, password: randomBytes(6).toString('hex') }), lease }
  }
}
