import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

interface Version {
  readonly revision: number
  /** Undefined where the key was removed. */
  readonly pair: Pair | undefined
}

interface Pair {
  readonly key: string
  readonly value: string
  readonly create_revision: string
  readonly mod_revision: string
  readonly version: string
}

interface Event {
  readonly type?: 'DELETE'
  readonly kv: Pick<Pair, 'key' | 'mod_revision'> & Partial<Pair>
}

interface RangeRequest {
  readonly key: string
  readonly range_end?: string
  readonly limit?: number
  readonly revision?: number
  readonly sort_target?: string
}

interface WatchRequest {
  readonly create_request?: { key: string; range_end?: string; start_revision?: number; watch_id?: number }
  readonly cancel_request?: { readonly watch_id: number }
  readonly progress_request?: object
}

interface Watcher {
  readonly id: number
  readonly isIn: (key: string) => boolean
  readonly send: (message: object) => void
}

/** How long it does not listen while it is started again. */
const DOWN_MS = 20

/** An etcd in this process, as far as the provider uses one: keys with revisions, ranges at one of them, watches that are replayed
 *  from a revision, compaction. What it answers is what a real one answers; `schedules.test.ts` plays the same on both. */
export class EtcdDouble {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** By key, its bytes each as one character. */
  readonly #versions = new Map<string, Version[]>()
  readonly #history: { readonly revision: number; readonly events: readonly Event[] }[] = []
  readonly #watchers = new Set<Watcher>()
  #revision = 1
  #compacted = 0
  #restarting: Promise<void> | undefined

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('request', (request, response) => {
      request.on('error', () => {})
      response.on('error', () => {})
      if (request.url === '/v3/watch') this.#watch(request, response)
      else this.#answer(request, response)
    })
  }

  static async start(): Promise<EtcdDouble> {
    const server = createServer()
    await listen(server, 0)
    return new EtcdDouble(server)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  /** Makes all of a change at one revision. */
  async write({ put, remove }: { readonly put: Readonly<Record<string, string>>; readonly remove: readonly string[] }) {
    const revision = this.#revision + 1
    const removed = remove.filter(key => this.#newest(key) !== undefined)
    const events = [
      ...Object.entries(put).map(([key, value]) => this.#put(key, value, revision)),
      ...removed.map(key => this.#remove(key, revision)),
    ]
    if (events.length === 0) return
    this.#revision = revision
    this.#history.push({ revision, events })
    for (const watcher of this.#watchers) this.#tell(watcher, events)
  }

  async compact(): Promise<void> {
    this.#compacted = this.#revision
  }

  /** Breaks every connection and does not listen for a moment. */
  restart(): Promise<void> {
    return (this.#restarting ??= this.#restart().finally(() => (this.#restarting = undefined)))
  }

  async #restart(): Promise<void> {
    await this.close()
    await new Promise(resolve => setTimeout(resolve, DOWN_MS))
    await listen(this.#server, this.port)
  }

  #newest(key: string): Pair | undefined {
    return this.#versions.get(key)?.at(-1)?.pair
  }

  #put(key: string, value: string, revision: number): Event {
    const before = this.#newest(key)
    const pair = {
      key: encoded(key),
      value: encoded(value),
      create_revision: before?.create_revision ?? String(revision),
      mod_revision: String(revision),
      version: String(Number(before?.version ?? 0) + 1),
    }
    this.#note(key, { revision, pair })
    return { kv: pair }
  }

  #remove(key: string, revision: number): Event {
    this.#note(key, { revision, pair: undefined })
    return { type: 'DELETE', kv: { key: encoded(key), mod_revision: String(revision) } }
  }

  #note(key: string, version: Version): void {
    const versions = this.#versions.get(key) ?? []
    this.#versions.set(key, versions)
    versions.push(version)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const [status, answer] = this.#range(JSON.parse(body) as RangeRequest)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  }

  #range({ key, range_end: end, limit = 0, revision = 0, sort_target: sort }: RangeRequest): [number, object] {
    if (revision > 0 && revision < this.#compacted) {
      const error = 'etcdserver: mvcc: required revision has been compacted'
      return [400, { error, message: error, code: 11 }]
    }
    const at = revision > 0 ? revision : this.#revision
    const isIn = inRange(key, end)
    const keys = [...this.#versions.keys()].filter(isIn).toSorted()
    const pairs = keys.flatMap(
      each => this.#versions.get(each)?.findLast(version => version.revision <= at)?.pair ?? [],
    )
    if (sort === 'MOD') pairs.sort((a, b) => Number(b.mod_revision) - Number(a.mod_revision))
    const kvs = limit > 0 ? pairs.slice(0, limit) : pairs
    const header = { revision: String(this.#revision) }
    if (pairs.length === 0) return [200, { header }]
    return [200, { header, kvs, count: String(pairs.length), ...(kvs.length < pairs.length && { more: true }) }]
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    const own = new Set<Watcher>()
    const send = (message: object) => {
      const header = { revision: String(this.#revision) }
      if (!response.destroyed) response.write(`${JSON.stringify({ result: { header, ...message } })}\n`)
    }
    let text = ''
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    request.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (text + piece).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#hear(JSON.parse(line) as WatchRequest, own, send)
    })
    response.on('close', () => {
      for (const watcher of own) this.#watchers.delete(watcher)
    })
  }

  #hear(
    { create_request: create, cancel_request: cancel, ...rest }: WatchRequest,
    own: Set<Watcher>,
    send: Watcher['send'],
  ) {
    if (rest.progress_request !== undefined) send({})
    if (cancel !== undefined) {
      const watcher = [...own].find(({ id }) => id === cancel.watch_id)
      if (watcher === undefined) return
      own.delete(watcher)
      this.#watchers.delete(watcher)
      send({ watch_id: String(watcher.id), canceled: true })
    }
    if (create === undefined) return
    const { watch_id: id = 0, start_revision: start = this.#revision + 1 } = create
    const watcher = { id, isIn: inRange(create.key, create.range_end), send }
    send({ watch_id: String(id), created: true })
    if (start <= this.#compacted) {
      return send({ watch_id: String(id), canceled: true, compact_revision: String(this.#compacted) })
    }
    for (const { revision, events } of this.#history) if (revision >= start) this.#tell(watcher, events)
    own.add(watcher)
    this.#watchers.add(watcher)
  }

  /** In two parts where there is more than one, as etcd does with what is large. */
  #tell({ id, isIn, send }: Watcher, all: readonly Event[]): void {
    const events = all.filter(({ kv }) => isIn(Buffer.from(kv.key, 'base64').toString('latin1')))
    const parts = events.length > 1 ? [events.slice(0, 1), events.slice(1)] : [events]
    for (const [i, part] of parts.entries()) {
      const hasMore = i < parts.length - 1
      if (part.length > 0) send({ watch_id: String(id), events: part, ...(hasMore && { fragment: true }) })
    }
  }
}

/** Whether a key is the one, or from it on and before the end. */
function inRange(key: string, end: string | undefined): (key: string) => boolean {
  const [from, to] = [key, end ?? ''].map(base64 => Buffer.from(base64, 'base64').toString('latin1')) as [
    string,
    string,
  ]
  return end === undefined ? each => each === from : each => each >= from && each < to
}

function encoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64')
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}
