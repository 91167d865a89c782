import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ProviderError } from '../../lib/errors.ts'
import { GitFailed, type Deadline, type GitCommand } from './command.ts'
import type { Environment, Places } from './environment.ts'
import { parseBlobs, parseListing, type Entry, type Listing } from './tree.ts'

/** Where the fetched commit is kept, so that collecting garbage leaves it alone. */
export const OUR_REF = 'refs/outrigger/current'
const CONFIG = {
  sha1: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n',
  sha256: '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n',
}
const FETCH =
  'fetch --quiet --depth=1 --no-tags --force --no-write-fetch-head --no-auto-maintenance --no-recurse-submodules ' +
  '--no-show-forced-updates --end-of-options'
/** How many packs pile up, one for each fetch, before garbage is collected. */
const PACKS_MAX = 16
/** How much one `cat-file` is asked for: its output is in memory twice. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024

/** What ends early, and what must not be seen, in one operation. */
export interface Operation {
  readonly deadline: Deadline
  readonly signal: AbortSignal
  /** Credentials, for the process that talks to the remote. */
  readonly secrets: Environment
}

/** Our private bare repository: a cache that holds nothing precious. We are its only writer (the state directory is locked),
 *  so whatever lock lies in it was left behind by a process that was killed. */
export class Repository {
  readonly #git: GitCommand
  readonly #places: Places
  #packs = 0

  constructor(git: GitCommand, places: Places) {
    this.#git = git
    this.#places = places
  }

  /** Whether garbage should be collected when there is time. */
  get crowded(): boolean {
    return this.#packs >= PACKS_MAX
  }

  /** Makes it ready to be written: made if it is not there, and free of what a killed git left. Says whether it was made.
   *  @param hash any hash of the remote: its length says which hashes the repository has */
  async prepare(hash: string, { deadline, signal }: Operation): Promise<{ readonly made: boolean }> {
    const { repository } = this.#places
    const format = hash.length === 40 ? 'sha1' : 'sha256'
    const status = await lstat(repository).catch(() => undefined)
    const made = status?.isDirectory() !== true
    if (made) {
      await this.remove()
      await mkdir(repository, { mode: 0o700 })
      const init = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`]
      await this.#git.group(init, deadline, signal)
    }
    await this.#configure(CONFIG[format])
    await this.#removeLeftovers()
    return { made }
  }

  /** Removes it; the next `prepare` makes a new one. */
  async remove(): Promise<void> {
    await rm(this.#places.repository, { recursive: true, force: true })
  }

  /** Fetches one commit, without its history. @param source a full ref name or a hash, as the remote knows it */
  async fetch(url: string, source: string, { deadline, signal, secrets }: Operation): Promise<void> {
    try {
      await this.#git.group([...FETCH.split(' '), url, `+${source}:${OUR_REF}`], deadline, signal, secrets)
    } catch (error) {
      // Half a pack can be large, and the journal is on the same disk.
      await this.#removeLeftovers().catch(() => {})
      throw error
    }
    this.#packs++
  }

  /** The hash of the commit that was fetched last, or of `revision`; tags are followed to it. */
  async commit({ deadline, signal }: Operation, revision = OUR_REF): Promise<string> {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]
    return (await this.#git.local(args, deadline, signal)).trim()
  }

  /** What a tag that leads to no commit leads to, `blob` or `tree`. */
  async kind({ deadline, signal }: Operation): Promise<string> {
    return (await this.#git.local(['cat-file', '-t', `${OUR_REF}^{}`], deadline, signal)).trim()
  }

  /** What a commit has in a directory. Throws `invalid-data` when it has no such directory. @param where for messages */
  async list(commit: string, path: string, where: string, { deadline, signal }: Operation): Promise<Listing> {
    const tree = path === '' ? commit : `${commit}:${path}`
    const list = (...args: string[]) => this.#git.local(['ls-tree', '-z', '--full-tree', ...args], deadline, signal)
    try {
      return parseListing(await list('-r', '-l', tree), where)
    } catch (error) {
      if (!(error instanceof GitFailed) || error.timedOut || path === '') throw error
      // A missing directory and a missing object fail alike. Asked this way round, a directory that is not there is no failure.
      const [entry = ''] = (await list(commit, '--', path)).split('\0')
      if (entry.includes(' tree ')) throw error
      const why = entry === '' ? 'is not there' : 'is not a directory'
      throw new ProviderError('invalid-data', `${where} ${why}`, { hint: 'correct path:, or push it' })
    }
  }

  /** The contents of these entries, by hash. */
  async contents(entries: readonly Entry[], { deadline, signal }: Operation): Promise<ReadonlyMap<string, Uint8Array>> {
    const contents = new Map<string, Uint8Array>()
    for (const batch of batches(entries)) {
      parseBlobs(await this.#git.catFile(batch.map(hash => `${hash}\n`).join(''), deadline, signal), contents)
    }
    return contents
  }

  /** Drops what belongs to no commit of ours. */
  async collect({ deadline, signal }: Operation): Promise<void> {
    await this.#removeLeftovers()
    await this.#git.group(['gc', '--quiet', '--prune=now'], deadline, signal)
    this.#packs = 1
  }

  /** The file is ours each time, whatever was done to it; the environment has the rest, and wins over it. */
  async #configure(config: string): Promise<void> {
    const path = join(this.#places.repository, 'config')
    // Not written when it is right: a full disk must not empty it.
    if ((await readFile(path, 'utf8').catch(() => '')) === config) return
    await rm(path, { recursive: true, force: true })
    await writeFile(path, config)
  }

  async #removeLeftovers(): Promise<void> {
    const names = await readdir(this.#places.repository, { recursive: true })
    for (const name of names) {
      if (LEFTOVER.test(name)) await rm(join(this.#places.repository, name), { recursive: true, force: true })
    }
    this.#packs = names.filter(name => name.endsWith('.pack')).length
  }
}

/** What git makes for the time of one command: locks, packs that are being received or written, objects likewise, the mark that
 *  keeps a new pack from being collected, the list of a shallow fetch, and the claim of a running `gc`. */
const LEFTOVER = /(?:\.lock|\.keep|(?:^|\/)(?:\.?tmp[-_][^/]*|shallow_[^/]*|gc\.pid|incoming-[^/]*))$/

function* batches(entries: readonly Entry[]): Generator<readonly string[]> {
  let batch = new Set<string>()
  let bytes = 0
  for (const { hash, size } of entries) {
    if (batch.has(hash)) continue
    if (bytes + size > BATCH_BYTES_MAX && batch.size > 0) {
      yield [...batch]
      batch = new Set()
      bytes = 0
    }
    batch.add(hash)
    bytes += size
  }
  if (batch.size > 0) yield [...batch]
}
