/** Requests to one server: node-vault's, over our own transport, which it takes in place of its own.
 *
 *  The transport is where everything that a request needs is decided. So nothing of node-vault's own defaults is left: no token of
 *  its own (it would read `VAULT_TOKEN`), no redirect, no axios (whose errors quote the token), no debug output; and a request can
 *  be aborted, has a deadline and keeps its connection, an answer has its headers, and integers keep all their digits. */
import type { Clock } from '../../lib/base/clock.ts'
import { Connection } from '../../lib/base/connection.ts'
import type { HttpResponse } from '../../lib/base/http.ts'
import { parseJson } from '../../lib/base/json.ts'
import type { Secret } from '../../lib/base/secret.ts'
import { fromBytes } from '../../lib/base/text.ts'
import type { Value } from '../../lib/base/value.ts'
import { openWebSocket, WebSocketRefused } from '../../lib/base/websocket.ts'
import { OperationalError, ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import type { Answer, ApiRequest } from './answer.ts'
import { parseEvent, SUBSCRIPTION, type VaultEvent } from './event.ts'
import { encodePath, encodeQuery } from './paths.ts'
import type { Settings } from './settings.ts'

const ANSWER_BYTES_MAX = 8 * 1024 * 1024
/** A standby points to the active node, which answers itself. */
const REDIRECTS_MAX = 1
const EVENT_BYTES_MAX = 1024 * 1024
/** What a server without a stream, or one that does not give it to us, answers also to a request that asks for no WebSocket. */
const NO_STREAM: ReadonlySet<number> = new Set([401, 403, 404, 405, 501])

/** What node-vault is used for. */
interface NodeVault {
  read(path: string, options: TransportOptions): Promise<HttpResponse>
  list(path: string, options: TransportOptions): Promise<HttpResponse>
  write(path: string, fields: unknown, options: TransportOptions): Promise<HttpResponse>
  handleVaultResponse: unknown
  token: unknown
  namespace: unknown
}

interface TransportOptions {
  headers: Record<string, string | Secret>
  readonly signal: AbortSignal
  /** These three are node-vault's own. */
  readonly uri?: string
  readonly method?: string
  readonly json?: unknown
}

/** How a server is asked; the only implementation beside `HttpApi` is a simulation's. */
export interface Api {
  /** The answer, whatever its status. Rejects with a ProviderError when there is none that could be one, and with the signal's
   *  reason. */
  send(request: ApiRequest, signal: AbortSignal): Promise<Answer>
  /** Changes in a namespace as the server tells of them, from when this resolves until it ends, with an error; not before the signal
   *  aborts. Rejects with a `SubscriptionRefused`, or as `send`. A simulation has none. */
  subscribe?(request: Pick<ApiRequest, 'token' | 'namespace'>, signal: AbortSignal): Promise<AsyncIterable<VaultEvent>>
  close(): void
}

/** The server answered, and with no stream of events. */
export class SubscriptionRefused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`the server gives no stream of events (${status})`)
    this.status = status
  }
}

export class HttpApi implements Api {
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #connection: Connection
  #client: Promise<NodeVault> | undefined
  /** Whether there has been a stream of events. */
  #hasStream = false

  /** Connects to nothing: the first request does. */
  constructor(settings: Settings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#connection = new Connection(settings.connection)
  }

