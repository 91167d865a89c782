import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { findProgram, ServerProcess, versionOf } from './server-process.ts'

const program = findProgram('ETCD_BIN', 'etcd')

/** Why no etcd can be started here, or undefined. */
export const whyNoEtcd =
  program === undefined
    ? 'needs etcd: apt-get download etcd-server, dpkg -x it, and set ETCD_BIN to the program, or have it on the PATH'
    : undefined

/** For the titles of tests: on which etcd they run, or why they do not. */
export const onEtcd =
  program === undefined
    ? `(skipped: ${whyNoEtcd})`
    : `on etcd ${versionOf(program, '--version', /^etcd Version: (\S+)/)}`

export interface EtcdServerOptions {
  /** Flags beside those that say where it listens. */
  readonly flags?: readonly string[]
  /** PEM files. With `clients`, it asks for a certificate of the same authority. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string; readonly clients?: boolean }
  /** What our own client shows. */
  readonly client?: EtcdClientOptions
}

/** One etcd on loopback. It must be ended by `kill`. */
export class EtcdServer {
  readonly url: string
  readonly port: number
  readonly client: EtcdClient
  readonly #directory: string
  readonly #arguments: readonly string[]
  readonly #process = new ServerProcess('etcd')

  private constructor(directory: string, port: number, peerPort: number, options: EtcdServerOptions) {
    const { tls, client, flags = [] } = options
    const peer = `http://127.0.0.1:${peerPort}`
    this.port = port
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
    this.client = new EtcdClient(this.url, client)
    this.#directory = directory
    this.#arguments = [
      '--name=one',
      `--data-dir=${directory}`,
      `--listen-client-urls=${this.url}`,
      `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=one=${peer}`,
      '--logger=zap',
      '--log-outputs=stderr',
      '--log-level=error',
      ...(tls === undefined ? [] : [`--cert-file=${tls.certificate}`, `--key-file=${tls.key}`]),
      ...(tls?.clients === true ? ['--client-cert-auth', `--trusted-ca-file=${tls.ca}`] : []),
      ...flags,
    ]
  }

  /** Starts one and waits until it answers. @param directory for its data, which may lie in memory */
  static async start(directory: string, options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const server = new EtcdServer(join(directory, 'etcd'), await freePort(), await freePort(), options)
    await server.resume()
    return server
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Starts it again, on what it held. */
  async resume(): Promise<void> {
    if (program === undefined) throw new Error(whyNoEtcd)
    // Debian's builds for other processors want to be told that they may run.
    this.#process.start(program, this.#arguments, { ETCD_UNSUPPORTED_ARCH: process.arch })
    await eventually(() => this.#answers(), { withinMs: 20_000 })
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    this.client.close()
    await this.#process.kill()
  }

  /** Takes all that it holds away from it, while it does not run. */
  async forget(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #answers(): Promise<void> {
    const { exitCode } = this.#process
    if (exitCode !== null) throw new Error(`etcd has ended with ${exitCode}`)
    // With users, it answers a 400 to whoever it does not know.
    await this.client.request('/v3/kv/range', { key: 'AA==' }).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('400'))) throw error
    })
  }
}
