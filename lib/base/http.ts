import type {
  Agent,
  AgentOptions,
  ClientRequest,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestOptions,
} from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import type { Clock } from './clock.ts'
import { withDeadline } from './deadline.ts'
import { formatDurationMs } from './duration.ts'
import { messageOf, OperationalError, systemCode } from './errors.ts'
import { Secret } from './secret.ts'

/** One HTTP request. */
export interface HttpRequest {
  /** `http:` or `https:`. A user and password in it are sent as Basic authorization and never shown. */
  readonly url: string
  /** @default 'GET' */
  readonly method?: string
  readonly headers?: ReadonlyMap<string, Secret | string>
  readonly body?: Uint8Array | string
  /** From the start to the last byte of the response, whatever the connection does. */
  readonly timeoutMs: number
  /** How much of a response's body is taken. @default 64 KiB */
  readonly responseBytesMax?: number
  /** What a longer body comes to: an `invalid-data` error, or a body that ends there. @default 'fail' */
  readonly onExcess?: 'fail' | 'cut'
  /** The path of a Unix socket to connect to instead of the URL's host and port. */
  readonly socketPath?: string
  /** Whether it may be sent again when it met a kept connection that was just being closed. @default for GET and HEAD only */
  readonly repeatable?: boolean
}

export interface HttpResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly body: Buffer
}

export interface ResponseHeaders {
  /** By its name in lower case; one that came more than once is joined by `, `. */
  get(name: string): string | undefined
}

export interface HttpClientOptions {
  /** Whether connections are kept for the next request. @default true */
  readonly keepAlive?: boolean
  /** For `https:`: what is trusted (`ca`, PEM; the system's otherwise), and what we show (`cert`, `key`). It is read once:
   *  after a rotation, make a new client. */
  readonly tls?: TlsOptions
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are looked up. @default nowhere: no proxy is used */
  readonly proxyEnvironment?: Readonly<Record<string, string>>
  /** How many connections there are to one host at most; further requests wait for one. @default as many as there are requests */
  readonly connectionsMax?: number
}

/** `rejectUnauthorized: false` takes any certificate, and so anybody's. */
export type TlsOptions = Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> & {
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

const RESPONSE_BYTES_MAX = 64 * 1024
/** Idle connections kept for each host. */
const IDLE_CONNECTIONS_MAX = 8
const HTTP_PORT = '80'
const HTTPS_PORT = '443'

/** Sends requests, over connections of its own.
 *
 *  Redirects are not followed: a 3xx is a status like any other. Nothing is retried, save what is repeatable and met a kept
 *  connection which the server was just closing. */
export class HttpClient {
  readonly #options: HttpClientOptions
  #plain: Agent | undefined
  #secure: Agent | undefined

  constructor(options: HttpClientOptions = {}) {
    this.#options = options
  }

  /** Resolves with the whole response. Rejects with the signal's reason when it aborts, else with an `OperationalError`:
   *  `unavailable` (no connection, or it broke), `timeout`, `invalid-data` (not HTTP, or too long), `bad-config` (a URL,
   *  method, header or certificate of ours that cannot be used). No message shows a header, a path or a query. */
  async request(request: HttpRequest, clock: Clock, signal: AbortSignal): Promise<HttpResponse> {
    const url = parseUrl(request.url)
    const deadline = { timeoutMs: request.timeoutMs, timeoutError: () => timeoutError(url, request) }
    return await withDeadline(deadline, signal => this.#exchange(url, request, signal), clock, signal)
  }

  /** Begins a request over a connection of its own, whose body the caller writes and whose response the caller reads: see
   *  `http-lines.ts`. Throws a `bad-config` OperationalError; what becomes of it later, `connectionError` says. */
  begin(request: Omit<HttpRequest, 'body' | 'timeoutMs'>): ClientRequest {
    const url = parseUrl(request.url)
    const options = this.#requestOptions(url, request)
    return moduleFor(url).request({ ...options, agent: this.#newAgent(url, { keepAlive: false }) })
  }

  /** What makes the connection of one exchange that is no request of ours, such as a WebSocket: with our TLS and proxies. */
  agent(url: string, socketPath?: string): Agent {
    const options = { keepAlive: false, ...(socketPath === undefined ? {} : { socketPath }) }
    return this.#newAgent(parseUrl(url), options)
  }

  /** Closes every connection; requests that are still under way fail. May be called again. */
  close(): void {
    this.#plain?.destroy()
    this.#secure?.destroy()
    this.#plain = undefined
    this.#secure = undefined
  }

  async #exchange(url: URL, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    try {
      const response = await this.#send(url, request, signal)
      const body = await bodyOf(response, url, request)
      return { status: response.statusCode ?? 0, headers: headersOf(response), body }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof StaleConnection) return await this.#exchange(url, request, signal)
      throw error instanceof OperationalError ? error : connectionError(url, request, error)
    }
  }

  #send(url: URL, request: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const options = this.#requestOptions(url, request)
    const repeatable = request.repeatable ?? REPEATABLE.has(request.method ?? 'GET')
    return new Promise((resolve, reject) => {
      const sent = moduleFor(url).request(options)
      // What Node does with a `signal` costs more than sending. This one is of this request alone, and goes with it.
      signal.addEventListener('abort', () => sent.destroy(signal.reason as Error), { once: true })
      sent.once('response', resolve)
      sent.on('error', error => {
        const stale = sent.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '')
        reject(stale && repeatable ? new StaleConnection() : error)
      })
      sent.end(request.body)
    })
  }

  #requestOptions(url: URL, request: Omit<HttpRequest, 'timeoutMs'>): RequestOptions {
    return {
      protocol: url.protocol,
      hostname: hostnameOf(url),
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      method: request.method ?? 'GET',
      headers: headersToSend(url, request),
      agent: this.#agent(url),
      ...(request.socketPath === undefined ? {} : { socketPath: request.socketPath }),
      ...(url.username === '' && url.password === '' ? {} : { auth: credentialsOf(url) }),
    }
  }

  #agent(url: URL): Agent {
    const { keepAlive = true, connectionsMax } = this.#options
    const options = {
      keepAlive,
      maxFreeSockets: connectionsMax ?? IDLE_CONNECTIONS_MAX,
      ...(connectionsMax === undefined ? {} : { maxSockets: connectionsMax }),
    }
    if (url.protocol === 'http:') return (this.#plain ??= this.#newAgent(url, options))
    return (this.#secure ??= this.#newAgent(url, options))
  }

  #newAgent(url: URL, options: AgentOptions): Agent {
    const { proxyEnvironment, tls } = this.#options
    const all = { ...options, ...(proxyEnvironment === undefined ? {} : { proxyEnv: { ...proxyEnvironment } }) }
    return url.protocol === 'http:' ? new (plainHttp().Agent)(all) : new (secureHttp().Agent)({ ...all, ...tls })
  }
}

