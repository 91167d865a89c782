import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { template } from '../../../providers/_template/plugin.ts'
import { providerConformance } from '../conformance.ts'

const { createServer } = process.getBuiltinModule('node:http')
const TOKEN = 'TOKEN-5c1f'

/** A server that holds texts by their path; `down` makes it fail. */
class TextServer {
  readonly texts = new Map<string, Uint8Array>()
  down = false
  readonly #server: Server = createServer((request, response) => this.#answer(request, response))

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const text = this.texts.get(decodeURIComponent(request.url ?? '').slice(1))
    const status =
      request.headers.authorization !== `Bearer ${TOKEN}` ? 401 : this.down ? 503 : text === undefined ? 404 : 200
    response.writeHead(status).end(status === 200 ? text : `not for you, ${request.headers.authorization}`)
  }
}

providerConformance('template', async () => {
  const server = new TextServer()
  const address = await server.listen()
  return {
    plugin: template,
    options: { address, token: TOKEN, poll: '20ms' },
    credentials: [TOKEN],
    write: async (path, content) => void server.texts.set(path, content),
    remove: async path => void server.texts.delete(path),
    reference: path => [path],
    breakBackend: async () => void (server.down = true),
    mendBackend: async () => void (server.down = false),
    close: () => server.close(),
  }
})
