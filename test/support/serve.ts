import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, ListenOptions, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export { freePort } from './free-port.ts'

export interface Serving {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  readonly port: number
  readonly server: Server
  /** How many connections were opened so far. */
  readonly connections: () => number
}

/** A real HTTP server on a free loopback port (or a Unix socket), gone with all its connections when the test is over. */
export async function serve(listener: RequestListener, options: ListenOptions = {}): Promise<Serving> {
  const server = createServer(listener)
  const sockets: Socket[] = []
  server.on('connection', socket => sockets.push(socket))
  await new Promise<void>(resolve => {
    server.listen(options.path === undefined ? { host: '127.0.0.1', port: 0, ...options } : options, resolve)
  })
  onTestFinished(async () => {
    sockets.forEach(socket => socket.destroy())
    await new Promise(resolve => server.close(resolve))
  })
  const port = options.path === undefined ? (server.address() as AddressInfo).port : 0
  return { url: `http://127.0.0.1:${port}`, port, server, connections: () => sockets.length }
}