/** The server closed a kept connection while the request was on its way. Whether it saw the request cannot be known, so only
 *  these methods are sent again. */
class StaleConnection extends Error {}

const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** Where a URL leads, for messages: `host:port`, without what may be secret. */
export function addressOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`
}

// `import … from 'node:http'` would load undici as well, through the getters of its facade: 17 MiB that nobody asked for.
// TLS is loaded by the first `https:` URL only.
function plainHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http')
}

function secureHttp(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}

function moduleFor(url: URL): Pick<typeof import('node:http'), 'request'> {
  return url.protocol === 'https:' ? secureHttp() : plainHttp()
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  // The text is not shown: it may hold a password, and where it ends cannot be told in what does not parse.
  throw new OperationalError('bad-config', 'not a URL of http: or https:')
}

function hostnameOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? HTTPS_PORT : HTTP_PORT)
}

function credentialsOf(url: URL): string {
  return `${decoded(url.username)}:${decoded(url.password)}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function headersToSend(url: URL, { headers }: Pick<HttpRequest, 'headers'>): OutgoingHttpHeaders {
  const { validateHeaderName, validateHeaderValue } = plainHttp()
  const sent: OutgoingHttpHeaders = {}
  for (const [name, value] of headers ?? []) {
    const text = value instanceof Secret ? value.reveal() : value
    try {
      validateHeaderName(name)
      validateHeaderValue(name, text)
    } catch {
      throw new OperationalError('bad-config', `${addressOf(url)}: the header ${JSON.stringify(name)} cannot be sent`, {
        hint: 'a header has no line breaks, and its value no characters beyond Latin-1',
      })
    }
    sent[name.toLowerCase()] = text
  }
  return sent
}

/** Node reads them when the first is asked for. */
function headersOf(response: IncomingMessage): ResponseHeaders {
  return {
    get(name) {
      const value = response.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
}

/** The response's body, up to its bound. */
function bodyOf(response: IncomingMessage, url: URL, request: HttpRequest): Promise<Buffer> {
  const where = placeOf(url, request)
  const bytesMax = request.responseBytesMax ?? RESPONSE_BYTES_MAX
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      const room = bytesMax - bytes
      bytes += chunk.length
      chunks.push(chunk.subarray(0, Math.max(0, room)))
      if (chunk.length <= room) return
      response.destroy()
      if (request.onExcess === 'cut') resolve(Buffer.concat(chunks))
      else reject(new OperationalError('invalid-data', `${where}: a response of more than ${bytesMax} bytes`))
    })
    response.on('end', () => resolve(Buffer.concat(chunks)))
    response.on('error', reject)
    response.on('close', () => {
      // An error has a stack, and each response ends with this.
      if (response.readableEnded) return
      reject(new OperationalError('unavailable', `${where}: the connection was closed early`))
    })
  })
}

function placeOf(url: URL, { socketPath }: Pick<HttpRequest, 'socketPath'>): string {
  return socketPath ?? addressOf(url)
}

function timeoutError(url: URL, request: HttpRequest): OperationalError {
  const message = `${placeOf(url, request)}: no answer within ${formatDurationMs(request.timeoutMs)}`
  return new OperationalError('timeout', message)
}

/** What Node says of a connection, in our words. Its own messages are left out: they may quote what was sent. */
export function connectionError(url: URL, request: Pick<HttpRequest, 'socketPath'>, cause: unknown): OperationalError {
  const where = placeOf(url, request)
  const code = systemCode(cause)
  if (code?.startsWith('HPE_')) return new OperationalError('invalid-data', `${where}: not an HTTP answer (${code})`)
  if (code !== undefined && UNUSABLE.test(code)) {
    return new OperationalError('bad-config', `${where}: the request cannot be made (${code})`, {
      hint: code.startsWith('ERR_OSSL_')
        ? 'check the PEM files of the CA, the certificate and the key'
        : 'check the method',
    })
  }
  const hint = hintOf(code)
  return new OperationalError(
    'unavailable',
    `${where}: ${code ?? messageOf(cause)}`,
    hint === undefined ? {} : { hint },
  )
}

/** What Node and OpenSSL say of what they were given, before anything is sent. */
const UNUSABLE = /^ERR_(INVALID|UNESCAPED|OSSL)_/

function hintOf(code: string | undefined): string | undefined {
  if (code === undefined) return undefined
  if (code === 'ECONNREFUSED') return 'nothing listens there yet, or it listens on another address or port'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'check the host name, and that DNS can be reached'
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER/.test(code))
    return 'check the CA that is trusted and the name in the certificate'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return 'one side may speak plain HTTP: check http: against https:'
  return undefined
}
