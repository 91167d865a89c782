import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConsulClient, type ConsulClientOptions } from './consul-client.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { findProgram, ServerProcess, versionOf } from './server-process.ts'

const program = findProgram('CONSUL_BIN', 'consul')

/** Why no Consul can be started here, or undefined. */
export const whyNoConsul =
  program === undefined
    ? 'needs consul: extract it from the package of Debian 11 (dpkg -x), and set CONSUL_BIN to the program, or have it on the PATH'
    : undefined

/** For the titles of tests: on which Consul they run, or why they do not. */
export const onConsul =
  program === undefined ? `(skipped: ${whyNoConsul})` : `on Consul ${versionOf(program, 'version', /^Consul v?(\S+)/)}`

/** Whether there is a Consul here, of that version or newer. */
function isSince(major: number, minor: number): boolean {
  const [foundMajor = 0, foundMinor = 0] = (/ (\d+)\.(\d+)/.exec(onConsul)?.slice(1) ?? []).map(Number)
  return program !== undefined && (foundMajor > major || (foundMajor === major && foundMinor >= minor))
}

/** Whether it knows of other clusters, to which it speaks over a port of its own. */
export const hasPeers = isSince(1, 14)
/** Whether it says what is exported to them. */
export const hasExports = isSince(1, 18)

/** Why there is no Consul here that has peers, or undefined. */
export const whyNoPeers = whyNoConsul ?? (hasPeers ? undefined : 'needs Consul 1.14 or newer')

export interface ConsulServerOptions {
  /** Whether what it holds outlives its end. @default false */
  readonly persistent?: boolean
  /** Configuration beside what says where it listens. */
  readonly config?: Readonly<Record<string, unknown>>
  /** PEM files. With `clients`, it asks for a certificate of the same authority. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string; readonly clients?: boolean }
  /** The path of a Unix socket on which it listens as well. */
  readonly socket?: string
  /** What our own client shows. */
  readonly client?: ConsulClientOptions
}

/** What rules over everything, where there are tokens. */
export const ROOT_TOKEN = '6e1c1c3a-0000-4000-8000-000000000001'

/** Tokens, without which nothing may be read. */
export const ACLS = {
  acl: { enabled: true, default_policy: 'deny', tokens: { master: ROOT_TOKEN, agent: ROOT_TOKEN } },
}

/** How often it is started at most, when it ends at once. */
const STARTS_MAX = 5

/** One Consul on loopback. It must be ended by `kill`. */
export class ConsulServer {
  readonly url: string
  readonly port: number
  readonly client: ConsulClient
  readonly #directory: string
  readonly #isPersistent: boolean
  readonly #process = new ServerProcess('Consul')

  private constructor(directory: string, ports: readonly number[], options: ConsulServerOptions) {
    const { tls, client, persistent = false } = options
    this.port = ports[0] as number
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
    this.client = new ConsulClient(this.url, client)
    this.#directory = directory
    this.#isPersistent = persistent
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'config.json'), JSON.stringify(configOf(ports, options)))
  }

  /** Starts one and waits until it can be written. @param directory for its data, which may lie in memory */
  static async start(directory: string, options: ConsulServerOptions = {}): Promise<ConsulServer> {
    for (let tries = 1; ; tries++) {
      const ports = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()]
      const server = new ConsulServer(join(directory, 'consul'), ports, options)
      try {
        await server.resume()
        return server
      } catch (error) {
        await server.kill()
        // Somebody else may have taken one of them meanwhile.
        if (!(error instanceof EndedError) || tries === STARTS_MAX) throw error
      }
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Starts it again: on what it held where it is persistent, else on nothing, and its index counts from one again. */
  async resume(): Promise<void> {
    if (program === undefined) throw new Error(whyNoConsul)
    const kind = this.#isPersistent ? ['-server', '-bootstrap-expect=1', `-data-dir=${this.#directory}/data`] : ['-dev']
    const args = ['agent', ...kind, `-config-file=${this.#directory}/config.json`]
    this.#process.start(program, args, { CHECKPOINT_DISABLE: '1', HOME: this.#directory })
    const isUp = await eventually(() => this.#process.exitCode === null && this.#takesWrites(), { withinMs: 30_000 })
    if (!isUp) throw new EndedError(`Consul has ended with ${this.#process.exitCode}`)
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    this.client.close()
    await this.#process.kill()
  }

  /** Holds it up: it keeps its connections, takes new ones, and answers none. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  unpause(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Takes all that it holds away from it, while it does not run. */
  async forget(): Promise<void> {
    await rm(`${this.#directory}/data`, { recursive: true, force: true })
  }

  async #takesWrites(): Promise<boolean> {
    // Where there are tokens, it answers a 403 to whoever has none, once it has a leader.
    const { status } = await this.client.exchange('PUT', 'kv/started', 'x')
    if (status !== 200 && status !== 403) throw new Error(`Consul answers ${status}`)
    if (status === 200) await this.client.exchange('DELETE', 'kv/started')
    return true
  }
}

class EndedError extends Error {}

function configOf([http = 0, server, lan, wan, peers]: readonly number[], options: ConsulServerOptions): object {
  const { tls, socket, config = {} } = options
  const off = -1
  const own = tls === undefined ? { http, https: off } : { http: off, https: http }
  return {
    node_name: 'one',
    bind_addr: '127.0.0.1',
    client_addr: '127.0.0.1',
    disable_host_node_id: true,
    disable_update_check: true,
    leave_on_terminate: false,
    log_level: 'err',
    performance: { raft_multiplier: 1 },
    ports: {
      ...own,
      dns: off,
      grpc: off,
      server,
      serf_lan: lan,
      serf_wan: wan,
      ...(hasPeers ? { grpc_tls: peers } : {}),
    },
    ...(socket === undefined ? {} : { addresses: { http: `127.0.0.1 unix://${socket}` } }),
    ...(tls === undefined ? {} : { ca_file: tls.ca, cert_file: tls.certificate, key_file: tls.key }),
    ...(tls?.clients === true ? { verify_incoming_https: true } : {}),
    ...config,
  }
}
