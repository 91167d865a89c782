import { Agent, createServer, request as ask, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

const IDLE_MS_MAX = 300_000

/** An HTTP proxy on loopback that counts what passes. */
export class CountingProxy {
  readonly url: string
  readonly #server: Server
  readonly #agent = new Agent({ keepAlive: true })
  readonly #sockets = new Set<Socket>()
  /** By method and kind of path: how many. */
  requests = new Map<string, number>()
  connections = 0
  mostAtOnce = 0
  #atOnce = 0
  #bytesBefore = 0

  private constructor(server: Server, target: string) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', socket => {
      this.connections++
      this.#sockets.add(socket)
    })
    server.on('request', (incoming, outgoing) => {
      const kind = `${incoming.method} ${(incoming.url ?? '').split('/').slice(2, 4).join('/')}`
      this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1)
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce)
      outgoing.once('close', () => this.#atOnce--)
      const { method = 'GET', headers } = incoming
      const forwarded = ask(`${target}${incoming.url}`, { method, headers, agent: this.#agent }, answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      forwarded.on('error', () => outgoing.destroy())
      incoming.pipe(forwarded)
    })
  }

  static async to(target: string): Promise<CountingProxy> {
    // As long as the servers that it stands before, which are Go's: Node's closes what is idle for five seconds.
    const server = createServer({ keepAliveTimeout: IDLE_MS_MAX })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new CountingProxy(server, target)
  }

  /** Of both directions. */
  get bytes(): number {
    return this.#bytesNow() - this.#bytesBefore
  }

  get count(): number {
    return [...this.requests.values()].reduce((sum, each) => sum + each, 0)
  }

  /** Counts from now on; the connections that there are stay counted. */
  reset(): void {
    this.requests = new Map()
    this.mostAtOnce = 0
    this.#bytesBefore = this.#bytesNow()
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
    this.#agent.destroy()
  }

  #bytesNow(): number {
    return [...this.#sockets].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0)
  }
}
