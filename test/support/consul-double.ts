import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { serve } from './serve.ts'

/** What the double answers instead of what it has. */
export interface Fault {
  readonly status: number
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Pair {
  readonly Key: string
  readonly Value: string | null
  readonly Flags: number
  readonly LockIndex: number
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

interface Peering {
  readonly PeerName: string
  readonly Meta: Readonly<Record<string, string>>
}

/** How long a query waits when it does not say. */
const WAIT_MS = 300_000

/** A Consul in this process, as far as the provider asks one: for what the one that Debian has is too old for, and for what a real one
 *  cannot be made to do. `consul-contract.ts` holds it to what a real one does. It is gone when the test is over. */
export class ConsulDouble {
  readonly url: string
  readonly port: number
  /** Each request's path and query, in order. */
  readonly asked: string[] = []
  /** Sent with each answer. */
  headers: Readonly<Record<string, string>> = {}
  /** What is asked without `stale` is answered by these, when they are set. */
  leaderHeaders: Readonly<Record<string, string>> | undefined
  /** What comes of the next requests, one each. */
  readonly faults: Fault[] = []
  /** What comes of each request until it is taken away. */
  fault: Fault | undefined
  /** Told of each request before it is answered. */
  onAsked: ((path: string) => void) | undefined
  index = 10
  readonly #pairs = new Map<string, Pair>()
  readonly #parts = new Map<string, unknown>([['peerings', []]])
  readonly #connections = new Set<Socket>()
  #waiting: (() => void)[] = []

  private constructor(url: string, port: number) {
    this.url = url
    this.port = port
  }

  static async start(): Promise<ConsulDouble> {
    let double: ConsulDouble | undefined
    const { url, port, server } = await serve((request, response) => void double?.answer(request, response))
    double = new ConsulDouble(url, port)
    const connections = double.#connections
    server.on('connection', socket => {
      connections.add(socket)
      socket.on('close', () => connections.delete(socket))
    })
    return double
  }

  put(key: string, value: string): void {
    const index = ++this.index
    const before = this.#pairs.get(key)
    const encoded = value === '' ? null : Buffer.from(value).toString('base64')
    const known = { LockIndex: 0, Flags: 0, CreateIndex: before?.CreateIndex ?? index }
    this.#pairs.set(key, { Key: key, Value: encoded, ...known, ModifyIndex: index })
    this.wake()
  }

  remove(key: string): void {
    this.index++
    this.#pairs.delete(key)
    this.wake()
  }

  /** All of it at one index. */
  change(put: Readonly<Record<string, string>>, remove: readonly string[]): void {
    const index = this.index + 1
    for (const [key, value] of Object.entries(put)) {
      this.index = index - 1
      this.put(key, value)
    }
    this.index = index
    for (const key of remove) this.#pairs.delete(key)
    this.wake()
  }

  /** Cuts all connections, and counts from a small index again; it keeps its keys, as from a backup. */
  restart(): void {
    this.index = 2
    this.#connections.forEach(socket => socket.destroy())
    this.#waiting = []
  }

  /** What a path below `/v1/` answers, beside the keys. */
  set(path: string, json: unknown): void {
    this.index++
    this.#parts.set(path, json)
    this.wake()
  }

  /** Answers all that waits, whether something has changed or not. */
  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url)
    const path = decodeURIComponent(url.pathname.slice('/v1/'.length))
    if (request.method !== 'GET') return this.#change(request, response, path)
    this.asked.push(`${path}${decodeURIComponent(url.search)}`)
    this.onAsked?.(path)
    const fault = this.faults.shift() ?? this.fault
    if (fault !== undefined) return void response.writeHead(fault.status, fault.headers ?? {}).end(fault.text ?? '')
    const known = Number(url.searchParams.get('index') ?? 0)
    if (known > 0) await this.#newer(known, durationOf(url.searchParams.get('wait')))
    this.#send(response, path, url.searchParams)
  }

  async #change(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const key = path.slice('kv/'.length)
    const body = Buffer.concat(chunks).toString()
    if (path === 'peering/token') this.#makePeering(JSON.parse(body) as Peering)
    else if (request.method === 'DELETE') this.remove(key)
    else this.put(key, body)
    const answer = path === 'peering/token' ? { PeeringToken: 'token' } : true
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  #makePeering({ PeerName, Meta }: Peering): void {
    const never = '1970-01-01T00:00:00Z'
    const streams = { ImportedServices: null, ExportedServices: null }
    const index = this.index + 1
    const made = {
      ID: PeerName,
      Name: PeerName,
      Meta,
      State: 'PENDING',
      StreamStatus: { ...streams, LastHeartbeat: never, LastReceive: never, LastSend: never },
      CreateIndex: index,
      ModifyIndex: index,
      Remote: { Partition: '', Datacenter: '' },
    }
    this.set('peerings', [...(this.#parts.get('peerings') as readonly unknown[]), made])
  }

  #send(response: ServerResponse, path: string, query: URLSearchParams): void {
    const [status, json] = this.#found(path, query)
    if (status === 404 && !path.startsWith('kv/')) return void response.writeHead(404).end()
    const ofLeader = query.has('stale') ? undefined : this.leaderHeaders
    const headers = {
      'x-consul-index': String(this.index),
      'x-consul-knownleader': 'true',
      'x-consul-lastcontact': '0',
      ...(ofLeader ?? this.headers),
    }
    // An empty text leaves a header out.
    const sent = Object.entries(headers).filter(([, value]) => value !== '')
    response.writeHead(status, { ...Object.fromEntries(sent), 'content-type': 'application/json' })
    response.end(json === undefined ? '' : JSON.stringify(json))
  }

  #found(path: string, query: URLSearchParams): readonly [number, unknown] {
    if (!path.startsWith('kv/')) return this.#parts.has(path) ? [200, this.#parts.get(path)] : [404, undefined]
    const key = path.slice('kv/'.length)
    const found = query.has('recurse')
      ? [...this.#pairs.values()].filter(pair => pair.Key.startsWith(key)).toSorted(byKey)
      : [this.#pairs.get(key)].filter(pair => pair !== undefined)
    return found.length === 0 ? [404, undefined] : [200, found]
  }

  /** Until the index is greater, somebody wakes it, or the time is up. */
  async #newer(known: number, waitMs: number): Promise<void> {
    if (this.index > known) return
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, waitMs)
      timer.unref()
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

function byKey(a: Pair, b: Pair): number {
  return Buffer.compare(Buffer.from(a.Key), Buffer.from(b.Key))
}

function durationOf(text: string | null): number {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(text ?? '') ?? []
  if (number === undefined) return WAIT_MS
  return Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000)
}
