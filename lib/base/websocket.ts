/** What a server sends over a WebSocket. Nothing is sent but pings. */
import type { Agent } from 'node:http'
import type { WebSocket as Socket } from 'ws'
import type { Clock } from './clock.ts'
import { formatDurationMs } from './duration.ts'
import { OperationalError } from './errors.ts'
import { addressOf, connectionError } from './http.ts'
import { Mailbox } from './mailbox.ts'
import { Secret } from './secret.ts'

export interface WebSocketRequest {
  /** `http:` or `https:`. */
  readonly url: string
  readonly headers: ReadonlyMap<string, Secret | string>
  /** Makes the connection, see `Connection.agent`. */
  readonly agent: Agent
  /** Until it is open. */
  readonly timeoutMs: number
  readonly messageBytesMax: number
}

/** The server answered, and not with a WebSocket. */
export class WebSocketRefused extends Error {
  readonly status: number
  /** Where a redirect leads. */
  readonly location: string

  constructor(status: number, location: string) {
    super(`the server answers ${status}`)
    this.status = status
    this.location = location
  }
}

/** A connection over which nothing comes is asked whether it is there. */
const PING_MS = 30_000
const PONG_MS_MAX = 10_000

/** Opens a WebSocket; gives its messages as they come, until it ends: they end with an `OperationalError` that says why. It is closed
 *  when nobody reads on, and when the signal aborts. Rejects with `WebSocketRefused`, an `OperationalError`, or the signal's reason.
 *  No message of an error shows a header, a path or what came. */
export async function openWebSocket(
  request: WebSocketRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  // Evaluated with the first WebSocket only: most never open one.
  const { default: Client } = await import('ws')
  signal.throwIfAborted()
  const socket = new Client(request.url, {
    agent: request.agent,
    headers: Object.fromEntries(
      [...request.headers].map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
    ),
    maxPayload: request.messageBytesMax,
    perMessageDeflate: false,
  })
  const incoming = new Incoming(socket, new URL(request.url), clock)
  await incoming.opened(request.timeoutMs, signal)
  return incoming.messages(signal)
}

class Incoming {
  readonly #socket: Socket
  readonly #where: string
  readonly #clock: Clock
  readonly #arrived: string[] = []
  #end: Error | undefined
  /** Told that something has come, or ended. */
  readonly #news = new Mailbox<true>()
  #cancelPing: () => void = () => {}

  constructor(socket: Socket, url: URL, clock: Clock) {
    this.#socket = socket
    this.#where = addressOf(url)
    this.#clock = clock
    socket.on('unexpected-response', (sent, { statusCode = 0, headers }) => {
      this.#over(new WebSocketRefused(statusCode, headers.location ?? ''))
      sent.destroy()
    })
    socket.on('error', error => this.#over(connectionError(url, {}, error)))
    socket.on('close', () => this.#over(this.#error('unavailable', 'the connection was closed')))
    socket.on('open', () => this.#heard())
    socket.on('ping', () => this.#heard())
    socket.on('pong', () => this.#heard())
    socket.on('message', (data: Buffer) => {
      this.#arrived.push(data.toString('utf8'))
      this.#heard()
    })
  }

  async opened(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const late = () => this.#over(this.#error('timeout', `no answer within ${formatDurationMs(timeoutMs)}`))
    const cancel = this.#clock.after(timeoutMs, late)
    try {
      while (this.#end === undefined && this.#socket.readyState === this.#socket.CONNECTING)
        await this.#news.take(signal)
      if (this.#end !== undefined) throw this.#end
    } catch (error) {
      this.#close()
      throw error
    } finally {
      cancel()
    }
  }

  async *messages(signal: AbortSignal): AsyncGenerator<string, never, undefined> {
    try {
      for (;;) {
        for (let next = this.#arrived.shift(); next !== undefined; next = this.#arrived.shift()) yield next
        if (this.#end !== undefined) throw this.#end
        await this.#news.take(signal)
      }
    } finally {
      this.#close()
    }
  }

  /** A connection can be gone without anybody having said so. */
  #heard(): void {
    this.#cancelPing()
    if (this.#end !== undefined) return
    this.#cancelPing = this.#clock.after(PING_MS, () => {
      this.#socket.ping()
      const silent = () => this.#over(this.#error('timeout', 'the connection is silent'))
      this.#cancelPing = this.#clock.after(PONG_MS_MAX, silent)
    })
    this.#news.put(true)
  }

  #over(error: Error): void {
    this.#end ??= error
    this.#close()
    this.#news.put(true)
  }

  /** Not with a farewell: nothing would come of it, and a connection that is gone would be waited for. */
  #close(): void {
    this.#end ??= this.#error('unavailable', 'the connection was closed')
    this.#cancelPing()
    this.#socket.terminate()
  }

  #error(code: 'unavailable' | 'timeout', what: string): OperationalError {
    return new OperationalError(code, `${this.#where}: ${what}`)
  }
}
