// What the quick start plays on: a scratch directory with everything in it, and the two processes.
import { execFile, fork, spawn, type ChildProcess } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { bundle } from '../../cmd/build/bundle.ts'

/** How long anything may take before the quick start gives up. */
const PATIENCE_MS = 15_000

/** How long a process may take to end when asked to. */
const END_MS_MAX = 3_000

/** The message of the hook, as the application passes it on. */
export interface Notice {
  readonly generation: number
  readonly changed: readonly string[]
}

export interface Answer {
  readonly status: number
  readonly body: string
}

export class Stage {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'outrigger-quickstart-')))
  readonly #children = new Set<ChildProcess>()
  #building: Promise<unknown> | undefined
  #cleared: Promise<void> | undefined
  readonly #notices: Notice[] = []
  #outrigger: ChildProcess | undefined
  #appPort = 0
  #adminPort = 0
  #log = ''

  /** Builds the program, and makes the repository and the values. */
  async set(values: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>): Promise<void> {
    this.#building = bundle(join(this.directory, 'outrigger.js'))
    await this.#building
    this.#ensureNotCleared()
    for (const file of ['outrigger.yaml', 'app.json.tmpl', 'check.mjs']) {
      copyFileSync(join(import.meta.dirname, file), join(this.directory, file))
    }
    mkdirSync(join(this.directory, 'values'))
    for (const [name, text] of Object.entries(values)) this.setValue(name, text)
    mkdirSync(join(this.directory, 'repository'))
    await this.#git('init', '--quiet', '--initial-branch=main')
    await this.commit(files, 'begin')
    this.#appPort = await freePort()
    this.#adminPort = await freePort()
  }

  setValue(name: string, text: string): void {
    writeFileSync(join(this.directory, 'values', name), text)
  }

  /** Commits files, and gives the short name of the commit. */
  async commit(files: Readonly<Record<string, string>>, message: string): Promise<string> {
    for (const [path, text] of Object.entries(files)) writeFileSync(join(this.directory, 'repository', path), text)
    await this.#git('add', '--all')
    await this.#git('commit', '--quiet', '--message', message)
    return (await this.#git('rev-parse', '--short', 'HEAD')).trim()
  }

  startOutrigger(): void {
    const child = spawn(process.execPath, ['outrigger.js', 'run', '--log-format', 'text'], {
      cwd: this.directory,
      env: {
        PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}`,
        REPOSITORY: `file://${join(this.directory, 'repository')}`,
        APP_PORT: String(this.#appPort),
        ADMIN_PORT: String(this.#adminPort),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.on('data', (chunk: Buffer) => (this.#log += chunk.toString('utf8')))
    this.#outrigger = child
    this.#children.add(child)
  }

  startApplication(): void {
    const script = join(import.meta.dirname, 'application.ts')
    const child = fork(script, [join(this.directory, 'volume'), String(this.#appPort)], { stdio: 'inherit' })
    child.on('message', notice => this.#notices.push(notice as Notice))
    this.#children.add(child)
  }

  /** Asks Outrigger to leave, and gives its exit code. */
  async stopOutrigger(): Promise<number | null> {
    const child = this.#outrigger
    this.#outrigger = undefined
    child?.kill('SIGTERM')
    await this.until('Outrigger leaves', () => child !== undefined && hasEnded(child))
    return child?.exitCode ?? null
  }

  /** The number of the generation that is visible, as any reader of the volume sees it; 0 before the first. */
  visible(): number {
    try {
      return Number(/^\.\.g(\d+)$/.exec(readlinkSync(join(this.directory, 'volume', '..data')))?.[1] ?? 0)
    } catch {
      return 0
    }
  }

  /** The lines of the file that is published, in one generation. */
  linesOf(generation: number): readonly string[] {
    return readFileSync(join(this.directory, 'volume', `..g${generation}`, 'app.json'), 'utf8')
      .trimEnd()
      .split('\n')
  }

  /** The notice of a generation, if it has come. */
  noticeOf(generation: number): Notice | undefined {
    return this.#notices.find(notice => notice.generation === generation)
  }

  async askApplication(): Promise<string> {
    return (await get(this.#appPort, '/')).body
  }

  askOutrigger(path: string): Promise<Answer> {
    return get(this.#adminPort, path)
  }

  /** Waits until something is so, and gives it. Rejects when that takes too long, with what Outrigger said last. */
  async until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
    const deadlineMs = performance.now() + PATIENCE_MS
    while (performance.now() < deadlineMs) {
      const found = await Promise.resolve(look()).catch(() => undefined)
      if (found !== undefined && found !== null && found !== false) return found
      if (this.#outrigger !== undefined && hasEnded(this.#outrigger)) break
      await sleep(5)
    }
    throw new Error(`waited in vain until ${what}; Outrigger said:\n${this.#log.trimEnd()}`)
  }

  get isCleared(): boolean {
    return this.#cleared !== undefined
  }

  /** Ends what still runs, and then removes everything. May be called again. */
  clear(): Promise<void> {
    return (this.#cleared ??= this.#clear())
  }

  async #clear(): Promise<void> {
    // A git that is killed may leave a child that writes into what is being removed; told to end, Outrigger ends its own.
    await Promise.allSettled([this.#building, ...[...this.#children].map(endOf)])
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }

  #ensureNotCleared(): void {
    if (this.isCleared) throw new Error('it is over')
  }

  async #git(...args: readonly string[]): Promise<string> {
    this.#ensureNotCleared()
    const run = promisify(execFile)
    const options = [
      '-c',
      'user.name=Quick Start',
      '-c',
      'user.email=quickstart@example.org',
      '-c',
      'commit.gpgSign=false',
    ]
    const running = run('git', [...options, ...args], {
      cwd: join(this.directory, 'repository'),
      env: {
        PATH: process.env['PATH'],
        HOME: this.directory,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
      },
    })
    this.#children.add(running.child)
    return (await running).stdout
  }
}

/** Asks a process to end, and resolves when it has. */
async function endOf(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const impatience = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
  await ended
  clearTimeout(impatience)
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

function get(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false, timeout: 2_000 }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.end()
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
