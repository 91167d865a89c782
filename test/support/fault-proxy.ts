import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** What becomes of the connections through a proxy.
 *
 *  - `pass`: all goes through.
 *  - `refuse`: new ones are closed at once, and so are those there are.
 *  - `hang`: nothing goes through any more, and nothing is closed: a server that is stopped, a line that is dead. Whatever comes
 *    meanwhile is lost.
 *  - `half-open`: what the client sends goes through, and nothing comes back.
 *  - `slow`: all goes through, each piece after `delayMs`. */
export type Fault = 'pass' | 'refuse' | 'hang' | 'half-open' | 'slow'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** A connection that was struck stays as it is, as a dead line does not come back to life; only what is new passes. */
  struck: boolean
}

/** A TCP proxy on loopback that does what networks do. It must be closed. */
export class FaultProxy {
  readonly port: number
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #fault: Fault = 'pass'
  #connections = 0
  /** How long `slow` holds a piece up. */
  delayMs = 20

  private constructor(server: Server, targetPort: () => number) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', client => this.#accept(client, targetPort()))
  }

  /** A proxy to a loopback port; a function gives it anew for each connection. */
  static async to(targetPort: number | (() => number)): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new FaultProxy(server, typeof targetPort === 'number' ? () => targetPort : targetPort)
  }

  /** How many connections there were so far. */
  get connections(): number {
    return this.#connections
  }

  /** How many connections are open. */
  get open(): number {
    return this.#pairs.size
  }

  /** What happens from now on. Those that hung before stay dead, others go on. */
  set fault(fault: Fault) {
    this.#fault = fault
    if (fault === 'refuse') this.cut()
    if (fault === 'hang' || fault === 'half-open') for (const pair of this.#pairs) pair.struck = true
  }

  get fault(): Fault {
    return this.#fault
  }

  /** Resets every connection there is; new ones pass or not as before. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.destroy()
    }
    this.#pairs.clear()
  }

  async close(): Promise<void> {
    this.cut()
    for (const timer of this.#timers) clearTimeout(timer)
    await new Promise(resolve => this.#server.close(resolve))
  }

  #accept(client: Socket, targetPort: number): void {
    this.#connections++
    client.on('error', () => {})
    if (this.#fault === 'refuse') return void client.resetAndDestroy()
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    server.on('error', () => {})
    client.setNoDelay(true)
    const pair: Pair = { client, server, struck: this.#fault === 'hang' || this.#fault === 'half-open' }
    this.#pairs.add(pair)
    this.#forward(pair, client, server)
    this.#forward(pair, server, client)
    for (const socket of [client, server]) socket.on('close', () => this.#closed(pair, socket))
  }

  #forward(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', piece => this.#later(() => this.#passes(pair, from) && to.write(piece)))
    from.on('end', () => this.#later(() => this.#passes(pair, from) && to.end()))
  }

  #passes(pair: Pair, from: Socket): boolean {
    if (!pair.struck) return true
    return this.#fault === 'half-open' && from === pair.client
  }

  /** One side that is gone takes the other along, unless the line between them is dead. */
  #closed(pair: Pair, socket: Socket): void {
    const other = socket === pair.client ? pair.server : pair.client
    if (pair.struck && socket === pair.server) return
    this.#later(() => {
      other.destroy()
      this.#pairs.delete(pair)
    })
  }

  #later(act: () => void): void {
    if (this.#fault !== 'slow') return act()
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, this.delayMs)
    this.#timers.add(timer)
  }
}

/** A proxy before a server, gone when the test is over. */
export async function proxyTo({ port }: { readonly port: number }): Promise<FaultProxy> {
  const proxy = await FaultProxy.to(port)
  onTestFinished(() => proxy.close())
  return proxy
}
