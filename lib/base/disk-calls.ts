import * as immediate from 'node:fs'
import * as pooled from 'node:fs/promises'
import { dirname } from 'node:path'

/** The system's calls that touch no bytes of a file, by promise or at once. */
interface Calls {
  lstat(path: string): Stats | Promise<Stats>
  readlink(path: string): string | Promise<string>
  readdir(path: string): string[] | Promise<string[]>
  symlink(target: string, path: string): void | Promise<void>
  rename(from: string, to: string): void | Promise<void>
  mkdir(path: string, mode: number): unknown
  chmod(path: string, mode: number): void | Promise<void>
  lutimes(path: string, accessedAtSeconds: number, modifiedAtSeconds: number): void | Promise<void>
}

type Stats = immediate.Stats

const atOnce: Calls = {
  lstat: path => immediate.lstatSync(path),
  readlink: path => immediate.readlinkSync(path),
  readdir: path => immediate.readdirSync(path),
  symlink: (target, path) => immediate.symlinkSync(target, path),
  rename: (from, to) => immediate.renameSync(from, to),
  mkdir: (path, mode) => immediate.mkdirSync(path, mode),
  chmod: (path, mode) => immediate.chmodSync(path, mode),
  lutimes: (path, accessed, modified) => immediate.lutimesSync(path, accessed, modified),
}

/** tmpfs and ramfs, by the numbers in statfs(2). */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/** The directories that lay in memory when they were last looked at. */
const inMemory = new Set<string>()

/** Looks whether a directory lives in memory, and remembers it until the next look. */
export async function looksInMemory(directory: string): Promise<boolean> {
  // What lay in memory is asked at once, like all else there.
  const { type } = inMemory.has(directory) ? immediate.statfsSync(directory) : await pooled.statfs(directory)
  const isInMemory = MEMORY_FILE_SYSTEMS.has(type)
  if (isInMemory) inMemory.add(directory)
  else inMemory.delete(directory)
  return isInMemory
}

/** Whether what is done at a path waits for no disk and no server. */
export function isQuick(path: string): boolean {
  return inMemory.has(dirname(path)) || inMemory.has(path)
}

/** A directory that we have made in one that lives in memory lives there as well; one that is moved or removed is forgotten. */
export function made(path: string): void {
  if (isQuick(path)) inMemory.add(path)
}

export function gone(path: string): void {
  for (const directory of inMemory)
    if (directory === path || directory.startsWith(`${path}/`)) inMemory.delete(directory)
}

/** The calls for a path. In memory a call takes a few microseconds, and its trip through the thread pool ten times as long; anywhere else
 *  it may wait, and then must not hold up everything. */
export function callsFor(path: string): Calls {
  return isQuick(path) ? atOnce : pooled
}
