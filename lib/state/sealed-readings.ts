import { createHmac, hash } from 'node:crypto'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'
import type { Log } from '../base/log.ts'
import { showDependency, type Dependency } from '../dependency.ts'
import { messageOf, systemCode } from '../errors.ts'
import type { Reading } from '../reading.ts'
import { readingFromJson, readingToJson } from './reading-json.ts'
import type { Room } from './room.ts'
import { seal, unseal } from './seal.ts'
import { MARK_LENGTH, readSealedLines, recordLine, sealedIn, takenBackLine, type SealedLine } from './sealed-lines.ts'

/** One reading; a greater one is not kept. */
export const RECORD_BYTES_MAX = 4 * 1024 * 1024
/** How long readings are gathered that come after a pause: those that change together come one after the other. */
const SOON_MS = 20
/** How long readings are gathered after some were written, so that one that changes all the time does not keep the disk busy. */
const GATHER_MS = 1_000
/** Written at once: more would hold up whoever waits for their turn, and whatever else the process does. */
const TOGETHER_MAX = 250
const TOGETHER_BYTES_MAX = 1024 * 1024
/** What has been replaced or taken back is gone from the disk after this time for each MiB that is kept, at least for one, and at the
 *  latest when the process ends in good order. */
const CLEAN_AFTER_MS = 10_000
/** So much may be there of it, or as much as is kept, until it is removed at once. */
const DEAD_BYTES_MAX = 1024 * 1024
const MIB = 1024 * 1024

export interface SealedReadingsHost {
  readonly path: string
  readonly key: Uint8Array
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly log: Log
  readonly room: Room
  /** Is told of each write that failed, and with undefined of one that did not. */
  readonly wrote: (error: unknown) => void
}

/** What is to be kept of one dependency: a reading, or nothing any more. */
type Waiting = Newer | typeof NOTHING

interface Newer {
  readonly dependency: Dependency
  readonly reading: Reading
  readonly mark: string
}

const NOTHING = { reading: undefined, mark: undefined } as const

/** The newest reading of each dependency, sealed, in one file to which lines are added (`sealed-lines.ts`): so readings that change
 *  together are one write with one sync, however many. Writes come one after another. A crash in one leaves what was before, and maybe
 *  some of the new; the file as a whole is only ever replaced in one step.
 *
 *  Each record has a mark, a keyed hash of its reading's revision. It tells without opening a record whether it is of the newest. */
export class SealedReadings {
  readonly #host: SealedReadingsHost
  /** Another than that of the records, and what was sealed with another key has other marks. */
  readonly #markKey: string
  /** What is on the disk and counts: the mark of each record, and how long it is. */
  readonly #kept = new Map<string, { readonly mark: string; readonly bytes: number }>()
  /** What has come since. It leaves when it is durable. */
  readonly #waiting = new Map<string, Waiting>()
  /** What of it is being written. */
  #underWay: ReadonlyMap<string, Waiting> = new Map()
  /** The lines as they were found at the start, until that is over: a restart without the backend asks for all of them. */
  #found: ReadonlyMap<string, SealedLine> = new Map()
  /** How long the file is, and the records of it that count. */
  #bytes = 0
  #liveBytes = 0
  readonly #closing = new AbortController()
  #writing: Promise<void> | undefined
  /** Set until its turn comes. */
  #takingBack: Promise<void> | undefined
  #isToBeCleaned = false
  #last: Promise<void> = Promise.resolve()

  constructor(host: SealedReadingsHost) {
    this.#host = host
    this.#markKey = createHmac('sha256', host.key).update('marks').digest('hex')
  }

  /** Takes up what is there. */
  async open(who: 'keeps' | 'only looks'): Promise<void> {
    const { fileSystem, path, log } = this.#host
    const status = await fileSystem.stat(path)
    if (status === undefined) return
    // Earlier, each reading was a file in a directory of this name.
    if (who === 'keeps' && status.kind !== 'file') return fileSystem.remove(path)
    let content: Uint8Array
    try {
      if (who === 'keeps') {
        // A crash may have come before a sync: what is acted upon must not be lost to a power cut, or what was before it comes back.
        await fileSystem.syncFile(path)
        await fileSystem.syncDirectory(dirname(path))
      }
      content = await fileSystem.readFile(path)
    } catch (error) {
      if (who === 'only looks') throw error
      // No reason not to start; but nothing may be added to it.
      log.warn('sealed records ignored', { path, why: `they cannot be read: ${systemCode(error) ?? messageOf(error)}` })
      return fileSystem.remove(path)
    }
    const { lines, damaged, isTorn } = readSealedLines(content)
    this.#found = lines
    this.#account(lines.values(), content.length)
    if (damaged > 0) log.warn('sealed records ignored', { path, records: damaged, why: 'they are damaged' })
    if (who === 'only looks') return
    if (damaged > 0 || isTorn) await this.#inTurn(() => this.#clean())
    else this.#cleanLater()
  }

