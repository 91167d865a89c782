/** The stream of events of the double, as https://developer.hashicorp.com/vault/docs/concepts/events has it. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Answer, Call } from './vault-double-engines.ts'
import type { Json } from './vault-server.ts'

interface Subscriber {
  readonly socket: WebSocket
  readonly namespace: string
  readonly pattern: string
  /** What they hold, or `root`. */
  readonly policies: readonly Json[]
}

interface Change extends Call {
  readonly namespace: string
  readonly mount: string
  readonly version: string
}

const PREFIX = 'sys/events/subscribe/'

export class VaultDoubleEvents {
  /** What the server does when it is asked for a stream: as one without any (404), as one that does not give it (403), as one that is
   *  there and does not answer. */
  mode: 'none' | 'stream' | 'forbidden' | 'hang' = 'none'
  /** Whether it is as if every stream's connection had gone, without a word of that. */
  isSilent = false
  /** Those that streams were opened with. */
  readonly tokens: string[] = []
  readonly #server = new WebSocketServer({ noServer: true, autoPong: false })
  readonly #subscribers = new Set<Subscriber>()

  get subscribers(): number {
    return this.#subscribers.size
  }

  /** What it answers to a request that asks for no WebSocket. */
  get answer(): Answer {
    if (this.mode === 'none') return { status: 404, body: { errors: ['unsupported path'] } }
    if (this.mode === 'forbidden') return { status: 403, body: { errors: ['permission denied'] } }
    return { status: 426, body: { errors: ['could not accept as websocket'] } }
  }

  upgrade(
    request: IncomingMessage,
    socket: Socket,
    {
      token,
      namespace,
      path,
      policies,
    }: { token: string | undefined } & Record<'namespace' | 'path', string> & Pick<Subscriber, 'policies'>,
  ): void {
    if (this.mode === 'hang') return void socket.on('end', () => socket.destroy()).resume()
    const isAsked =
      path.startsWith(PREFIX) && new URL(request.url ?? '', 'http://x').searchParams.get('json') === 'true'
    const status = this.mode === 'none' ? 404 : this.mode === 'forbidden' || token === undefined ? 403 : 400
    if (this.mode !== 'stream' || token === undefined || !isAsked) {
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    this.tokens.push(token)
    this.#server.handleUpgrade(request, socket, Buffer.alloc(0), accepted => {
      const subscriber = { socket: accepted, namespace, pattern: path.slice(PREFIX.length), policies }
      this.#subscribers.add(subscriber)
      accepted.on('close', () => this.#subscribers.delete(subscriber))
      accepted.on('error', () => {})
      accepted.on('ping', data => {
        if (!this.isSilent) accepted.pong(data)
      })
    })
  }

  /** Ends every stream. */
  drop(): void {
    for (const { socket } of this.#subscribers) socket.close(1001)
  }

  /** Sends a text to every stream as it is. */
  send(text: string): void {
    for (const { socket } of this.#subscribers) socket.send(text)
  }

  /** Tells of what was done in a KV engine. */
  changed({ operation, path, namespace, mount, version, body }: Change): void {
    if (operation !== 'write' && operation !== 'delete') return
    const [part = ''] = path.split('/', 1)
    const done = /^(delete|undelete|destroy)$/.test(part) ? part : `${part}-${operation}`
    const type = version === '2' ? `kv-v2/${done}` : `kv-v1/${operation}`
    const full = `${mount}/${path}`
    const number = version === '2' && done === 'data-write' ? Number(body?.data?.version) : undefined
    const metadata = {
      ...(number === undefined ? {} : { current_version: String(number), oldest_version: '0' }),
      ...(operation === 'write' ? { data_path: full.replace(`${mount}/metadata/`, `${mount}/data/`) } : {}),
      modified: 'true',
      operation: type.replace(/^.*\//, ''),
      path: full,
    }
    this.#tell(type, full, namespace, {
      event: { id: randomUUID(), metadata },
      event_type: type,
      // What is empty is left out.
      ...(namespace === '' ? {} : { namespace: `${namespace}/` }),
      plugin_info: { mount_class: 'secret', mount_accessor: 'kv_1', mount_path: `${mount}/`, plugin: 'kv', version },
    })
  }

  #tell(type: string, path: string, namespace: string, data: Json): void {
    const event = {
      id: data.event.id,
      source: 'vault://double',
      specversion: '1.0',
      type,
      data,
      datacontenttype: 'application/cloudevents',
      time: new Date().toISOString(),
    }
    for (const { socket, namespace: own, pattern, policies } of this.#subscribers) {
      const isTold = fits(pattern, type) && own === namespace && policies.some(policy => tells(policy, type, path))
      if (isTold && !this.isSilent) socket.send(`${JSON.stringify(event)}\n`)
    }
  }
}

/** Whether a policy has a token told: on the path that an event is about, by its type. */
function tells(policy: Json, type: string, path: string): boolean {
  if (policy === 'root') return true
  return Object.entries((policy?.path ?? {}) as Record<string, Json>).some(
    ([pattern, { capabilities, subscribe_event_types: types = [] }]) =>
      fits(pattern, path) && capabilities.includes('subscribe') && types.some((one: string) => fits(one, type)),
  )
}

function fits(pattern: string, text: string): boolean {
  return new RegExp(`^${RegExp.escape(pattern).replaceAll('\\*', '.*')}$`).test(text)
}
