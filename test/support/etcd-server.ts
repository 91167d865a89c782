import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'

/** Where etcd is: `ETCD_BIN`, else on the PATH. */
const onPath = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, 'etcd'))
const program = [process.env.ETCD_BIN ?? '', ...onPath].find(path => path !== '' && existsSync(path))

/** Why no etcd can be started here, or undefined. */
export const whyNoEtcd =
  program === undefined
    ? 'needs etcd: apt-get download etcd-server, dpkg -x it, and set ETCD_BIN to the program, or have it on the PATH'
    : undefined

/** For the titles of tests: on which etcd they run, or why they do not. */
export const onEtcd = program === undefined ? `(skipped: ${whyNoEtcd})` : `on ${versionOf(program)}`

function versionOf(path: string): string {
  const said = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout
  return `etcd ${/^etcd Version: (\S+)/.exec(said)?.[1] ?? 'of an unknown version'}`
}

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
  #child: ChildProcess | undefined

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
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('etcd does not run')
    return pid
  }

  /** Starts it again, on what it held. */
  async resume(): Promise<void> {
    if (program === undefined) throw new Error(whyNoEtcd)
    const child = spawn(program, this.#arguments, {
      stdio: 'ignore',
      // Debian's builds for other processors want to be told that they may run.
      env: { PATH: process.env.PATH ?? '', ETCD_UNSUPPORTED_ARCH: process.arch },
    })
    this.#child = child
    await eventually(() => this.#answers(child), { withinMs: 20_000 })
  }

  /** Ends it without a word, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    this.client.close()
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Takes all that it holds away from it, while it does not run. */
  async forget(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #answers(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null) throw new Error(`etcd has ended with ${child.exitCode}`)
    // With users, it answers a 400 to whoever it does not know.
    await this.client.request('/v3/kv/range', { key: 'AA==' }).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.startsWith('400'))) throw error
    })
  }
}
