import { dirname, join } from 'node:path'
import { forEachConcurrent } from '../base/concurrent.ts'
import type { FileAttributes, FileStatus } from '../base/filesystem.ts'
import { OperationalError, systemCode } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { parentsOf } from './paths.ts'
import type { PublisherHost } from './publisher.ts'

/** How many files are written or read at a time. */
const FILES_MAX = 8
const GENERATION = /^\.\.g([1-9][0-9]{0,14})$/
const LEFT_OVER = /^\.\.g[0-9]+\.(?:new|gone)$/

/** The generations that lie in one directory, whichever is visible: what both publishers share.
 *
 *      ..g42        a generation; it appears and disappears by a rename, so it is complete or not there
 *      ..g42.new    one being written
 *      ..g42.gone   one being removed */
export class Generations {
  readonly #home: string
  readonly #host: PublisherHost
  /** The part of an output's path that its place in a generation does not have: '' or '/'. */
  readonly #base: '' | '/'
  readonly #directoryMode: number
  /** When this process saw a generation replaced, on the monotonic clock: a wall clock that is set forward shortens no life. */
  readonly #replacedAtMs = new Map<number, number>()

  constructor(home: string, base: '' | '/', directoryMode: number, host: PublisherHost) {
    this.#home = home
    this.#base = base
    this.#directoryMode = directoryMode
    this.#host = host
  }

