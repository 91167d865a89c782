import type { Agent, ClientRequest } from 'node:http'
import type { Clock } from './clock.ts'
import { HttpClient, type HttpRequest, type HttpResponse } from './http.ts'
import { readTlsFiles, stampTlsFiles, type TlsFiles } from './tls-files.ts'

/** How a provider reaches its server. */
export interface ConnectionOptions {
  /** The path of a Unix socket to connect to instead of the URL's host and port. */
  readonly socketPath?: string | undefined
  readonly tls?: TlsFiles | undefined
  /** Where `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are looked up. @default nowhere: no proxy is used */
  readonly proxyEnvironment?: Readonly<Record<string, string>> | undefined
  /** @default as many as there are requests */
  readonly connectionsMax?: number | undefined
}

/** How often the files are looked at, at most: a look is a `stat` for each. */
const LOOK_MS = 1_000

/** A client whose certificates can be rotated: when one of its files has changed, the next request goes over new connections
 *  that use what the files hold now. What is under way on the old ones ends there. */
export class Connection {
  readonly #options: ConnectionOptions
  #current: Kept | undefined
  /** The look at the files that is under way, for all requests that start meanwhile. */
  #looking: Promise<Kept> | undefined

  constructor(options: ConnectionOptions = {}) {
    this.#options = options
  }

  /** As `HttpClient.request`; a file that cannot be read is a `bad-config` error. */
  async request(request: HttpRequest, clock: Clock, signal: AbortSignal): Promise<HttpResponse> {
    const { socketPath } = this.#options
    const kept = await this.#client(request.url, clock)
    signal.throwIfAborted()
    kept.requests++
    try {
      return await kept.client.request(
        { ...request, ...(socketPath === undefined ? {} : { socketPath }) },
        clock,
        signal,
      )
    } finally {
      kept.requests--
      if (kept !== this.#current && kept.requests === 0) kept.client.close()
    }
  }

  /** As `HttpClient.begin`; it may outlive a rotation. */
  async begin(request: Omit<HttpRequest, 'body' | 'timeoutMs'>, clock: Clock): Promise<ClientRequest> {
    const { socketPath } = this.#options
    const kept = await this.#client(request.url, clock)
    return kept.client.begin({ ...request, ...(socketPath === undefined ? {} : { socketPath }) })
  }

  /** As `HttpClient.agent`; what it connects may outlive a rotation. */
  async agent(url: string, clock: Clock): Promise<Agent> {
    const kept = await this.#client(url, clock)
    return kept.client.agent(url, this.#options.socketPath)
  }

  /** Closes every connection; requests that are still under way fail. May be called again. */
  close(): void {
    this.#current?.client.close()
    this.#current = undefined
  }

  async #client(url: string, clock: Clock): Promise<Kept> {
    const current = this.#current
    const isFixed = !url.startsWith('https:') || this.#options.tls === undefined
    if (current !== undefined && (isFixed || clock.monotonicMs() - current.lookedMs < LOOK_MS)) return current
    if (isFixed) return (this.#current = this.#keep(new HttpClient(this.#clientOptions()), '', clock))
    this.#looking ??= this.#look(this.#options.tls ?? {}, clock).finally(() => (this.#looking = undefined))
    return await this.#looking
  }

  async #look(tls: TlsFiles, clock: Clock): Promise<Kept> {
    // First the stamp and then the contents: a file that is replaced in between is read again by the next look.
    const stamp = await stampTlsFiles(tls)
    const before = this.#current
    if (before?.stamp === stamp) {
      before.lookedMs = clock.monotonicMs()
      return before
    }
    const client = new HttpClient({ ...this.#clientOptions(), tls: await readTlsFiles(tls) })
    this.#current = this.#keep(client, stamp, clock)
    if (before?.requests === 0) before.client.close()
    return this.#current
  }

  #keep(client: HttpClient, stamp: string, clock: Clock): Kept {
    return { client, stamp, lookedMs: clock.monotonicMs(), requests: 0 }
  }

  #clientOptions() {
    const { proxyEnvironment, connectionsMax } = this.#options
    return {
      ...(proxyEnvironment === undefined ? {} : { proxyEnvironment }),
      ...(connectionsMax === undefined ? {} : { connectionsMax }),
    }
  }
}

interface Kept {
  readonly client: HttpClient
  readonly stamp: string
  lookedMs: number
  /** How many are under way. */
  requests: number
}