  /** Keeps a reading under a name, soon. */
  put(name: string, dependency: Dependency, reading: Reading): void {
    const mark = hash('sha256', `${this.#markKey} ${name} ${reading.revision}`).slice(0, MARK_LENGTH)
    this.#waiting.set(name, { dependency, reading, mark })
    this.#writing ??= this.#writeWaiting().finally(() => (this.#writing = undefined))
  }

  remove(name: string): void {
    this.#waiting.set(name, NOTHING)
    void this.#takeBack()
  }

  /** Forgets all others, and what could not be opened: by now it would have been replaced. */
  retain(names: ReadonlySet<string>): void {
    this.#found = new Map()
    this.#cleanLater()
    for (const name of [...this.#kept.keys(), ...this.#waiting.keys()]) if (!names.has(name)) this.remove(name)
  }

  /** Resolves when nothing is found any more that is older than what was put or removed by now. It does not wait for what is newer to be
   *  written: a line that takes back the older one is short, and where there is none, or it was taken back before, there is nothing to
   *  wait for. */
  async forgetOlder(): Promise<void> {
    for (const [name, { mark }] of this.#waiting) {
      const coming = this.#underWay.get(name)
      if (this.#isOlder(name, mark) || (coming !== undefined && coming.mark !== mark)) return this.#takeBack()
    }
  }

  async get(name: string, of: Dependency): Promise<Reading | undefined> {
    const waiting = this.#waiting.get(name)
    if (waiting !== undefined) return waiting.reading
    const kept = this.#kept.get(name)
    if (kept === undefined) return undefined
    const reading = await this.#open(name, kept.mark)
    if (reading === undefined && this.#kept.get(name) === kept) {
      const why = 'it is damaged, or was sealed with another key'
      this.#host.log.warn('sealed record ignored', { of: showDependency(of), why })
      this.#drop(name)
    }
    return reading
  }

  /** Writes what waits to be written, and waits until all is on the disk, and nothing else. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the state is closed'))
    await this.#writing
    await this.#last
    if (this.#deadBytes > 0) await this.#inTurn(() => this.#clean())
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#wait(SOON_MS)
      const all = [...this.#waiting]
      for (let i = 0; i < all.length; i += TOGETHER_MAX)
        await this.#inTurn(() => this.#write(all.slice(i, i + TOGETHER_MAX)))
      await this.#wait(GATHER_MS)
    }
  }

  async #write(some: readonly (readonly [string, Waiting])[]): Promise<void> {
    // Of what was put again meanwhile only the newest is written, in the next round.
    const batch = new Map(some.filter(([name, waiting]) => this.#waiting.get(name) === waiting))
    const tried: (typeof some)[number][] = []
    this.#underWay = batch
    try {
      let [lines, bytes] = [[] as Line[], 0]
      for (const [name, waiting] of batch) {
        tried.push([name, waiting])
        // Most of what is read after a start is what was kept before it.
        if (waiting.mark === undefined || this.#kept.get(name)?.mark === waiting.mark) continue
        const line = await this.#record(name, waiting)
        if (line !== undefined) lines.push(line)
        bytes += line?.text.length ?? 0
        if (bytes < TOGETHER_BYTES_MAX) continue
        await this.#append(lines)
        ;[lines, bytes] = [[], 0]
      }
      await this.#append(lines)
    } finally {
      this.#underWay = new Map()
      // Each was written, or could not be: it is not tried again. What had not come to that is, in the next round.
      for (const [name, waiting] of tried) if (this.#waiting.get(name) === waiting) this.#waiting.delete(name)
    }
  }

  /** The line of a reading, which has its room. Where it cannot be kept, that is logged, and better nothing is kept than what is not the
   *  newest any more. */
  async #record(name: string, { dependency, reading, mark }: Newer): Promise<Line | undefined> {
    const { log, key, room } = this.#host
    const of = showDependency(dependency)
    const nothing = () => (this.#kept.has(name) ? this.#takenBack(name) : undefined)
    let sealed: Buffer
    try {
      sealed = seal(JSON.stringify(readingToJson(reading)), sealedAs(name, mark), key)
    } catch {
      // Without its message, which may quote the value.
      log.warn('not kept for a restart, it cannot be written down', { of })
      return nothing()
    }
    const text = recordLine(name, mark, sealed)
    if (sealed.length <= RECORD_BYTES_MAX) {
      if (room.tryTake(text.length)) return { name, text, mark }
      if (this.#deadBytes > 0) await this.#clean().catch(this.#host.wrote)
      if (room.tryTake(text.length)) return { name, text, mark }
    }
    log.warn('not kept for a restart, it is too much', { of })
    return nothing()
  }

  /** Takes back, in a turn, whatever is kept that is not the newest. */
  #takeBack(): Promise<void> {
    this.#takingBack ??= this.#inTurn(async () => {
      this.#takingBack = undefined
      const waiting = [...this.#waiting]
      try {
        const older = waiting.filter(([name, { mark }]) => this.#isOlder(name, mark))
        await this.#append(older.map(([name]) => this.#takenBack(name)))
      } finally {
        for (const [name, each] of waiting)
          if (each === NOTHING && this.#waiting.get(name) === NOTHING) this.#waiting.delete(name)
      }
    })
    return this.#takingBack
  }

  #isOlder(name: string, mark: string | undefined): boolean {
    const kept = this.#kept.get(name)
    return kept !== undefined && kept.mark !== mark
  }

  #takenBack(name: string): Line {
    const text = takenBackLine(name)
    this.#host.room.take(text.length)
    return { name, text, mark: undefined }
  }

  /** Adds lines, which have their room, in one step. Where that fails, nothing is left that they would have replaced. */
  async #append(lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return
    const { fileSystem, path, room } = this.#host
    const bytes = Buffer.from(lines.map(({ text }) => text).join(''), 'latin1')
    try {
      await fileSystem.appendFile(path, bytes)
    } catch (error) {
      room.tryTake(-bytes.length)
      for (const { name } of lines) this.#drop(name)
      await this.#cleanWhateverItTakes().catch(() => {})
      throw error
    }
    this.#bytes += bytes.length
    for (const { name, text, mark } of lines) {
      this.#drop(name)
      if (mark !== undefined) this.#count(name, mark, text.length)
    }
    if (this.#deadBytes > Math.max(DEAD_BYTES_MAX, this.#liveBytes)) await this.#clean().catch(this.#host.wrote)
    this.#cleanLater()
  }

  get #deadBytes(): number {
    return this.#bytes - this.#liveBytes
  }

  #count(name: string, mark: string, bytes: number): void {
    this.#kept.set(name, { mark, bytes })
    this.#liveBytes += bytes
  }

