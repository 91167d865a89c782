import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, realpath, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { forEachConcurrent } from './concurrent.ts'
import { callsFor, gone, isQuick, looksInMemory, made } from './disk-calls.ts'
import type { FileAttributes, FileStatus, FileSystem } from './filesystem.ts'

/** The real file system. */
export const disk: FileSystem = {
  createFile: (path, content, attributes) => named(path, () => createFile(path, content, attributes)),
  replaceFile: (path, content, attributes) =>
    named(path, () => inTurn(path, () => replaceFile(path, content, attributes))),
  appendFile: (path, content) => named(path, () => appendFile(path, content)),
  readFile: path => readFile(path),
  makeDirectory: (path, mode) => makeDirectory(path, mode),
  makeDirectories: (path, mode) => makeDirectories(path, mode),
  list: async path => (await callsFor(path).readdir(path)).toSorted(),
  link: async (target, path) => callsFor(path).symlink(target, path),
  readLink: path => orUndefined(async () => callsFor(path).readlink(path)),
  rename: async (from, to) => {
    gone(from)
    await callsFor(to).rename(from, to)
  },
  stat: async path => statusOf(await statusAt(path)),
  touch: async (path, modifiedAtMs) => callsFor(path).lutimes(path, modifiedAtMs / 1000, modifiedAtMs / 1000),
  remove: path => remove(path),
  syncFile: path => sync(path),
  syncDirectory: path => syncDirectory(path),
  syncTree: path => syncTree(path),
}

/** What is larger is copied beside everything else. */
const QUICK_BYTES_MAX = 64 * 1024

async function createFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  if (isQuick(path) && content.length <= QUICK_BYTES_MAX) return createQuickly(path, content, attributes)
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  // Nobody else can open it until the bytes are in and the owner is right: the final mode comes last.
  const handle = await open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    await fill(handle, content, attributes)
    await handle.close()
  } catch (error) {
    await handle.close().catch(() => {})
    await unlink(path).catch(() => {})
    throw error
  }
}

/** As `createFile`, in memory. */
function createQuickly(path: string, content: Uint8Array, { mode, uid, gid }: FileAttributes): void {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  const file = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    writeAll(file, content)
    if (uid !== undefined || gid !== undefined) fchownSync(file, uid ?? -1, gid ?? -1)
    fchmodSync(file, mode)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

function writeAll(file: number, content: Uint8Array): void {
  for (let at = 0; at < content.length;) at += writeSync(file, content, at)
}

/** Writes beside, in a directory of our own, and renames over `path`.
 *
 *  write-file-atomic opens its temporary file by a guessable name, follows a link there and truncates what it finds; it
 *  ignores a short write, so on a full disk it publishes a truncated file; it follows a link at the destination; and it does
 *  not sync the directory. So it only ever works inside a directory that we have just made for ourselves (0700, `mkdir`
 *  refuses one that exists), where there is nothing to follow and nothing to truncate, and the bytes go through a handle of
 *  ours, which reports a full disk. What it still does: the temporary name, the sync, the rename, the clean-up, also when a
 *  signal ends the process. */
async function replaceFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  const parent = dirname(path)
  const beside = besideOf(path)
  // One name per path, so that what a crash left is taken away by the next try. It starts with dots, so that nobody who
  // reads `conf.d/*` meets it.
  await remove(beside)
  await mkdir(beside, 0o700)
  try {
    const complete = join(beside, 'complete')
    let filled = false
    const options = {
      // It waits for what this returns, though its types do not say so. The object is new each time: it writes into it.
      tmpfileCreated: async (temporary: string) => {
        await fillTemporary(temporary, content, attributes)
        filled = true
      },
    }
    // Without data it writes nothing of its own.
    await writeFileAtomic(complete, null as unknown as Buffer, options as writeFileAtomic.Options)
    if (!filled) throw new Error('write-file-atomic did not call its hook')
    await rename(complete, path)
  } finally {
    // Empty when all went well, and `rm` looks twice before it finds that out.
    await rmdir(beside).catch(() => rm(beside, { recursive: true, force: true }).catch(() => {}))
  }
  await syncDirectory(parent)
}

/** Where `replaceFile` writes before it renames: in the same directory, hence on the same file system. */
function besideOf(path: string): string {
  const name = createHash('sha256').update(basename(path)).digest('hex').slice(0, 16)
  return join(dirname(path), `..outrigger-${name}`)
}

async function fillTemporary(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    const status = await handle.stat()
    if (!status.isFile() || status.nlink !== 1 || status.size !== 0 || status.uid !== process.geteuid?.()) {
      throw Object.assign(new Error('the temporary file is not the one that was made'), { code: 'EEXIST', path })
    }
    await fill(handle, content, attributes)
  } finally {
    await handle.close()
  }
}

