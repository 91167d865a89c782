import { readFile } from 'node:fs/promises'
import { Connection } from '../../lib/base/connection.ts'
import type { HttpResponse } from '../../lib/base/http.ts'
import { orAborted } from '../../lib/base/or-aborted.ts'
import type { Credential } from '../../lib/base/schema.ts'
import { Secret } from '../../lib/base/secret.ts'
import { messageOf, ProviderError, systemCode } from '../../lib/errors.ts'
import type { ProviderHost } from '../../lib/provider.ts'
import { refusalOf } from './failure.ts'
import type { Settings } from './settings.ts'

/** What is asked for. */
export interface Ask {
  /** After `/v1/`, escaped. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** Whether a 404 is the answer that there is nothing. @default false */
  readonly mayBeNothing?: boolean
  /** Whether the agent answers by itself, so that it does not matter who leads the servers. @default false */
  readonly isOfAgent?: boolean
}

/** How it is asked for. */
export interface Manner {
  /** How long the server may hold the answer back; undefined when it is wanted at once. */
  readonly waitMs?: number | undefined
  /** What the answer must be newer than. */
  readonly params?: Readonly<Record<string, string>>
}

/** An answer with a status of 200 or, where that is one, 404. */
export type Answer = HttpResponse

/** Requests under way at the same time that are answered at once; a start with 1,000 dependencies is no reason for 1,000
 *  connections. */
const CONNECTIONS_MAX = 8
/** Connections that wait for a change. A Consul takes 200 from one address, and others may live there as well. */
export const WAITING_MAX = 150
/** What one answer may hold: 64 MiB of values in base64, and what is around them. */
const ANSWER_BYTES_MAX = 96 * 1024 * 1024
/** By what part of its wait a server lengthens it, at most: so that many that wait are not answered at once. */
const WAIT_SHARE = 1 / 16

/** Sends requests to one Consul. What waits for a change has connections of its own, and so never stands before what is
 *  answered at once. */
export class Api {
  readonly #settings: Settings
  readonly #timeoutMs: number
  readonly #host: ProviderHost
  readonly #prompt: Connection
  readonly #waiting: Connection

  constructor(settings: Settings, timeoutMs: number, host: ProviderHost) {
    this.#settings = settings
    this.#timeoutMs = timeoutMs
    this.#host = host
    this.#prompt = new Connection({ ...settings.connection, connectionsMax: CONNECTIONS_MAX })
    this.#waiting = new Connection({ ...settings.connection, connectionsMax: WAITING_MAX })
  }

  /** Rejects with an OperationalError: what the connection came to, or a `Refusal`. */
  async get(ask: Ask, manner: Manner, signal: AbortSignal): Promise<Answer> {
    const token = await orAborted(this.#token(), signal)
    const response = await this.#send(ask, manner, token, signal)
    if (isAnswer(ask, response)) return response
    const refusal = refusalOf(this.#where, response, token !== undefined)
    if (response.status !== 403) throw refusal
    // It may have been replaced while this was under way.
    const next = await orAborted(this.#token(), signal)
    if (next?.reveal() === token?.reveal()) throw refusal
    const second = await this.#send(ask, {}, next, signal)
    if (isAnswer(ask, second)) return second
    throw refusalOf(this.#where, second, next !== undefined)
  }

  /** Closes every connection; what is under way fails. May be called again. */
  close(): void {
    this.#prompt.close()
    this.#waiting.close()
  }

  get #where(): string {
    const { endpoint, shown, connection } = this.#settings
    return connection.socketPath === undefined ? new URL(endpoint).host : shown
  }

  async #send(ask: Ask, manner: Manner, token: Secret | undefined, signal: AbortSignal): Promise<HttpResponse> {
    const { waitMs } = manner
    const request = {
      url: this.#urlOf(ask, manner),
      headers: await this.#headers(token),
      timeoutMs: this.#timeoutMs + (waitMs === undefined ? 0 : waitMs * (1 + WAIT_SHARE)),
      responseBytesMax: ANSWER_BYTES_MAX,
    }
    const connection = waitMs === undefined ? this.#prompt : this.#waiting
    return await connection.request(request, this.#host.clock, signal)
  }

  #urlOf({ path, params }: Ask, { waitMs, params: more }: Manner): string {
    const wait = waitMs === undefined ? {} : { wait: `${Math.round(waitMs)}ms` }
    const all = { ...this.#settings.place, ...params, ...more, ...wait }
    const query = Object.entries(all).map(([name, value]) =>
      value === '' ? name : `${name}=${encodeURIComponent(value)}`,
    )
    return `${this.#settings.endpoint}/v1/${path}${query.length === 0 ? '' : `?${query.join('&')}`}`
  }

  async #headers(token: Secret | undefined): Promise<ReadonlyMap<string, Secret>> {
    const headers = new Map<string, Secret>()
    if (token !== undefined) headers.set('x-consul-token', token)
    const { user } = this.#settings
    if (user !== undefined) {
      const password = await readCredential(user.password, 'password')
      const basic = Buffer.from(`${user.name}:${password.reveal()}`).toString('base64')
      headers.set('authorization', new Secret(`Basic ${basic}`))
    }
    return headers
  }

  async #token(): Promise<Secret | undefined> {
    const { token } = this.#settings
    if (token === undefined) return undefined
    const text = await readCredential(token, 'token')
    return text.reveal() === '' ? undefined : text
  }
}

/** A 404 without an index is not Consul's: some proxy has nothing there, and that says nothing about keys. */
function isAnswer({ mayBeNothing = false }: Ask, { status, headers }: HttpResponse): boolean {
  return status === 200 || (status === 404 && mayBeNothing && headers.get('x-consul-index') !== undefined)
}

async function readCredential(credential: Credential, what: string): Promise<Secret> {
  return await credential.read(readFile).catch((error: unknown) => {
    const why = systemCode(error) ?? messageOf(error)
    throw new ProviderError('bad-config', `the file with the ${what} cannot be read: ${why}`)
  })
}

/** A text as a part of a URL's path, its slashes left as they are. */
export function escapePath(path: string): string {
  return path.toWellFormed().split('/').map(encodeURIComponent).join('/')
}

/** What a body holds. Throws an `invalid-data` ProviderError. */
export function parseBody({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    throw new ProviderError('invalid-data', 'the answer is not JSON')
  }
}
