import { constants, type BigIntStats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '../../lib/base/clock.ts'
import type { TreeFile } from '../../lib/base/value.ts'
import { ProviderError, systemCode } from '../../lib/errors.ts'
import { contentRevision } from '../../lib/reading.ts'
import { isMissing } from './failure.ts'
import { Places, resolvePath, type Found } from './resolve.ts'

/** What one file may hold; and all files of a tree together. A configuration is smaller; what is larger is the wrong path. */
export const BYTES_MAX = 64 * 1024 * 1024
/** How often something is read anew because it changed while it was read, and the wait in between: a second in all. */
const TRIES_MAX = 50
const TRY_AGAIN_MS = 20
/** A file that became empty this lately is taken for one that is about to be written. */
const EMPTY_MS = 10
/** A file that changed this lately may change again without its times showing it: the clocks of file systems are coarse. */
const COARSE_MS = 2_000

/** A file as it was read, with what tells whether it is still the same without reading it again. */
export interface FileRead {
  readonly file: TreeFile
  /** Of the content. */
  readonly revision: string
  readonly stamp: string
  /** Whether an equal stamp means equal content. */
  readonly stampTells: boolean
}

/** What all readings of one provider have in common. */
export interface ReadOptions {
  /** The provider's path, absolute. */
  readonly root: string
  readonly clock: Clock
  /** What keys the revisions, where the values are sensitive. */
  readonly revisionKey: Uint8Array | undefined
}

/** What changed under our hands. */
export const moved: unique symbol = Symbol('moved')

/** What was read, or undefined when nothing is there, and the places on which that depends. */
export interface Seen<T> {
  readonly content: T | undefined
  readonly places: Places
}

/** Tries until what is read holds still. Throws the system's errors, and `unavailable` when it never does: rather nothing than
 *  half of the old and half of the new. */
export async function readSteadily<T>(
  path: string,
  { clock }: ReadOptions,
  attempt: (places: Places) => Promise<T | typeof moved | undefined>,
  signal: AbortSignal,
): Promise<Seen<T>> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (tries > 0) await clock.sleep(TRY_AGAIN_MS, signal)
    const places = new Places()
    try {
      const content = await attempt(places)
      if (content !== moved) return { content, places }
    } catch (error) {
      if (!isRace(error)) throw error
    }
  }
  throw new ProviderError('unavailable', `${path}: keeps changing while it is read`, {
    hint: 'write new content beside it and rename it into place',
  })
}

/** What the system says when a name is not what it was a moment ago: gone, or no link any more. */
function isRace(error: unknown): boolean {
  return isMissing(error) || systemCode(error) === 'EINVAL'
}

/** Where the root leads: itself without links. */
export async function findRoot(root: string, places: Places): Promise<Found | undefined> {
  const found = await resolvePath({ from: '/', path: root, places })
  if (found !== undefined) places.add(dirname(found.path), basename(found.path))
  return found
}

/** The file at `path` below the root. Throws `invalid-data` for what is no file. */
export async function readFileBelow(
  path: string,
  places: Places,
  options: ReadOptions,
  before: FileRead | undefined,
): Promise<FileRead | typeof moved | undefined> {
  const { root } = options
  const top = await findRoot(root, places)
  if (top === undefined) return undefined
  if (!top.status.isDirectory()) {
    if (path === '') return readFound(top, root, options, before)
    throw new ProviderError('invalid-data', `${root} is a file`, { hint: 'ask for NAME:// without a path' })
  }
  const found = await resolvePath({ from: top.path, path, places, within: top.path })
  return found === undefined ? undefined : readFound(found, `${root}/${path}`, options, before)
}

/** The content of what was found; the one from before where its stamp says that it is still the same. */
export async function readFound(
  { path, status }: Found,
  shown: string,
  { clock, revisionKey }: ReadOptions,
  before: FileRead | undefined,
): Promise<FileRead | typeof moved> {
  if (before?.stampTells === true && before.stamp === stampOf(status)) return before
  checkKind(status, shown)
  // Not following a link that came to be there since, and not waiting for the writer of a pipe.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  let handle: FileHandle
  try {
    handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (systemCode(error) === 'ELOOP') return moved
    throw error
  }
  try {
    const opened = await handle.stat({ bigint: true })
    checkKind(opened, shown)
    const content = await handle.readFile()
    const after = await handle.stat({ bigint: true })
    checkSize(content.length, shown)
    const nowMs = clock.nowMs()
    if (stampOf(opened) !== stampOf(after) || isAboutToBeWritten(after, nowMs)) return moved
    const isSame = before !== undefined && content.equals(before.file.content)
    const revision = isSame ? before.revision : contentRevision(content, revisionKey)
    const mode = Number(after.mode & 0o777n)
    // The same object when nothing changed, so that whoever holds the last reading can tell by identity.
    const file = isSame && before.file.mode === mode ? before.file : { content, mode }
    const changedMs = Math.max(Number(after.mtimeMs), Number(after.ctimeMs))
    return { file, revision, stamp: stampOf(after), stampTells: changedMs < nowMs - COARSE_MS }
  } finally {
    await handle.close()
  }
}

function checkKind(status: BigIntStats, shown: string): void {
  if (status.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
  if (!status.isFile()) throw new ProviderError('invalid-data', `${shown}: is neither a file nor a directory`)
  checkSize(Number(status.size), shown)
}

function checkSize(bytes: number, shown: string): void {
  if (bytes <= BYTES_MAX) return
  throw new ProviderError('invalid-data', `${shown}: has ${bytes} bytes, and at most ${BYTES_MAX} are read`)
}

function isAboutToBeWritten({ size, mtimeMs }: BigIntStats, nowMs: number): boolean {
  const ageMs = nowMs - Number(mtimeMs)
  return size === 0n && ageMs >= 0 && ageMs < EMPTY_MS
}

/** What changes with the content, as far as the file system's clock is fine enough. */
export function stampOf({ dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${mode} ${size} ${mtimeNs} ${ctimeNs}`
}
