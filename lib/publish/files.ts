import { dirname, join } from 'node:path'
import { explained } from '../base/disk-error.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { attributesOf, Generations } from './generations.ts'
import { checkPaths } from './paths.ts'
import type { Publisher, PublisherHost } from './publisher.ts'

/** Publishes files at absolute paths, where no link can flip them all at once: each file is complete at every moment, and
 *  the files of a generation follow each other.
 *
 *      DIRECTORY/..g42/etc/app/app.conf    the generations, staged as copies, readable by us only
 *      DIRECTORY/visible                   the number of the generation whose files all lie at their paths
 *
 *  `directory` is the bundle's own, in the state directory. The commit point is the journal's intent: once a publish has begun, it is
 *  finished from the staged copies, or a later generation is published over it; it cannot be taken back. */
export function filesPublisher(directory: string, host: PublisherHost): Publisher {
  const { fileSystem } = host
  const generations = new Generations(directory, '/', 0o700, host)
  const marker = join(directory, 'visible')

  async function prepare(): Promise<void> {
    await generations.prepare()
  }

  async function visible(): Promise<number | undefined> {
    if ((await fileSystem.stat(marker)) === undefined) return undefined
    const text = Buffer.from(await fileSystem.readFile(marker)).toString('latin1')
    const digits = /^([1-9][0-9]{0,14})\n$/.exec(text)?.[1]
    const number = digits === undefined ? undefined : Number(digits)
    return number !== undefined && (await generations.has(number)) ? number : undefined
  }

  async function stage(number: number, files: readonly OutputFile[]): Promise<string> {
    checkPaths(files, '/')
    if ((await visible()) === number) {
      throw new OperationalError(
        'in-the-way',
        `generation ${number} in ${directory} is visible, so it cannot be staged again`,
        {
          hint: 'two outriggers may use one state directory; give each its own',
        },
      )
    }
    await refuseForeign(files)
    return generations.write(number, files)
  }

  /** 1. Look: the generation is there and no directory lies where a file must be; else nothing changes.
   *  2. Note the time on the generation that is about to be replaced.
   *  3. Replace each file that differs, durably, by one rename each. A crash leaves some files new and some old, each of them
   *     whole; publishing again goes on from there. The directories that a file needs are made.
   *  4. Remove the files that earlier generations had and this one has not: of the visible one, and of those whose publish
   *     was begun and not finished. One that somebody has changed since is left.
   *  5. Sync the directories of files that were right or removed: a crash may have come between their rename and its sync.
   *  6. Write the marker: from here on the generation is visible, also after a power cut. */
  async function publish(number: number): Promise<void> {
    await generations.demand(number) // (1)
    const files = await generations.read(number)
    await refuseForeign(files)
    const before = await visible()
    if (before !== undefined && before !== number) await generations.markReplaced(before) // (2)
    const unsynced = new Set<string>()
    for (const file of files) {
      if (await isThere(file)) {
        unsynced.add(dirname(file.path))
        continue
      }
      await fileSystem.makeDirectories(dirname(file.path), 0o755)
      await fileSystem.replaceFile(file.path, file.content, attributesOf(file)) // (3)
    }
    for (const parent of await removeVanished(number, before, files)) unsynced.add(parent) // (4)
    for (const parent of [...unsynced].toSorted()) await fileSystem.syncDirectory(parent) // (5)
    await fileSystem.replaceFile(marker, Buffer.from(`${number}\n`), { mode: 0o600 }) // (6)
  }

  /** Whether a file lies at its path just as it should, so that it keeps its inode and no watcher wakes up. */
  async function isThere({ path, content, mode, uid, gid }: OutputFile): Promise<boolean> {
    const status = await fileSystem.stat(path)
    if (status?.kind !== 'file' || status.size !== content.length || status.mode !== mode) return false
    // An owner that is not named is ours. A group that is not named may also be that of the directory.
    const ours = await fileSystem.stat(directory)
    if (status.uid !== (uid ?? ours?.uid) || (gid !== undefined && status.gid !== gid)) return false
    return Buffer.compare(await fileSystem.readFile(path), content) === 0
  }

  /** Gives the directories that lost a file. */
  async function removeVanished(
    number: number,
    before: number | undefined,
    files: readonly OutputFile[],
  ): Promise<ReadonlySet<string>> {
    const stays = new Set(files.map(file => file.path))
    const parents = new Set<string>()
    for (const earlier of await generations.list()) {
      if (earlier === number || earlier < (before ?? 0)) continue
      const vanished = (await generations.paths(earlier)).filter(path => !stays.has(path))
      if (vanished.length === 0) continue
      const copies = new Map((await generations.read(earlier)).map(file => [file.path, file]))
      for (const path of vanished) {
        // Also when it is gone already: a crash may have come before the sync.
        if ((await fileSystem.stat(dirname(path)))?.kind === 'directory') parents.add(dirname(path))
        if (await isThere(copies.get(path) as OutputFile)) await fileSystem.remove(path)
      }
    }
    return parents
  }

  /** Throws when something lies at a path that a rename cannot replace. */
  async function refuseForeign(files: readonly OutputFile[]): Promise<void> {
    for (const { path } of files) {
      const kind = (await fileSystem.stat(path))?.kind
      if (kind !== 'directory' && kind !== 'other') continue
      throw new OperationalError(
        'in-the-way',
        `${path}: ${kind === 'other' ? 'a device, pipe or socket' : 'a directory'} lies there`,
        {
          hint: `move ${path} away, or give the output another path`,
        },
      )
    }
  }

  const where = (doing: string) => `${doing} in ${directory}`
  return {
    prepare: () => explained(`prepare ${directory}`, prepare),
    visible: () => explained(`look at ${directory}`, visible),
    generations: () => explained(`look at ${directory}`, () => generations.list()),
    stage: (number, files) => explained(where(`stage generation ${number}`), () => stage(number, files)),
    publish: number => explained(`publish generation ${number} from ${directory}`, () => publish(number)),
    resume: number => explained(`finish generation ${number} from ${directory}`, () => publish(number)),
    discard: number => explained(where(`discard generation ${number}`), () => generations.remove(number)),
    read: number => explained(where(`read generation ${number}`), () => generations.read(number)),
    collect: (keep, also) =>
      explained(where('remove old generations'), async () => {
        const number = await visible()
        if (number !== undefined) await generations.collect(keep, also, number)
      }),
    directory: number => generations.directory(number),
  }
}
