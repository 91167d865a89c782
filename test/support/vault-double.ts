/** A double of Vault and OpenBao: as much of their API as the provider uses, in this process, with the same statuses and shapes. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auths, type Auth, type LoginCall } from './vault-double-auth.ts'
import { engines, secondsOf, type Answer, type Call, type Engine } from './vault-double-engines.ts'
import { VaultDoubleEvents } from './vault-double-events.ts'
import { certificateFor } from './vault-double-pki.ts'
import { tokenAnswer, Tokens, type Token } from './vault-double-tokens.ts'
import type { Json, VaultServer } from './vault-server.ts'

const ROOT = 'root'
const UNSEAL_KEY = 'an unseal key'

interface Lease {
  readonly id: string
  readonly durationMs: number
  readonly isRenewable: boolean
  /** When no renewal helps any more. */
  readonly endsAtMostMs: number
  /** With which it ends. */
  readonly token: string
  /** Ends what it is of. */
  readonly end: () => void
  endsAtMs: number
}

export interface Seen {
  readonly method: string
  readonly path: string
  /** Of the client's end of the connection. */
  readonly port: number | undefined
}

/** Something that answers in the server's place when it returns true. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

export class VaultDouble implements VaultServer {
  readonly name = 'the double'
  readonly rootToken = ROOT
  readonly unsealKey = UNSEAL_KEY
  readonly url: string
  readonly ca: string | undefined
  /** What was asked so far. */
  readonly seen: Seen[] = []
  fault: Fault | undefined
  /** What an older server says of a token that it does not know: the same as of one that may not. */
  isOld = false
  readonly tokens = new Tokens()
  readonly #auths = new Map<string, Auth>()
  readonly #leases = new Map<string, Lease>()
  readonly #policies = new Map<string, Json>()
  readonly #wrapped = new Map<string, Json>()
  readonly #mounts = new Map<string, Engine>()
  readonly #cubbyholes = new Map<string, Engine>()
  readonly #namespaces = new Set<string>()
  /** What is told of changes, when a test asks for it. */
  readonly events = new VaultDoubleEvents()
  readonly #stop: () => Promise<void>
  #isSealed = false
  #quota: { readonly rate: number; readonly intervalMs: number; sinceMs: number; used: number } | undefined

  private constructor(url: string, ca: string | undefined, stop: () => Promise<void>) {
    this.url = url
    this.ca = ca
    this.#stop = stop
    this.tokens.make({ id: ROOT, policies: ['root'], namespace: '', ttl: 0 })
    this.#mounts.set('secret', engines.kv({ version: '2' }))
  }

  static async start(tls?: 'tls'): Promise<VaultDouble> {
    const listener: RequestListener = (request, response) => void double.#serve(request, response)
    const directory = mkdtempSync(join(tmpdir(), 'outrigger-double-'))
    const ca = join(directory, 'ca.pem')
    const server =
      tls === undefined
        ? createPlainServer(listener)
        : createTlsServer({ ...certificateFor(ca), requestCert: true, rejectUnauthorized: false }, listener)
    const sockets = new Set<Socket>()
    server.on('connection', socket => sockets.add(socket).has(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const stop = async () => {
      sockets.forEach(socket => socket.destroy())
      await new Promise(resolve => server.close(resolve))
      rmSync(directory, { recursive: true, force: true })
    }
    const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
    const double = new VaultDouble(url, tls === undefined ? undefined : ca, stop)
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => double.#upgrade(request, socket))
    return double
  }

  async close(): Promise<void> {
    await this.#stop()
  }

  /** A request for a WebSocket. */
  #upgrade(request: IncomingMessage, socket: Socket): void {
    const { url = '', headers } = request
    this.seen.push({ method: 'UPGRADE', path: url, port: socket.remotePort })
    const namespace = String(headers['x-vault-namespace'] ?? '')
    const token = this.tokens.use(String(headers['x-vault-token'] ?? ''))
    const path = decodeURIComponent(new URL(url, this.url).pathname.replace(/^\/v1\//, ''))
    const may = token !== undefined && this.#may(token, { operation: 'read', path }, namespace)
    const policies = token?.policies.map(name => (name === 'root' ? name : this.#policies.get(name))) ?? []
    this.events.upgrade(request, socket, { namespace, path, token: may ? token.id : undefined, policies })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request
    this.seen.push({ method, path: url, port: request.socket.remotePort })
    const body = await bodyOf(request)
    if (this.fault?.(request, response) === true) return
    const answer = this.#isOverQuota()
      ? failed(429, 'request path "…": rate limit quota exceeded')
      : await this.#answer({ request, method, url, body })
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body))
  }

  async #answer(asked: { request: IncomingMessage; method: string; url: string; body: Json }): Promise<Answer> {
    const { pathname, searchParams } = new URL(asked.url, this.url)
    const isList = asked.method === 'LIST' || searchParams.get('list') === '1'
    const operation = isList ? 'list' : asked.method === 'GET' ? 'read' : asked.method === 'DELETE' ? 'delete' : 'write'
    const header = (name: string) => String(asked.request.headers[name] ?? '')
    const full = [header('x-vault-namespace'), decodeURIComponent(pathname.replace(/^\/v1\//, ''))]
      .flatMap(part => part.split('/'))
      .filter(part => part !== '')
    const namespace = this.#namespaceOf(full)
    const path = full.slice(namespace === '' ? 0 : namespace.split('/').length).join('/')
    if (path === 'sys/health') return this.#health()
    if (path === 'sys/unseal') return this.#unseal(asked.body)
    if (this.#isSealed) return failed(503, 'Vault is sealed')
    const call: Call = { operation, path, query: searchParams, body: asked.body }
    const token = header('x-vault-token')
    const known = token === '' ? undefined : this.tokens.use(token)
    const answer = await this.#answerTo(call, token, known, { namespace, certificate: certificateOf(asked.request) })
    return header('x-vault-wrap-ttl') === '' ? answer : this.#wrap(answer.body, header('x-vault-wrap-ttl'))
  }

  async #answerTo(
    call: Call,
    token: string,
    known: Token | undefined,
    { namespace, certificate }: { readonly namespace: string; readonly certificate: Uint8Array | undefined },
  ): Promise<Answer> {
    if (/^auth\/(?!token\/)/.test(call.path))
      return await this.#authenticated({ ...call, certificate }, known, namespace)
    // A wrapping token is good for what it wraps alone.
    const isUnwrapping = call.path === 'sys/wrapping/unwrap' && known === undefined && token !== ''
    if (isUnwrapping) return this.#unwrap(token)
    if (token === '') return failed(400, 'missing client token')
    return known === undefined ? this.#unknownToken() : this.#permitted(call, known, namespace)
  }

  #isOverQuota(): boolean {
    const quota = this.#quota
    if (quota === undefined) return false
    if (Date.now() - quota.sinceMs >= quota.intervalMs) Object.assign(quota, { sinceMs: Date.now(), used: 0 })
    return ++quota.used > quota.rate
  }

  #namespaceOf(parts: readonly string[]): string {
    for (let count = parts.length; count > 0; count--) {
      const name = parts.slice(0, count).join('/')
      if (this.#namespaces.has(name)) return name
    }
    return ''
  }

  #unknownToken(): Answer {
    return this.isOld
      ? failed(403, 'permission denied')
      : failed(403, '2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n')
  }

  #health(): Answer {
    const body = { initialized: true, sealed: this.#isSealed, standby: false, version: '2.0.0-double' }
    return { status: this.#isSealed ? 503 : 200, body }
  }

  #unseal(body: Json): Answer {
    if (body?.key !== UNSEAL_KEY) return failed(400, 'unseal failed, invalid key')
    this.#isSealed = false
    return { status: 200, body: { sealed: false } }
  }

  /** A path below `auth/`, by whomever it is asked; a login needs no token. */
  async #authenticated(
    { certificate, ...call }: LoginCall,
    token: Token | undefined,
    namespace: string,
  ): Promise<Answer> {
    const [, mount = '', ...rest] = call.path.split('/')
    const auth = this.#auths.get(mount)
    if (auth === undefined) return failed(404, `no handler for route "${call.path}". route entry not found.`)
    if (rest[0] !== 'login' && token === undefined) return failed(403, 'permission denied')
    const answer = await auth.answer({ ...call, path: rest.join('/'), certificate })
    if (!('granted' in answer)) return answer
    const { granted } = answer
    if (granted === undefined) return failed(400, 'invalid credentials')
    const { token_ttl, token_explicit_max_ttl, token_num_uses, token_type, token_no_default_policy } = granted.role
    const made = {
      ttl: token_ttl,
      explicit_max_ttl: token_explicit_max_ttl,
      num_uses: token_num_uses,
      type: token_type,
      no_default_policy: token_no_default_policy,
    }
    return tokenAnswer(this.tokens.make({ ...made, policies: granted.policies, namespace }))
  }

  async #permitted(call: Call, token: Token, namespace: string): Promise<Answer> {
    const isOwn =
      !token.isBare &&
      /^(auth\/token\/(lookup-self|renew-self|revoke-self)|sys\/wrapping\/|cubbyhole\/)/.test(call.path)
    if (call.path.startsWith('sys/internal/ui/mounts/')) return this.#mountOf(call.path.slice(23), token, namespace)
    if (!isOwn && !this.#may(token, call, namespace)) return failed(403, '1 error occurred:\n\t* permission denied\n\n')
    if (call.path.startsWith('sys/')) return this.#system(call, token, namespace)
    if (call.path.startsWith('auth/token/')) {
      return this.tokens.answer(call.path.slice('auth/token/'.length), call.body, token, namespace)
    }
    if (call.path.startsWith('cubbyhole/')) return this.#cubbyhole(token).answer({ ...call, path: call.path.slice(10) })
    const [mount, engine] = this.#find(call.path, namespace)
    if (engine === undefined) return failed(404, `no handler for route "${call.path}". route entry not found.`)
    const answer = await engine.answer({ ...call, path: call.path.slice(mount.length + 1) })
    if (engine.type === 'kv' && answer.status < 300) {
      const path = call.path.slice(mount.length + 1)
      this.events.changed({ ...call, path, namespace, mount, version: engine.options.version, body: answer.body })
    }
    if (answer.lease === undefined) return answer
    const { seconds, renewable, maxSeconds = Infinity, end = () => {} } = answer.lease
    const id = `${call.path}/${randomBytes(12).toString('hex')}`
    const [durationMs, nowMs] = [seconds * 1_000, Date.now()]
    const times = { durationMs, endsAtMs: nowMs + durationMs, endsAtMostMs: nowMs + maxSeconds * 1_000 }
    this.#leases.set(id, { id, isRenewable: renewable, token: token.id, end, ...times })
    const lease = { lease_id: id, lease_duration: seconds, renewable }
    return { status: answer.status, body: { ...answer.body, ...lease } }
  }

  #may(
    { policies, namespace: own }: Token,
    { operation, path }: Pick<Call, 'operation' | 'path'>,
    namespace: string,
  ): boolean {
    if (policies.includes('root')) return true
    if (own !== '' && own !== namespace) return false
    const wanted = { read: ['read'], list: ['list'], write: ['update', 'create'], delete: ['delete'] }[operation]
    return this.#rules(policies).some(
      ([pattern, capabilities]) => fits(pattern, path) && wanted.some(name => capabilities.includes(name)),
    )
  }

  #rules(policies: readonly string[]): readonly (readonly [string, readonly string[]])[] {
    return policies.flatMap(name =>
      Object.entries((this.#policies.get(name)?.path ?? {}) as Record<string, { capabilities: string[] }>).map(
        ([pattern, { capabilities }]) => [pattern, capabilities] as const,
      ),
    )
  }

  #find(path: string, namespace: string): readonly [string, Engine | undefined] {
    const prefix = namespace === '' ? '' : `${namespace}/`
    for (const [mount, engine] of this.#mounts) {
      if (!mount.startsWith(prefix)) continue
      const own = mount.slice(prefix.length)
      if (path === own || path.startsWith(`${own}/`)) return [own, engine]
    }
    return ['', undefined]
  }

  #mountOf(path: string, { policies }: Token, namespace: string): Answer {
    const [mount, engine] = this.#find(path, namespace)
    const isSeen =
      policies.includes('root') ||
      this.#rules(policies).some(([pattern]) => pattern.startsWith(`${mount}/`) || fits(pattern, `${mount}/`))
    if (engine === undefined || !isSeen) {
      return failed(
        403,
        "preflight capability check returned 403, please ensure client's policies grant access to path",
      )
    }
    const { type, options } = engine
    return { status: 200, body: { data: { path: `${mount}/`, type, options, accessor: `${type}_1`, description: '' } } }
  }

  #cubbyhole({ id }: Token): Engine {
    const known = this.#cubbyholes.get(id) ?? engines.kv({ version: '1' })
    this.#cubbyholes.set(id, known)
    return known
  }

  #system({ path, body, operation }: Call, token: Token, namespace: string): Answer {
    const [, area = '', ...rest] = path.split('/')
    const name = rest.join('/')
    const full = namespace === '' ? name : `${namespace}/${name}`
    switch (area) {
      case 'seal':
        this.#isSealed = true
        return { status: 204 }
      case 'namespaces':
        this.#namespaces.add(full)
        return { status: 200, body: { data: { path: `${name}/` } } }
      case 'policies':
        this.#policies.set(rest[1] ?? '', JSON.parse(body.policy as string))
        return { status: 204 }
      case 'auth':
        this.#auths.set(full, auths[body.type as keyof typeof auths]())
        return { status: 204 }
      case 'mounts':
        if (operation === 'delete') this.#mounts.delete(full)
        else this.#mounts.set(full, engines[body.type as keyof typeof engines](body.options ?? {}))
        return { status: 204 }
      case 'leases':
        return this.#leaseCall(name, String(body?.lease_id), body?.increment)
      case 'quotas':
        this.#quota =
          operation === 'delete'
            ? undefined
            : { rate: body.rate, intervalMs: secondsOf(body.interval) * 1_000, sinceMs: 0, used: 0 }
        return { status: 204 }
      case 'events':
        return this.events.answer
      case 'wrapping':
        return name === 'wrap' ? { status: 200, body: { data: body } } : this.#unwrap(String(body?.token ?? token.id))
      default:
        return failed(404, 'unsupported path')
    }
  }

  #leaseCall(name: string, id: string, increment: unknown): Answer {
    const lease = this.#leases.get(id)
    const isThere = lease !== undefined && this.#isAlive(lease)
    if (name.startsWith('lookup/')) {
      const keys = [...this.#leases.values()].filter(one => this.#isAlive(one) && one.id.startsWith(name.slice(7)))
      const body = { data: { keys: keys.map(one => one.id.replace(/^.*\//, '')) } }
      return keys.length === 0 ? failed(404) : { status: 200, body }
    }
    if (name === 'revoke') {
      if (!isThere) return failed(400, 'invalid lease')
      this.#leases.delete(id)
      lease.end()
      return { status: 204 }
    }
    if (!isThere) return failed(400, 'lease not found')
    if (!lease.isRenewable) return failed(400, 'lease is not renewable')
    const wantedMs = Number(increment ?? 0) > 0 ? Number(increment) * 1_000 : lease.durationMs
    lease.endsAtMs = Math.min(Date.now() + wantedMs, lease.endsAtMostMs)
    const lease_duration = Math.ceil((lease.endsAtMs - Date.now()) / 1_000)
    return { status: 200, body: { lease_id: id, lease_duration, renewable: true } }
  }

  #isAlive({ endsAtMs, token }: Lease): boolean {
    return endsAtMs > Date.now() && this.tokens.isThere(token)
  }

  #wrap(body: Json, ttl: string): Answer {
    const token = `s.${randomBytes(12).toString('hex')}`
    this.#wrapped.set(token, body)
    const seconds = secondsOf(ttl)
    const info = { token, accessor: '', ttl: seconds, creation_time: new Date().toISOString(), creation_path: 'x' }
    return {
      status: 200,
      body: { request_id: '', lease_id: '', renewable: false, lease_duration: 0, data: null, wrap_info: info },
    }
  }

  #unwrap(token: string): Answer {
    const body = this.#wrapped.get(token)
    if (body === undefined) return failed(400, 'wrapping token is not valid or does not exist')
    this.#wrapped.delete(token)
    return { status: 200, body }
  }
}

function fits(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern
}

function certificateOf({ socket }: IncomingMessage): Uint8Array | undefined {
  return socket instanceof TLSSocket ? socket.getPeerCertificate().raw : undefined
}

function failed(status: number, ...errors: readonly string[]): Answer {
  return { status, body: { errors } }
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : JSON.parse(text)
}
