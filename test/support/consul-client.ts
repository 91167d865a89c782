import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SecureContextOptions } from 'node:tls'

/** Between an answer to a watch and its next query. */
const AGAIN_MS = 20

export interface ConsulClientOptions {
  readonly token?: string
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> | undefined
}

export interface ConsulAnswer {
  readonly status: number
  readonly index: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A bare client of Consul's API: what the tests and the bench write with. It shares nothing with the provider. */
export class ConsulClient {
  readonly #url: string
  readonly #options: ConsulClientOptions
  readonly #agent: Agent

  constructor(url: string, options: ConsulClientOptions = {}) {
    this.#url = url
    this.#options = options
    this.#agent = url.startsWith('https:')
      ? new TlsAgent({ keepAlive: true, ...options.tls })
      : new Agent({ keepAlive: true })
  }

  async put(key: string, value: Uint8Array | string, query = ''): Promise<void> {
    await this.must('PUT', `kv/${encoded(key)}${query}`, value)
  }

  async remove(key: string, query = ''): Promise<void> {
    await this.must('DELETE', `kv/${encoded(key)}${query}`)
  }

  /** All puts in one transaction, 64 at most. */
  async putAll(pairs: Readonly<Record<string, string>>): Promise<void> {
    const operations = Object.entries(pairs).map(([key, value]) => ({
      KV: { Verb: 'set', Key: key, Value: Buffer.from(value).toString('base64') },
    }))
    await this.must('PUT', 'txn', JSON.stringify(operations))
  }

  /** A service of the agent's. */
  async register(service: Readonly<Record<string, unknown>>): Promise<void> {
    await this.must('PUT', 'agent/service/register', JSON.stringify(service))
  }

  /** A node and what is on it, in the catalog. */
  async registerNode(node: Readonly<Record<string, unknown>>): Promise<void> {
    await this.must('PUT', 'catalog/register', JSON.stringify(node))
  }

  /** Makes a token with these rules, and gives its secret. */
  async makeToken(rules: string): Promise<string> {
    const name = `policy-${Math.random().toString(36).slice(2)}`
    await this.must('PUT', 'acl/policy', JSON.stringify({ Name: name, Rules: rules }))
    const made = await this.must('PUT', 'acl/token', JSON.stringify({ Policies: [{ Name: name }] }))
    return made.SecretID ?? ''
  }

  /** What it answers; fails where that is no 200. */
  async must(method: string, path: string, body?: Uint8Array | string): Promise<Readonly<Record<string, string>>> {
    const { status, text } = await this.exchange(method, path, body)
    if (status !== 200) throw new Error(`${status}: ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, string>>
  }

  exchange(method: string, path: string, body?: Uint8Array | string): Promise<ConsulAnswer> {
    const { token } = this.#options
    const headers = token === undefined ? {} : { 'x-consul-token': token }
    const send = this.#url.startsWith('https:') ? tlsRequest : request
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.#agent, headers }
      const sent = send(`${this.#url}/v1/${path}`, options, (response: IncomingMessage) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            index: Number(response.headers['x-consul-index']),
            headers: response.headers,
            text,
          }),
        )
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** A blocking query on one key, asked again a moment after each answer: as bare as can be. Resolves when it waits. */
  async watch(key: string): Promise<BareWatch> {
    let onChange = (_atMs: number) => {}
    let isOver = false
    const again = async (index: number): Promise<void> => {
      const answer = await this.exchange('GET', `kv/${encoded(key)}?index=${index}&wait=10m`)
      onChange(performance.now())
      // Whoever measures others beside it is not to be held up by its next query.
      await sleep(AGAIN_MS)
      if (!isOver) await again(answer.index)
    }
    void again((await this.exchange('GET', `kv/${encoded(key)}`)).index).catch(() => {})
    return {
      next: () => new Promise<number>(resolve => (onChange = resolve)),
      close: () => {
        isOver = true
      },
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}

export interface BareWatch {
  /** The moment of the next answer, on the clock of `performance.now()`. */
  next(): Promise<number>
  close(): void
}

function encoded(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/')
}