  directory(number: number): string {
    return join(this.#home, `..g${number}`)
  }

  async list(): Promise<readonly number[]> {
    const names = await this.#host.fileSystem.list(this.#home)
    return names.flatMap(name => numberOf(name) ?? []).toSorted((a, b) => a - b)
  }

  async has(number: number): Promise<boolean> {
    return (await this.#host.fileSystem.stat(this.directory(number)))?.kind === 'directory'
  }

  /** Throws `not-staged` when the generation does not lie there. */
  async demand(number: number): Promise<void> {
    if (await this.has(number)) return
    throw new OperationalError('not-staged', `generation ${number} does not lie in ${this.#home}`, {
      hint: 'something removed it; the next pass makes a new one',
    })
  }

  /** The names at the top of a generation, sorted. Throws `not-staged` when it does not lie there. */
  async names(number: number): Promise<readonly string[]> {
    try {
      return await this.#host.fileSystem.list(this.directory(number))
    } catch (error) {
      await this.demand(number)
      throw error
    }
  }

  /** Writes a generation.
   *
   *  1. Remove what lies there under this number, complete or not.
   *  2. Write the files, with their final mode and owner, into a directory of another name. A crash leaves that for `prepare`.
   *  3. Sync all of it. From here on the files survive a power cut.
   *  4. Rename the directory to its name. From here on the generation exists.
   *  5. Sync the rename. */
  async write(number: number, files: readonly OutputFile[]): Promise<string> {
    const { fileSystem } = this.#host
    const directory = this.directory(number)
    const unfinished = `${directory}.new`
    try {
      await this.remove(number) // (1)
      await this.#fill(unfinished, files) // (2)
      await fileSystem.syncTree(unfinished) // (3)
      await fileSystem.rename(unfinished, directory) // (4)
    } catch (error) {
      // On a full disk it gives back the space; if this fails, too, `prepare` does it.
      await fileSystem.remove(unfinished).catch(() => {})
      throw error
    }
    await fileSystem.syncDirectory(this.#home) // (5)
    return directory
  }

  async #fill(directory: string, files: readonly OutputFile[]): Promise<void> {
    const { fileSystem } = this.#host
    const make = () => fileSystem.makeDirectory(directory, this.#directoryMode)
    await make().catch(async (error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
      await fileSystem.remove(directory)
      await make()
    })
    const parents = new Set(files.flatMap(file => parentsOf(this.#inside(file.path))))
    // Sorted, so that a directory comes before those in it.
    for (const parent of [...parents].toSorted()) {
      await fileSystem.makeDirectory(join(directory, parent), this.#directoryMode)
    }
    await forEachConcurrent(files, FILES_MAX, file =>
      fileSystem.createFile(join(directory, this.#inside(file.path)), file.content, attributesOf(file)),
    )
  }

  #inside(path: string): string {
    return path.slice(this.#base.length)
  }

  /** The files of a generation, sorted by path. What is not a file was not made by us, and is left out. */
  async read(number: number): Promise<readonly OutputFile[]> {
    const { fileSystem } = this.#host
    const files: OutputFile[] = []
    await this.#visit(number, async (path, status, ours) => {
      const content = await fileSystem.readFile(path)
      files.push({
        path: this.#base + path.slice(this.directory(number).length + 1),
        content,
        mode: status.mode,
        ...(status.uid === ours.uid ? {} : { uid: status.uid }),
        ...(status.gid === ours.gid ? {} : { gid: status.gid }),
      })
    })
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** The paths of a generation, as in `OutputFile`. */
  async paths(number: number): Promise<readonly string[]> {
    const paths: string[] = []
    await this.#visit(number, async path => {
      paths.push(this.#base + path.slice(this.directory(number).length + 1))
    })
    return paths.toSorted()
  }

  /** Whether a generation lies there with exactly these paths. */
  async hasExactly(number: number, paths: ReadonlySet<string>): Promise<boolean> {
    if (!(await this.has(number))) return false
    const there = await this.paths(number)
    return there.length === paths.size && there.every(path => paths.has(path))
  }

  /** Calls `see` for each file. `ours` is the status of the generation's own directory: its owner and group are those that a
   *  file gets there when none is named, also where the volume gives its own group to what is made in it (fsGroup). */
  async #visit(
    number: number,
    see: (path: string, status: FileStatus, ours: FileStatus) => Promise<void>,
  ): Promise<void> {
    const { fileSystem } = this.#host
    await this.demand(number)
    const ours = await fileSystem.stat(this.directory(number))
    const directories = [this.directory(number)]
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      const parent = directory
      await forEachConcurrent(await fileSystem.list(parent), FILES_MAX, async name => {
        const path = join(parent, name)
        const status = await fileSystem.stat(path)
        if (status?.kind === 'directory') directories.push(path)
        else if (status?.kind === 'file') await see(path, status, ours as FileStatus)
      })
    }
  }

  /** Notes that a generation is about to be replaced: the directory's own time of change says when. Done before the flip, so
   *  that no crash can leave one out; a power cut may lose it, but no reader survives that either. */
  async markReplaced(number: number): Promise<void> {
    const { fileSystem, clock } = this.#host
    try {
      await fileSystem.touch(this.directory(number), clock.nowMs())
    } catch (error) {
      // Where it is gone there is nothing to note.
      if (systemCode(error) === 'ENOENT') return
      throw error
    }
    this.#replacedAtMs.set(number, clock.monotonicMs())
  }

  /** See `Publisher.collect`. */
  async collect(keep: number, also: readonly number[], visible: number): Promise<void> {
    const replaced = (await this.list()).filter(number => number < visible)
    for (const number of replaced.slice(0, Math.max(0, replaced.length - (keep - 1)))) {
      if (!also.includes(number) && (await this.#outlived(number))) await this.remove(number)
    }
  }

  async #outlived(number: number): Promise<boolean> {
    const { fileSystem, clock, keepAgeMs } = this.#host
    const seenAtMs = this.#replacedAtMs.get(number)
    if (seenAtMs !== undefined && clock.monotonicMs() - seenAtMs < keepAgeMs) return false
    const status = await fileSystem.stat(this.directory(number))
    const ageMs = clock.nowMs() - (status?.modifiedAtMs ?? 0)
    // The clock was set back: its age is unknown, and counts from now.
    if (ageMs < 0) await this.markReplaced(number)
    return ageMs >= keepAgeMs
  }

  /** Removes a generation; none is no error. The rename is synced before anything in it is removed, so that not even a power
   *  cut brings back a generation with some of its files. */
  async remove(number: number): Promise<void> {
    const { fileSystem } = this.#host
    if (!(await this.has(number))) return
    const gone = `${this.directory(number)}.gone`
    await fileSystem.remove(gone)
    await fileSystem.rename(this.directory(number), gone)
    await fileSystem.syncDirectory(this.#home)
    this.#replacedAtMs.delete(number)
    await fileSystem.remove(gone)
  }

  /** Makes the directory when there is none, makes what is seen in it durable, and removes what a crash left half written or
   *  half removed. */
  async prepare(): Promise<void> {
    const { fileSystem } = this.#host
    await fileSystem.makeDirectories(this.#home, this.#directoryMode)
    // A crash may have come before the sync of its making. What is above it may not be ours to open.
    await fileSystem.syncDirectory(dirname(this.#home)).catch(() => {})
    // Or before the sync that makes something visible: what is acted upon from now on must not be lost to a power cut.
    await fileSystem.syncDirectory(this.#home)
    for (const name of await fileSystem.list(this.#home)) {
      if (LEFT_OVER.test(name)) await fileSystem.remove(join(this.#home, name))
    }
  }
}

/** The number in the name of a generation's directory. */
export function numberOf(name: string): number | undefined {
  const digits = GENERATION.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export function attributesOf({ mode, uid, gid }: OutputFile): FileAttributes {
  return { mode, ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) }
}

/** What is visible is never written or removed. */
export function alreadyVisible(number: number, where: string): OperationalError {
  return new OperationalError('already-visible', `generation ${number} in ${where} is visible already`, {
    hint: 'two outriggers may write to one place; give each bundle a place of its own',
  })
}
