import type { Clock } from '../base/clock.ts'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'
import type { OutputFile } from '../generation.ts'

/** Makes a bundle's generations visible, in one place. One writer a place: the caller holds its lock.
 *
 *  Each method may fail with an `OperationalError` (codes: `explained()` in lib/base/disk-error.ts, and `bad-path`, `in-the-way`,
 *  `not-staged`), and each may be called again after a failure or a crash: it finds out how far it got. Whatever fails, what
 *  was visible stays visible. Nothing is remembered that decides anything: the disk is asked each time. */
export interface Publisher {
  /** Makes the place ready: creates what is missing, takes up what a crash left. Finishes no publish that was only intended. */
  prepare(): Promise<void>
  /** The generation that is visible, read back from the disk. Undefined when there is none, or when its files are gone. */
  visible(): Promise<number | undefined>
  /** The numbers of all generations that lie there, ascending. Each of them is complete. */
  generations(): Promise<readonly number[]>
  /** Writes a generation where nobody looks yet, durably, and gives its directory. What lay there under this number is
   *  replaced. Refuses paths that leave the place, and things in the way that publishing would meet. */
  stage(number: number, files: readonly OutputFile[]): Promise<string>
  /** Makes a staged generation visible, durably. Repeatable, and finishes a publish that was interrupted. Fails with
   *  `not-staged` when there is no such generation. */
  publish(number: number): Promise<void>
  /** Takes up a publish that was intended and interrupted: in a volume, where it is not visible, it is dropped; at absolute
   *  paths, where some files may be replaced already, it is finished. */
  resume(number: number): Promise<void>
  /** Removes a generation that was staged and never begun to be published. */
  discard(number: number): Promise<void>
  /** The files of a generation, sorted by path, so that staging them again gives the same ones. An owner is named only where
   *  it is not the one that a file gets when none is named. */
  read(number: number): Promise<readonly OutputFile[]>
  /** Puts back what somebody removed of what readers open: the links of a volume, the files at absolute paths. What somebody
   *  changed stays. Gives whether the visible generation itself still has exactly these paths; where it has not, only another
   *  generation helps. */
  heal(number: number, paths: ReadonlySet<string>): Promise<boolean>
  /** Removes old generations: below the visible one, not among the newest `keep` (the visible one included) and not in `also`, and
   *  replaced at least `keepAgeMs` ago. A generation above the visible one may be a publish that waits to be finished. */
  collect(keep: number, also: readonly number[]): Promise<void>
  /** Where a generation's files lie, absolute. */
  directory(number: number): string
}

export interface PublisherHost {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  /** How long a generation stays at least after it was replaced, for readers that pinned it; in milliseconds. */
  readonly keepAgeMs: number
}

/** The publisher with errors of the system told as errors of operation, which say what was done and where. */
export function explaining(publisher: Publisher, where: string): Publisher {
  const doing = <T>(what: string, work: () => Promise<T>) => explained(`${what} in ${where}`, work)
  return {
    prepare: () => explained(`prepare ${where}`, () => publisher.prepare()),
    visible: () => doing('see what is visible', () => publisher.visible()),
    generations: () => doing('list generations', () => publisher.generations()),
    stage: (number, files) => doing(`stage generation ${number}`, () => publisher.stage(number, files)),
    publish: number => doing(`publish generation ${number}`, () => publisher.publish(number)),
    resume: number => doing(`take up generation ${number}`, () => publisher.resume(number)),
    discard: number => doing(`discard generation ${number}`, () => publisher.discard(number)),
    read: number => doing(`read generation ${number}`, () => publisher.read(number)),
    heal: (number, paths) => doing(`look after generation ${number}`, () => publisher.heal(number, paths)),
    collect: (keep, also) => doing('remove old generations', () => publisher.collect(keep, also)),
    directory: number => publisher.directory(number),
  }
}

/** The paths that differ between two generations of a publisher, sorted: added, removed, or changed in content, mode or owner.
 *  Without `before`, all paths of `after`. */
export async function changedBetween(
  publisher: Publisher,
  before: number | undefined,
  after: number,
): Promise<readonly string[]> {
  // Both are read back, so that owners are spelled alike.
  return changedPaths(before === undefined ? [] : await publisher.read(before), await publisher.read(after))
}

/** The paths that differ between two lists of files, sorted: added, removed, or changed in content, mode or owner. */
export function changedPaths(before: readonly OutputFile[], after: readonly OutputFile[]): readonly string[] {
  const old = new Map(before.map(file => [file.path, file]))
  const changed = new Set(old.keys())
  for (const file of after) {
    const was = old.get(file.path)
    if (was !== undefined && sameFile(was, file)) changed.delete(file.path)
    else changed.add(file.path)
  }
  return [...changed].toSorted()
}

function sameFile(a: OutputFile, b: OutputFile): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && Buffer.compare(a.content, b.content) === 0
}
