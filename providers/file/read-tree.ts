import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { forEachConcurrent } from '../../lib/base/concurrent.ts'
import { fromBytes } from '../../lib/base/text.ts'
import { ProviderError } from '../../lib/errors.ts'
import { BYTES_MAX, findRoot, moved, readFound, stampOf, type FileRead, type ReadOptions } from './read.ts'
import { resolvePath, type Found, type Places } from './resolve.ts'

/** What one tree may hold. */
const FILES_MAX = 10_000
const DIRECTORIES_MAX = 2_000
const READS_CONCURRENT_MAX = 16
const NARROW = 'ask for a directory further down, or give the provider one'

/** The files below a directory by their path, sorted. */
export type FilesRead = ReadonlyMap<string, FileRead>

/** Where the reading of one tree has got to. */
interface Listing {
  /** The root's path without links: nothing outside it is read. */
  readonly top: string
  /** For messages: the tree's path as it was asked for. */
  readonly shown: string
  readonly places: Places
  readonly files: Map<string, Found>
  /** The stamp of each directory before its names were read. */
  readonly stamps: Map<string, string>
  bytes: number
}

/** All files below `path` as they were at one moment: when a name came, went or changed meanwhile, it is `moved`. Names that start
 *  with `..` are left out, links are followed as long as they stay below the root, those that lead nowhere are left out. */
export async function readTreeBelow(
  path: string,
  places: Places,
  options: ReadOptions,
  before: FilesRead | undefined,
): Promise<FilesRead | typeof moved | undefined> {
  const { root } = options
  const shown = path === '' ? root : `${root}/${path}`
  const top = await findRoot(root, places)
  if (top === undefined) return undefined
  const found = await resolvePath({ from: top.path, path, places, within: top.path })
  if (found === undefined) return undefined
  if (!found.status.isDirectory()) {
    throw new ProviderError('invalid-data', `${shown}: is not a directory`, { hint: 'ask for it with ref or from:' })
  }
  const listing: Listing = { top: top.path, shown, places, files: new Map(), stamps: new Map(), bytes: 0 }
  await list(listing, found, '', [])
  const files = new Map<string, FileRead>()
  const read = await readAll(listing, files, options, before)
  return read && (await isStill(listing)) ? files : moved
}

/** @param above the directories that this one was reached through, by their paths without links. */
async function list(
  listing: Listing,
  { path, status }: Found,
  prefix: string,
  above: readonly string[],
): Promise<void> {
  const { shown, stamps, places } = listing
  if (above.includes(path)) throw refused(shown, `${prefix} leads back to a directory that it is in`)
  stamps.set(path, stampOf(status))
  if (stamps.size > DIRECTORIES_MAX) throw refused(shown, `has over ${DIRECTORIES_MAX} directories`, NARROW)
  places.addAll(path)
  const names = await readdir(path, { encoding: 'buffer' })
  for (const name of names.map(bytes => fromBytes(bytes)).toSorted()) {
    if (!name.startsWith('..')) await listName(listing, path, name, prefix, above)
  }
}

async function listName(
  listing: Listing,
  directory: string,
  name: string,
  prefix: string,
  above: readonly string[],
): Promise<void> {
  const { shown, top, places, files } = listing
  const path = prefix + name
  if (!name.isWellFormed()) throw refused(shown, `has a name in ${prefix === '' ? 'it' : prefix} that is not UTF-8`)
  const found = await resolvePath({ from: directory, path: name, places, within: top })
  if (found === undefined) return
  if (found.status.isDirectory()) return list(listing, found, `${path}/`, [...above, directory])
  files.set(path, found)
  listing.bytes += Number(found.status.size)
  if (files.size > FILES_MAX) throw refused(shown, `has over ${FILES_MAX} files`, NARROW)
  if (listing.bytes > BYTES_MAX) throw refused(shown, `has over ${BYTES_MAX} bytes in its files`, NARROW)
}

function refused(shown: string, why: string, hint?: string): ProviderError {
  return new ProviderError('invalid-data', `${shown}: ${why}`, hint === undefined ? {} : { hint })
}

/** Whether none of the files changed while they were read. */
async function readAll(
  { files, shown }: Listing,
  into: Map<string, FileRead>,
  options: ReadOptions,
  before: FilesRead | undefined,
): Promise<boolean> {
  // Entered first, so that the order does not hang on which read ends first.
  const results = new Map<string, FileRead | typeof moved>([...files.keys()].map(path => [path, moved]))
  await forEachConcurrent(files, READS_CONCURRENT_MAX, async ([path, found]) => {
    results.set(path, await readFound(found, join(shown, path), options, before?.get(path)))
  })
  for (const [path, read] of results) {
    if (read === moved) return false
    into.set(path, read)
  }
  return true
}

/** Whether the directories are as they were when their names were read. A `..data` link that flipped shows here too. */
async function isStill({ stamps }: Listing): Promise<boolean> {
  for (const [path, stamp] of stamps) {
    if (stampOf(await lstat(path, { bigint: true })) !== stamp) return false
  }
  return true
}