/** Writes all bytes, then sets owner and mode. A write that the disk cuts short is an error here (ENOSPC), not a shorter file. */
async function fill(handle: FileHandle, content: Uint8Array, { mode, uid, gid }: FileAttributes): Promise<void> {
  await handle.writeFile(content)
  if (uid !== undefined || gid !== undefined) {
    // -1 leaves one as it is.
    await handle.chown(uid ?? -1, gid ?? -1)
  }
  // After the owner: chown takes set-user-id bits away.
  await handle.chmod(mode)
}

async function appendFile(path: string, content: Uint8Array): Promise<void> {
  if (isQuick(path)) return appendQuickly(path, content)
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  let created = false
  const handle = await open(path, O_APPEND | O_WRONLY | O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    created = true
    return open(path, O_APPEND | O_WRONLY | O_NOFOLLOW | O_CREAT | O_EXCL, 0o600)
  })
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (created) await syncDirectory(dirname(path))
}

/** As `appendFile`, in memory. It is synced all the same: that costs nothing there, and a disk may have been mounted over it. */
function appendQuickly(path: string, content: Uint8Array): void {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const file = openSync(path, O_APPEND | O_WRONLY | O_NOFOLLOW | O_CREAT, 0o600)
  try {
    writeAll(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Most often there is nothing: `rm` looks three times to see that. */
async function remove(path: string): Promise<void> {
  gone(path)
  if ((await statusAt(path)) !== undefined) await rm(path, { recursive: true, force: true })
}

/** Makes it with this mode, no matter what the umask is. A set-group-id bit that it has from its parent stays: where a volume has
 *  a group of its own (Kubernetes' fsGroup), that is what gives the group to all that is made inside. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  const calls = callsFor(path)
  await calls.mkdir(path, mode)
  made(path)
  const given = (await calls.lstat(path)).mode & 0o7777
  const wanted = mode | (given & SET_GROUP_ID)
  // Not set when it is right: whoever is not in the group would take the bit away.
  if (given !== wanted) await calls.chmod(path, wanted)
}

const SET_GROUP_ID = 0o2000

async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    await makeDirectory(path, mode)
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && parent !== path) {
      await makeDirectories(parent, mode)
      return await makeDirectories(path, mode)
    }
    // Some file systems have other words than EEXIST for it.
    if (await isDirectory(path)) return
    throw error
  }
  // A new directory is an entry of its parent, which may be a link to one (/var/run).
  await syncDirectory(await realpath(dirname(path)))
}

/** Whether there is a directory, or a link to one. */
async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true
}

async function syncDirectory(path: string): Promise<void> {
  // One call instead of three where there is nothing to sync to.
  if (!(await looksInMemory(path))) await syncEntries(path)
}

async function syncEntries(path: string): Promise<void> {
  try {
    await sync(path)
  } catch (error) {
    // Some network and user-space file systems do not sync directories; they have nothing better to offer.
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  }
}

/** Syncs file by file, eight at a time, then the directories.
 *
 *  Node has no syncfs(2). Measured on ext4 (ms for 4, 32, 200, 1000 small files): one at a time 1, 6, 54, 200; eight at a
 *  time 1, 2.5, 15, 75; `sync -f` as a child process 2, 2.5, 5, 12. The child would win for hundreds of files, but it waits
 *  for whatever anybody else has written to that file system, and small images do not have it. */
async function syncTree(path: string): Promise<void> {
  if (await looksInMemory(path)) return
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const directories = entries.filter(entry => entry.isDirectory()).map(entry => join(entry.parentPath, entry.name))
  await forEachConcurrent(files, SYNCS_MAX, sync)
  await forEachConcurrent([...directories, path], SYNCS_MAX, syncEntries)
}

const SYNCS_MAX = 8

async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function statusAt(path: string): Promise<Stats | undefined> {
  // An error, with its stack, takes longer than to see that there is nothing.
  return isQuick(path) ? lstatSync(path, { throwIfNoEntry: false }) : orUndefined(() => lstat(path))
}

function statusOf(status: Stats | undefined): FileStatus | undefined {
  if (status === undefined) return undefined
  return {
    kind: status.isFile() ? 'file' : status.isDirectory() ? 'directory' : status.isSymbolicLink() ? 'link' : 'other',
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    size: status.size,
    modifiedAtMs: status.mtimeMs,
  }
}

async function orUndefined<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Errors of a handle do not say which file it was. */
async function named<T>(path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof Error && 'code' in error && !('path' in error)) Object.assign(error, { path })
    throw error
  }
}

/** The last replacement of each path that is under way. */
const turns = new Map<string, Promise<void>>()

/** Two replacements of one path would take each other's directory away: the second waits for the first. */
async function inTurn(path: string, step: () => Promise<void>): Promise<void> {
  const previous = turns.get(path)
  const turn = (async () => {
    await previous?.catch(() => {})
    await step()
  })()
  turns.set(path, turn)
  try {
    await turn
  } finally {
    if (turns.get(path) === turn) turns.delete(path)
  }
}
