import { dirname, join } from 'node:path'
import type { FileSystem } from '../base/filesystem.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { alreadyVisible, attributesOf, Generations } from './generations.ts'
import { checkPaths } from './paths.ts'
import { explaining, type Publisher, type PublisherHost } from './publisher.ts'

/** Publishes files at absolute paths, where no link can flip them all at once: each file is complete at every moment, and
 *  the files of a generation follow each other.
 *
 *      DIRECTORY/..g42/etc/app/app.conf    the generations, staged as copies, readable by us only
 *      DIRECTORY/visible                   the number of the generation whose files all lie at their paths
 *
 *  `directory` is the bundle's own, in the state directory. The commit point is the journal's intent: once a publish has
 *  begun, it is finished from the staged copies, or a later generation is published over it; it cannot be taken back. */
export function filesPublisher(directory: string, host: PublisherHost): Publisher {
  return explaining(new Files(directory, host), directory)
}

class Files implements Publisher {
  readonly #generations: Generations
  readonly #fileSystem: FileSystem
  readonly #home: string
  readonly #marker: string

  constructor(home: string, host: PublisherHost) {
    this.#generations = new Generations(home, '/', 0o700, host)
    this.#fileSystem = host.fileSystem
    this.#home = home
    this.#marker = join(home, 'visible')
  }

  prepare(): Promise<void> {
    return this.#generations.prepare()
  }

  async visible(): Promise<number | undefined> {
    if ((await this.#fileSystem.stat(this.#marker)) === undefined) return undefined
    const text = Buffer.from(await this.#fileSystem.readFile(this.#marker)).toString('latin1')
    const digits = /^([1-9][0-9]{0,14})\n$/.exec(text)?.[1]
    const number = digits === undefined ? undefined : Number(digits)
    return number !== undefined && (await this.#generations.has(number)) ? number : undefined
  }

  async stage(number: number, files: readonly OutputFile[]): Promise<string> {
    checkPaths(files, '/')
    await this.#refuseVisible(number)
    await this.#refuseForeign(files)
    return this.#generations.write(number, files)
  }

  /** 1. Look: the generation is there and no directory lies where a file must be; else nothing changes.
   *  2. Note the time on the generation that is about to be replaced.
   *  3. Replace each file that differs, durably, by one rename each. A crash leaves some files new and some old, each of
   *     them whole; publishing again goes on from there. The directories that a file needs are made.
   *  4. Remove the files that earlier generations had and this one has not: of the visible one, and of those whose publish
   *     was begun and not finished. One that somebody has changed since is left.
   *  5. Sync the directories of files that were right or removed: a crash may have come between their rename and its sync.
   *  6. Write the marker: from here on the generation is visible, also after a power cut. */
  async publish(number: number): Promise<void> {
    await this.#generations.demand(number) // (1)
    const files = await this.#generations.read(number)
    await this.#refuseForeign(files)
    const before = await this.visible()
    if (before !== undefined && before !== number) await this.#generations.markReplaced(before) // (2)
    const unsynced = new Set<string>()
    for (const file of files) {
      if (await this.#isThere(file)) {
        unsynced.add(dirname(file.path))
        continue
      }
      await this.#put(file) // (3)
    }
    for (const parent of await this.#removeVanished(number, before, files)) unsynced.add(parent) // (4)
    for (const parent of [...unsynced].toSorted()) await this.#fileSystem.syncDirectory(parent) // (5)
    await this.#fileSystem.replaceFile(this.#marker, Buffer.from(`${number}\n`), { mode: 0o600 }) // (6)
  }

  resume(number: number): Promise<void> {
    return this.publish(number)
  }

  async discard(number: number): Promise<void> {
    await this.#refuseVisible(number)
    await this.#generations.remove(number)
  }

  async heal(number: number, paths: ReadonlySet<string>): Promise<boolean> {
    if (!(await this.#generations.hasExactly(number, paths))) return false
    const gone = new Set<string>()
    for (const path of paths) if ((await this.#fileSystem.stat(path)) === undefined) gone.add(path)
    if (gone.size === 0) return true
    for (const file of await this.#generations.read(number)) if (gone.has(file.path)) await this.#put(file)
    return true
  }

  async collect(keep: number, also: readonly number[]): Promise<void> {
    const number = await this.visible()
    if (number !== undefined) await this.#generations.collect(keep, also, number)
  }

  generations(): Promise<readonly number[]> {
    return this.#generations.list()
  }

  read(number: number): Promise<readonly OutputFile[]> {
    return this.#generations.read(number)
  }

  directory(number: number): string {
    return this.#generations.directory(number)
  }

  async #put(file: OutputFile): Promise<void> {
    await this.#fileSystem.makeDirectories(dirname(file.path), 0o755)
    await this.#fileSystem.replaceFile(file.path, file.content, attributesOf(file))
  }

  /** Whether a file lies at its path just as it should, so that it keeps its inode and no watcher wakes up. */
  async #isThere({ path, content, mode, uid, gid }: OutputFile): Promise<boolean> {
    const status = await this.#fileSystem.stat(path)
    if (status?.kind !== 'file' || status.size !== content.length || status.mode !== mode) return false
    // An owner that is not named is ours. A group that is not named may also be that of the directory.
    const ours = await this.#fileSystem.stat(this.#home)
    if (status.uid !== (uid ?? ours?.uid) || (gid !== undefined && status.gid !== gid)) return false
    return Buffer.compare(await this.#fileSystem.readFile(path), content) === 0
  }

  /** Gives the directories that lost a file. */
  async #removeVanished(
    number: number,
    before: number | undefined,
    files: readonly OutputFile[],
  ): Promise<ReadonlySet<string>> {
    const stays = new Set(files.map(file => file.path))
    const parents = new Set<string>()
    for (const earlier of await this.#generations.list()) {
      if (earlier === number || earlier < (before ?? 0)) continue
      if ((await this.#generations.paths(earlier)).every(path => stays.has(path))) continue
      for (const copy of await this.#generations.read(earlier)) {
        if (stays.has(copy.path)) continue
        const parent = dirname(copy.path)
        // Also when the file is gone already: a crash may have come before the sync.
        if ((await this.#fileSystem.stat(parent))?.kind === 'directory') parents.add(parent)
        if (await this.#isThere(copy)) await this.#fileSystem.remove(copy.path)
      }
    }
    return parents
  }

  /** Throws when something lies at a path that a rename cannot replace. */
  async #refuseForeign(files: readonly OutputFile[]): Promise<void> {
    for (const { path } of files) {
      const kind = (await this.#fileSystem.stat(path))?.kind
      if (kind !== 'directory' && kind !== 'other') continue
      const what = kind === 'directory' ? 'a directory' : 'a device, pipe or socket'
      throw new OperationalError('in-the-way', `${path}: ${what} lies where the file must be`, {
        hint: `move ${path} away, or give the output another path`,
      })
    }
  }

  async #refuseVisible(number: number): Promise<void> {
    if ((await this.visible()) === number) throw alreadyVisible(number, this.#home)
  }
}
