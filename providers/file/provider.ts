import { randomBytes } from 'node:crypto'
import { access, constants } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { fromBytes } from '../../lib/base/text.ts'
import { Tree } from '../../lib/base/value.ts'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { messageOf } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import { absent, contentRevision, type Reading } from '../../lib/reading.ts'
import { poll } from '../poll.ts'
import { failure } from './failure.ts'
import { Hints, type Bell } from './hints.ts'
import type { FileOptions } from './options.ts'
import { TREE } from './questions.ts'
import { moved, readFileBelow, readSteadily, type FileRead, type ReadOptions } from './read.ts'
import { readTreeBelow, type FilesRead } from './read-tree.ts'
import type { Places } from './resolve.ts'
import { watchDirectory as watchWithChokidar, type WatchDirectory } from './watch-directory.ts'

/** How often everything is looked at when the system cannot say what changed. */
const POLL_UNHINTED_MS = 1_000

/** What one watch keeps from reading to reading. */
interface Watch {
  readonly bell: Bell
  file?: FileRead
  files?: FilesRead
}

/** Values in files. Events are hints and reading is the truth: each hint, and the slow poll, reads; what reads the same as
 *  before is not yielded. */
export class FileProvider implements Provider {
  readonly #options: FileOptions
  readonly #host: ProviderHost
  readonly #hints: Hints
  readonly #reads: ReadOptions

  constructor(options: FileOptions, host: ProviderHost, watchDirectory: WatchDirectory = watchWithChokidar) {
    this.#options = options
    this.#host = host
    this.#hints = new Hints(host.log, watchDirectory)
    this.#reads = {
      root: resolve(host.configDirectory, options.path),
      clock: host.clock,
      // Of this process alone: a revision is shown, and a short secret could be guessed from its plain hash.
      revisionKey: options.sensitive ? randomBytes(32) : undefined,
    }
  }

  async *watch(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    const watch: Watch = { bell: new Mailbox() }
    const { clock, random } = this.#host
    const [options, hints] = [this.#options, this.#hints]
    const rhythm = {
      get everyMs() {
        return hints.failed ? Math.min(POLL_UNHINTED_MS, options.pollMs) : options.pollMs
      },
      clock,
      random,
      hint: watch.bell,
    }
    let revision: string | undefined
    try {
      for await (const reading of poll(rhythm, () => this.#read(dependency, watch, signal), signal)) {
        if (reading.revision === revision) continue
        revision = reading.revision
        yield reading
      }
    } finally {
      this.#hints.forget(watch.bell)
    }
  }

  async check(): Promise<Health> {
    const { root } = this.#reads
    try {
      await access(root, constants.R_OK)
      return { ok: true, message: `${root} can be read` }
    } catch (error) {
      return { ok: false, message: messageOf(failure(root, error)) }
    }
  }

  async close(): Promise<void> {
    await this.#hints.close()
  }

  async #read(dependency: Dependency, watch: Watch, signal: AbortSignal): Promise<Reading> {
    try {
      const { kind, path } = dependency
      const attempt = (places: Places) =>
        kind === TREE ? this.#takeTree(path, places, watch) : this.#takeFile(path, places, watch)
      const shown = join(this.#options.path, path)
      const { content, places } = await orAborted(readSteadily(shown, this.#reads, attempt, signal), signal)
      this.#hints.follow(watch.bell, places)
      const { sensitive } = this.#options
      return { ...(content ?? (await this.#nothing(shown))), observedAtMs: this.#host.clock.nowMs(), sensitive }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw failure(showDependency(dependency), error)
    }
  }

  /** Says whether it is the one thing that is missing, or the provider's whole path: mistyped, or not mounted yet. */
  async #nothing(path: string): Promise<Content> {
    const { root } = this.#reads
    const isRootThere = await access(root).then(
      () => true,
      () => false,
    )
    const why = isRootThere ? `there is no ${path}` : `the provider's path ${root} does not exist`
    return { value: absent, revision: isRootThere ? 'absent' : 'absent with its root', why }
  }

  async #takeFile(path: string, places: Places, watch: Watch): Promise<Content | typeof moved | undefined> {
    const read = await readFileBelow(path, places, this.#reads, watch.file)
    if (read === undefined || read === moved) return read
    watch.file = read
    return { value: fromBytes(read.file.content), revision: read.revision }
  }

  async #takeTree(path: string, places: Places, watch: Watch): Promise<Content | typeof moved | undefined> {
    const read = await readTreeBelow(path, places, this.#reads, watch.files)
    if (read === undefined || read === moved) return read
    watch.files = read
    const listing = [...read].map(([name, { file, revision }]) => `${revision} ${file.mode} ${name}\0`).join('')
    const files = new Map([...read].map(([name, { file }]) => [name, file]))
    return { value: new Tree(files), revision: contentRevision(listing, this.#reads.revisionKey) }
  }
}

type Content = Pick<Reading, 'value' | 'revision' | 'why'>

/** Settles with the promise, or at once with the signal's reason: a network file system can hold a read up for ever. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
