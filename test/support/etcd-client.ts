import { Agent, request, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { SecureContextOptions } from 'node:tls'

export interface EtcdClientOptions {
  /** As `authenticate` gives it. */
  readonly token?: string
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> | undefined
}

/** A bare client of etcd's JSON gateway: what the tests and the bench write with. It shares nothing with the provider. */
export class EtcdClient {
  readonly #url: string
  readonly #options: EtcdClientOptions
  readonly #agent: Agent

  constructor(url: string, options: EtcdClientOptions = {}) {
    this.#url = url
    this.#options = options
    this.#agent = url.startsWith('https:')
      ? new TlsAgent({ keepAlive: true, ...options.tls })
      : new Agent({ keepAlive: true })
  }

  async put(key: string, value: Uint8Array | string, lease?: string): Promise<number> {
    const answer = await this.request('/v3/kv/put', { key: base64(key), value: base64(value), lease })
    return Number(answer.header.revision)
  }

  async remove(key: string): Promise<number> {
    const answer = await this.request('/v3/kv/deleterange', { key: base64(key) })
    return Number(answer.header.revision)
  }

  /** All puts in one transaction. */
  async putAll(pairs: Readonly<Record<string, string>>): Promise<number> {
    const success = Object.entries(pairs).map(([key, value]) => ({
      request_put: { key: base64(key), value: base64(value) },
    }))
    return Number((await this.request('/v3/kv/txn', { success })).header.revision)
  }

  async compact(revision: number): Promise<void> {
    await this.request('/v3/kv/compaction', { revision: String(revision), physical: true })
  }

  /** Gives the id of a new lease. */
  async grant(ttl: number): Promise<string> {
    return (await this.request('/v3/lease/grant', { TTL: String(ttl) })).ID ?? ''
  }

  async revoke(lease: string): Promise<void> {
    await this.request('/v3/lease/revoke', { ID: lease })
  }

  async authenticate(name: string, password: string): Promise<string> {
    return (await this.request('/v3/auth/authenticate', { name, password })).token ?? ''
  }

  /** What the server counts of itself, by name. */
  async metric(name: string): Promise<number> {
    const text = await this.#exchange('GET', '/metrics', undefined)
    return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  }

  async request(path: string, message: object): Promise<Answer> {
    return JSON.parse(await this.#exchange('POST', path, JSON.stringify(message))) as Answer
  }

  /** A watch of one key, as bare as can be. Resolves when it stands. */
  async watch(key: string): Promise<BareWatch> {
    const create = { create_request: { key: base64(key) } }
    const sent = request(`${this.#url}/v3/watch`, { method: 'POST', agent: false })
    sent.on('error', () => {})
    sent.end(JSON.stringify(create))
    let onEvent = (_atMs: number) => {}
    await new Promise<void>(resolve => {
      sent.on('response', (response: IncomingMessage) => {
        response.on('error', () => {})
        response.setEncoding('utf8').on('data', (text: string) => {
          const atMs = performance.now()
          if (text.includes('"created"')) resolve()
          else if (text.includes('"events"')) onEvent(atMs)
        })
      })
    })
    return {
      next: () => new Promise<number>(resolve => (onEvent = resolve)),
      close: () => void sent.destroy(),
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #exchange(method: string, path: string, body: string | undefined): Promise<string> {
    const { token } = this.#options
    const headers = token === undefined ? {} : { authorization: token }
    const send = this.#url.startsWith('https:') ? tlsRequest : request
    return new Promise((resolve, reject) => {
      const sent = send(`${this.#url}${path}`, { method, agent: this.#agent, headers }, (response: IncomingMessage) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text)
          else reject(new Error(`${response.statusCode}: ${text}`))
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}

export interface BareWatch {
  /** The moment of the next event, on the clock of `performance.now()`. */
  next(): Promise<number>
  close(): void
}

export interface Answer {
  readonly header: { readonly revision: string }
  readonly ID?: string
  readonly token?: string
}

function base64(content: Uint8Array | string): string {
  return Buffer.from(content).toString('base64')
}
