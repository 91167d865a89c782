import { randomBytes } from 'node:crypto'
import { chmod, open, readdir, rename, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { createConnection, createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { callsFor } from '../base/disk-calls.ts'
import { explained } from '../base/disk-error.ts'
import { socketPath } from '../base/socket-path.ts'
import { OperationalError, systemCode } from '../errors.ts'

/** A directory that is ours alone, until released or until this process ends, however it ends. */
export interface Lock {
  /** Whether it still lies in the directory: not when that was removed, emptied or replaced by another, where somebody else may
   *  hold a lock of their own. */
  isThere(): Promise<boolean>
  /** May be called again. */
  release(): Promise<void>
}

/** Takes the lock of a directory, which must exist; fails at once with `locked` when somebody holds it.
 *
 *  A lock is a listening socket in the directory, `..lock.ID`: the kernel closes it when its process ends, and it can be asked
 *  who holds it from another container that shares the directory, where process ids mean nothing. Whoever wants the lock
 *
 *  1. makes a socket under a name of its own, and renames it once it listens: a socket that can be seen and refuses a
 *     connection is one whose process has ended, for good;
 *  2. only then looks at all other sockets. Of two that do this at a time at least one sees the other, so never both hold it;
 *  3. gives way to one that holds the lock; where both still look, the smaller name goes on and the greater gives way;
 *  4. removes the sockets of those that have ended. One that has not been renamed yet and refuses may also be about to listen:
 *     it is removed as well, and its process, should it live, finds the name gone and makes another.
 *
 *  It does not reach across machines: on a network file system, only one of them may write to a directory. */
export async function acquireLock(directory: string, clock: Clock, signal: AbortSignal): Promise<Lock> {
  return explained(`lock ${directory}`, () => acquire(directory, clock, signal))
}

const PREFIX = '..lock.'
const UNSEEN = '.new'
/** How long a holder may take to say who it is. It holds the lock whether it answers or not. */
const ANSWER_MS_MAX = 1_000
const ANSWER_BYTES_MAX = 4_096
/** How often a socket is made anew because somebody removed it before it listened, a matter of microseconds. */
const MAKES_MAX = 20
const LOOK_AGAIN_MS = 20
/** How often the smaller name looks again while a greater one has not given way; each look is quick. */
const LOOKS_MAX = 250

/** What a socket says of its process. */
interface Answer {
  readonly pid: number
  readonly host: string
  /** When it began to hold the lock, in ISO 8601; without it, it does not hold it yet. */
  readonly since?: string
}

async function acquire(directory: string, clock: Clock, signal: AbortSignal): Promise<Lock> {
  signal.throwIfAborted()
  const handle = await open(directory, 'r')
  const near = (name: string) => socketPath(directory, handle, name)
  const place: Place = { directory, near }
  let answer: Answer = { pid: process.pid, host: hostname() }
  let socket: Socket | undefined
  let released: Promise<void> | undefined
  const release = () => (released ??= letGo(place, socket, handle))
  try {
    socket = await makeSocket(place, () => answer) // (1)
    await beAlone(place, socket.name, clock, signal) // (2, 3, 4)
  } catch (error) {
    await release()
    throw error
  }
  answer = { ...answer, since: new Date(clock.nowMs()).toISOString() }
  const path = join(directory, socket.name)
  return { release, isThere: () => liesAt(path) }
}

/** Whether there is anything. Only what says that there is nothing is taken for that. */
async function liesAt(path: string): Promise<boolean> {
  try {
    await callsFor(path).lstat(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

/** A directory, and the path by which a socket in it is reached, whatever the length of its own. */
interface Place {
  readonly directory: string
  readonly near: (name: string) => string
}

/** A socket that listens under its final name. */
interface Socket {
  readonly name: string
  readonly server: Server
}

async function makeSocket(place: Place, answer: () => Answer): Promise<Socket> {
  for (let makes = 1; ; makes++) {
    const name = PREFIX + randomBytes(8).toString('hex')
    const unseen = join(place.directory, name + UNSEEN)
    const server = createServer(connection => {
      connection.on('error', () => {})
      // Nobody who stays connected can hold up the release.
      connection.end(JSON.stringify(answer()), () => connection.destroy())
      connection.unref()
    })
    try {
      await listen(server, place.near(name + UNSEEN)).catch((error: unknown) => {
        throw explainListen(error, place.directory)
      })
      await chmod(unseen, 0o666) // Whoever is kept out may ask who holds it.
      await rename(unseen, join(place.directory, name))
      return { name, server }
    } catch (error) {
      await unlink(unseen).catch(() => {})
      await closed(server)
      if (systemCode(error) !== 'ENOENT' || makes === MAKES_MAX) throw error
    }
  }
}

/** Resolves when no other process holds the lock or may come to hold it. */
async function beAlone({ directory, near }: Place, name: string, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let looks = 1; ; looks++) {
    const others = (await readdir(directory)).filter(other => other.startsWith(PREFIX) && other !== name)
    let alone = true
    for (const other of others) {
      const said = await ask(near(other))
      if (said === 'ended') {
        await removeEnded(join(directory, other))
      } else if (other.endsWith(UNSEEN)) {
        // It has not looked yet; when it does, it sees us.
      } else if (said !== 'cut off' && (said === 'silent' || said.since !== undefined || other < name)) {
        throw locked(directory, said)
      } else if (looks === LOOKS_MAX) {
        throw locked(directory, said === 'cut off' ? 'silent' : said)
      } else {
        alone = false
      }
    }
    if (alone) return
    await clock.sleep(LOOK_AGAIN_MS, signal)
  }
}

/** Where we may not remove it (a sticky directory), it does no harm. */
async function removeEnded(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}

type Said = Answer | 'ended' | 'silent' | 'cut off'

/** Asks a socket whose it is. `cut off`: it was there and ended, or gave way, while it was asked. */
function ask(path: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    const chunks: Buffer[] = []
    let bytes = 0
    let connected = false
    const done = (said: Said) => {
      socket.destroy()
      resolve(said)
    }
    socket.setTimeout(ANSWER_MS_MAX, () => done('silent'))
    socket.on('connect', () => (connected = true))
    socket.on('data', chunk => {
      chunks.push(chunk as Buffer)
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) done('silent')
    })
    socket.on('end', () => done(parseAnswer(Buffer.concat(chunks).toString('utf8'))))
    socket.on('error', error => {
      const code = systemCode(error)
      if (!connected && (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK')) done('ended')
      else if (connected || code === 'ECONNRESET') done('cut off')
      else if (code === 'EAGAIN') done('silent') // Too busy to take one more.
      else reject(error)
    })
  })
}

function parseAnswer(text: string): Answer | 'silent' | 'cut off' {
  if (text === '') return 'cut off'
  try {
    const answer = JSON.parse(text) as Answer
    return typeof answer.pid === 'number' && typeof answer.host === 'string' ? answer : 'silent'
  } catch {
    return 'silent'
  }
}

function locked(directory: string, said: Answer | 'silent'): OperationalError {
  const who = said === 'silent' ? 'another outrigger, which does not answer' : `pid ${said.pid} on ${said.host}`
  const since = said === 'silent' || said.since === undefined ? '' : ` since ${said.since}`
  return new OperationalError('locked', `${directory} is held by ${who}${since}`, {
    hint: 'one outrigger writes to a directory at a time: stop that one, or give this one another directory',
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // A lock keeps nothing alive.
      server.unref()
      resolve()
    })
  })
}

/** Some shared and virtual file systems hold files and directories only. */
function explainListen(error: unknown, directory: string): unknown {
  const code = systemCode(error)
  if (code === undefined || !['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EINVAL'].includes(code)) return error
  return new OperationalError('unsupported', `${directory}: its file system cannot hold a socket (${code})`, {
    hint: 'use a directory on a local disk or in memory: an emptyDir, tmpfs, ext4, xfs',
    cause: error,
  })
}

async function letGo({ directory }: Place, socket: Socket | undefined, handle: FileHandle): Promise<void> {
  if (socket !== undefined) {
    // First the name, then the socket: in between it is a lock that nobody sees, and its holder has already finished.
    await unlink(join(directory, socket.name)).catch(() => {})
    await closed(socket.server)
  }
  await handle.close()
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
  })
}
