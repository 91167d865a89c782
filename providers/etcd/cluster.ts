import { readFile } from 'node:fs/promises'
import { Connection } from '../../lib/base/connection.ts'
import { proxyEnvironmentOf } from '../../lib/base/connection-options.ts'
import { HttpLines, type LinesEvents } from '../../lib/base/http-lines.ts'
import { orAborted } from '../../lib/base/or-aborted.ts'
import { Secret } from '../../lib/base/secret.ts'
import { messageOf, ProviderError, systemCode } from '../../lib/errors.ts'
import type { ProviderHost } from '../../lib/provider.ts'
import { isOfEndpoint, Refusal, refusalOf } from './failure.ts'
import type { Access, EtcdOptions } from './options.ts'
import { parseMessage } from './wire.ts'

/** Requests under way at the same time; a start with 1,000 dependencies is no reason for 1,000 connections. */
const CONNECTIONS_MAX = 8
/** What one answer may hold: 64 MiB of values in base64, and what is around them. */
const ANSWER_BYTES_MAX = 96 * 1024 * 1024
/** Of a watch's request body, which is never sent to its end. Go's server reads a body that is declared as long as this beside
 *  its answer; before it answers one of unknown length, it would wait for the end. */
const BODY_BYTES = 2 ** 40

/** The members of one etcd, whichever of them answers. Each call tries each endpoint once, the one that answered last before
 *  the others; one that fails goes to the end of the row. */
export class Cluster {
  readonly #access: Access
  readonly #timeoutMs: number
  readonly #host: ProviderHost
  readonly #connection: Connection
  readonly #end = new AbortController()
  #endpoints: readonly string[]
  /** One authentication for all who wait for it: it costs etcd about 65 ms. */
  #token: Promise<Secret | undefined> | undefined

  constructor(access: Access, { timeoutMs, proxy }: EtcdOptions, host: ProviderHost) {
    this.#access = access
    this.#timeoutMs = timeoutMs
    this.#host = host
    this.#endpoints = access.endpoints
    this.#connection = new Connection({
      tls: access.tls,
      proxyEnvironment: proxyEnvironmentOf(proxy, host.environment),
      connectionsMax: CONNECTIONS_MAX,
    })
  }

  /** What a path answers to a message, which must be one that may be sent twice. Rejects with an OperationalError. */
  async call<T extends object>(path: string, message: object, signal: AbortSignal): Promise<T> {
    const token = this.#authenticated()
    try {
      return await this.#try<T>(path, message, await orAborted(token, signal), signal)
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isAboutToken || this.#access.user === undefined) throw error
      this.#forget(token)
      return await this.#try<T>(path, message, await orAborted(this.#authenticated(), signal), signal)
    }
  }

  /** A stream of changes from the endpoint that answered last, and which one that is. */
  async openLines(path: string, events: LinesEvents, signal: AbortSignal): Promise<Lines> {
    const endpoint = this.#endpoints[0] as string
    const token = await orAborted(this.#authenticated(), signal)
    const url = `${endpoint}${path}`
    const headers = new Map<string, string | Secret>([
      ['content-length', String(BODY_BYTES)],
      // A member that has lost its leader would go on in silence.
      ['grpc-metadata-hasleader', 'true'],
      ...authorization(token),
    ])
    const sent = await this.#connection.begin({ url, method: 'POST', headers }, this.#host.clock)
    return { endpoint, lines: new HttpLines(sent, new URL(url), ANSWER_BYTES_MAX, events) }
  }

  /** Says that an endpoint does not do its work: the others are tried before it. */
  demote(endpoint: string): void {
    if (!this.#endpoints.includes(endpoint)) return
    this.#endpoints = [...this.#endpoints.filter(other => other !== endpoint), endpoint]
  }

  close(): void {
    this.#end.abort(new Error('the provider is closed'))
    this.#connection.close()
  }

  async #try<T extends object>(
    path: string,
    message: object,
    token: Secret | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    let first: unknown
    for (const endpoint of this.#endpoints) {
      try {
        return await this.#post<T>(endpoint, path, message, token, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isOfEndpoint(error)) throw error
        this.demote(endpoint)
        first ??= error
      }
    }
    throw first
  }

  async #post<T extends object>(
    endpoint: string,
    path: string,
    message: object,
    token: Secret | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    const request = {
      url: `${endpoint}${path}`,
      method: 'POST',
      headers: authorization(token),
      body: JSON.stringify(message),
      timeoutMs: this.#timeoutMs,
      responseBytesMax: ANSWER_BYTES_MAX,
      repeatable: true,
    }
    const { status, body } = await this.#connection.request(request, this.#host.clock, signal)
    const where = new URL(endpoint).host
    if (status !== 200) throw refusalOf(where, status, body)
    const answer = parseMessage(body.toString('utf8'))
    if (answer === undefined) throw new ProviderError('invalid-data', `${where}: the answer is not JSON`)
    return answer as T
  }

  /** The token, asked for when there is none. */
  #authenticated(): Promise<Secret | undefined> {
    if (this.#access.user === undefined) return NO_TOKEN
    if (this.#token !== undefined) return this.#token
    // By no caller's signal: others wait for it, too.
    const token = this.#authenticate(this.#access.user, this.#end.signal)
    this.#token = token
    token.catch(() => this.#forget(token))
    return token
  }

  #forget(token: Promise<Secret | undefined>): void {
    if (this.#token === token) this.#token = undefined
  }

  async #authenticate(
    { name, password }: NonNullable<Access['user']>,
    signal: AbortSignal,
  ): Promise<Secret | undefined> {
    const secret = await password.read(readFile).catch((error: unknown) => {
      const why = systemCode(error) ?? messageOf(error)
      throw new ProviderError('bad-config', `the file with the password cannot be read: ${why}`)
    })
    const message = { name, password: secret.reveal() }
    try {
      const { token } = await this.#try<{ token?: string }>('/v3/auth/authenticate', message, undefined, signal)
      return token === undefined ? undefined : new Secret(token)
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isWithoutUsers) throw error
      this.#host.log.warn('etcd asks for no user, and one is configured', {})
      return undefined
    }
  }
}

export interface Lines {
  readonly endpoint: string
  readonly lines: HttpLines
}

const NO_TOKEN: Promise<undefined> = Promise.resolve(undefined)

function authorization(token: Secret | undefined): ReadonlyMap<string, Secret> {
  return token === undefined ? new Map() : new Map([['authorization', token]])
}