  async send(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    const client = await (this.#client ??= this.#load())
    signal.throwIfAborted()
    const path = `${encodePath(request.path)}${encodeQuery(request.query ?? {})}`
    const options = { headers: headersOf(request), signal }
    try {
      const response = await ask(client, request, path, options)
      return { status: response.status, headers: response.headers, body: this.#bodyOf(response) }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OperationalError) || error instanceof ProviderError) throw error
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new ProviderError(error.code as ProviderErrorCode, error.message, { cause: error, ...hint })
    }
  }

  async subscribe(
    { token, namespace }: Pick<ApiRequest, 'token' | 'namespace'>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<VaultEvent>> {
    if (!this.#hasStream) {
      // Most servers have none, and what a WebSocket takes need not be loaded to hear so.
      const { status } = await this.send({ operation: 'read', ...SUBSCRIPTION, token, namespace }, signal)
      if (NO_STREAM.has(status)) throw new SubscriptionRefused(status)
    }
    const headers = new Map(Object.entries(headersOf({ operation: 'read', ...SUBSCRIPTION, token, namespace })))
    const { endpoint, timeoutMs } = this.#settings
    let url = `${endpoint}/v1/${encodePath(SUBSCRIPTION.path)}${encodeQuery(SUBSCRIPTION.query)}`
    for (let redirects = 0; ; redirects++) {
      const agent = await this.#connection.agent(url, this.#clock)
      const request = { url, headers, agent, timeoutMs, messageBytesMax: EVENT_BYTES_MAX }
      try {
        const messages = await openWebSocket(request, this.#clock, signal)
        this.#hasStream = true
        return eventsIn(messages)
      } catch (error) {
        if (!(error instanceof WebSocketRefused)) throw error
        const { status, location } = error
        if (status < 300 || status > 399) throw new SubscriptionRefused(status)
        url = this.#redirected(url, { status, headers: new Map([['location', location]]) }, redirects)
      }
    }
  }

  close(): void {
    this.#connection.close()
  }

  async #load(): Promise<NodeVault> {
    const { default: nodeVault } = await import('node-vault')
    // Its types are of the library whose place the transport takes.
    const make = nodeVault as unknown as (options: object) => NodeVault
    const client = make({
      endpoint: this.#settings.endpoint,
      // LIST is no method that every proxy lets through; this asks with GET and `?list=1`.
      noCustomHTTPVerbs: true,
      debug() {},
      'request-promise': { defaults: () => (options: TransportOptions) => this.#transport(options) },
    })
    client.handleVaultResponse = (response: HttpResponse) => response
    client.token = undefined
    client.namespace = undefined
    return client
  }

  /** Sends what node-vault has put together. */
  async #transport(options: TransportOptions): Promise<HttpResponse> {
    let url = options.uri ?? ''
    for (let redirects = 0; ; redirects++) {
      const response = await this.#connection.request(
        {
          url,
          method: options.method ?? 'GET',
          headers: new Map(Object.entries(options.headers)),
          ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
          timeoutMs: this.#settings.timeoutMs,
          responseBytesMax: ANSWER_BYTES_MAX,
        },
        this.#clock,
        options.signal,
      )
      if (response.status < 300 || response.status > 399) return response
      url = this.#redirected(url, response, redirects)
    }
  }

  /** Where a redirect may lead: to a server that the configuration names, with the same question. The token goes along. */
  #redirected(from: string, { status, headers }: Omit<HttpResponse, 'body'>, redirects: number): string {
    const location = headers.get('location') ?? ''
    const to = URL.canParse(location, from) ? new URL(location, from) : undefined
    const origin = to === undefined ? 'nowhere' : to.origin
    const isKnown = to !== undefined && this.#settings.redirectsTo.has(to.origin) && to.username === ''
    if ((status === 307 || status === 308) && isKnown && redirects < REDIRECTS_MAX) return to.href
    if (isKnown) throw new ProviderError('unavailable', `${this.#settings.shown}: redirects once more (${status})`)
    throw new ProviderError('unavailable', `${this.#settings.shown}: redirects to ${origin}, which is not followed`, {
      hint: 'where that is the active node, name it under activeNodes; else set address to where the server is now',
    })
  }

  #bodyOf({ body, status }: HttpResponse): Value | undefined {
    const text = fromBytes(body)
    if (text.trim() === '') return undefined
    try {
      return parseJson(text)
    } catch (error) {
      // What stands between us and the server speaks HTML, and its status says what there is to say.
      if (status >= 400) return undefined
      throw new ProviderError(
        'invalid-data',
        `${this.#settings.shown}: not an answer of Vault's: ${(error as Error).message}`,
        {
          hint: 'check address; what answers may be a proxy, or the path one that gives no JSON',
        },
      )
    }
  }
}

async function* eventsIn(messages: AsyncIterable<string>): AsyncGenerator<VaultEvent, void, undefined> {
  for await (const message of messages) {
    const event = parseEvent(message)
    if (event !== undefined) yield event
  }
}

function ask(client: NodeVault, request: ApiRequest, path: string, options: TransportOptions): Promise<HttpResponse> {
  if (request.operation === 'read') return client.read(path, options)
  if (request.operation === 'list') return client.list(path, options)
  return client.write(path, request.fields ?? {}, options)
}

/** Secrets travel through node-vault as what they are, and are revealed by the transport's client only. */
function headersOf({ token, namespace, index, operation, wrapSeconds }: ApiRequest): Record<string, string | Secret> {
  return {
    // Agents that guard against forged requests want it.
    'X-Vault-Request': 'true',
    ...(operation === 'write' ? { 'Content-Type': 'application/json' } : {}),
    ...(token === undefined ? {} : { 'X-Vault-Token': token }),
    ...(namespace === '' ? {} : { 'X-Vault-Namespace': encodePath(namespace) }),
    ...(wrapSeconds === undefined ? {} : { 'X-Vault-Wrap-TTL': String(wrapSeconds) }),
    ...(index === undefined ? {} : { 'X-Vault-Index': index }),
  }
}