  #drop(name: string): void {
    this.#liveBytes -= this.#kept.get(name)?.bytes ?? 0
    this.#kept.delete(name)
  }

  #cleanLater(): void {
    if (this.#isToBeCleaned || this.#closing.signal.aborted || this.#deadBytes === 0) return
    this.#isToBeCleaned = true
    void this.#cleanAfter(CLEAN_AFTER_MS * Math.max(1, this.#bytes / MIB))
  }

  async #cleanAfter(ms: number): Promise<void> {
    await this.#wait(ms)
    // At the end it is done at once.
    if (this.#closing.signal.aborted) return
    await this.#inTurn(() => this.#clean())
    this.#isToBeCleaned = false
    this.#cleanLater()
  }

  /** Waits, at most until the end. */
  #wait(ms: number): Promise<void> {
    const { signal } = this.#closing
    return this.#host.clock.sleep(ms, signal).catch(() => {})
  }

  /** Writes what counts as a new file, in one step. */
  async #clean(): Promise<void> {
    await this.#become(await this.#live())
  }

  /** As `#clean`, also where there is no room for that: removing takes none. What cannot be written again then is lost. */
  async #cleanWhateverItTakes(): Promise<void> {
    const lines = await this.#live().catch(() => [])
    try {
      await this.#become(lines)
    } catch {
      await this.#become([])
      await this.#become(lines)
    }
  }

  async #live(): Promise<readonly SealedLine[]> {
    const { fileSystem, path } = this.#host
    if ((await fileSystem.stat(path)) === undefined) return []
    const { lines } = readSealedLines(await fileSystem.readFile(path))
    return [...lines.values()].filter(({ name, mark }) => this.#kept.get(name)?.mark === mark)
  }

  async #become(lines: readonly SealedLine[]): Promise<void> {
    const { fileSystem, path } = this.#host
    const content = Buffer.concat(lines.map(({ bytes }) => bytes))
    if (lines.length > 0) await fileSystem.replaceFile(path, content, { mode: 0o600 })
    else {
      await fileSystem.remove(path)
      await fileSystem.syncDirectory(dirname(path))
    }
    this.#account(lines, content.length)
  }

  #account(lines: Iterable<SealedLine>, bytes: number): void {
    this.#kept.clear()
    this.#liveBytes = 0
    for (const line of lines) this.#count(line.name, line.mark, line.bytes.length)
    this.#host.room.take(bytes - this.#bytes)
    this.#bytes = bytes
  }

  /** What a record holds, or undefined where it cannot be used. */
  async #open(name: string, mark: string): Promise<Reading | undefined> {
    try {
      const { fileSystem, path, key } = this.#host
      let line = this.#found.get(name)
      if (line?.mark !== mark) line = readSealedLines(await fileSystem.readFile(path)).lines.get(name)
      const text = line && unseal(sealedIn(line), sealedAs(name, line.mark), key)
      return text === undefined ? undefined : readingFromJson(JSON.parse(text))
    } catch {
      // Without its message: that of JSON.parse quotes the text.
      return undefined
    }
  }

  /** Changes the file, after what is under way. Never rejects. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const { path, wrote } = this.#host
    this.#last = this.#last.then(() => explained(`write ${path}`, work)).then(() => wrote(undefined), wrote)
    return this.#last
  }
}

interface Line {
  readonly name: string
  readonly text: string
  /** Of a record. */
  readonly mark: string | undefined
}

/** What a record is sealed under: the hash of all that it is of, and its mark. */
function sealedAs(name: string, mark: string): string {
  return `readings/${name} ${mark}`
}
