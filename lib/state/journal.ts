import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'
import { OperationalError, systemCode } from '../errors.ts'
import { decodeLine, encodeLine, VERSION, type JournalRecord } from './record.ts'
import { compact, recover, type Entry, type Recovery } from './recover.ts'

export interface JournalHost {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  /** The generations that lie where the bundle is published: what the journal must remember something of. */
  generations(): Promise<readonly number[]>
}

/** From here on the journal is compacted when something is added. */
const RECORDS_MAX = 1_000
const BYTES_MAX = 1024 * 1024
/** How many of the newest records stay for people, needed or not. */
const RECENT_MIN = 200

/** Opens a bundle's journal; none is an empty one. Changes nothing yet, so that anybody may look.
 *
 *  A last line that is cut off is what a crash leaves; it is dropped, as its `append` never resolved. Any other line that
 *  cannot be read is left out, too, and reported in `damage`; all that can be read is kept. Fails with `newer-version` when
 *  a later outrigger wrote it. */
export async function openJournal(path: string, host: JournalHost): Promise<Journal> {
  const bytes = await explained(`read ${path}`, () => readIfThere(path, host.fileSystem))
  if (bytes === undefined) return new Journal(path, host, { records: [], damage: [], intact: false, bytes: 0 })
  return new Journal(path, host, readLines(path, bytes))
}

/** What must outlive a crash: what was intended, told, confirmed and condemned. What is visible is not in it; the disk says. */
export class Journal {
  /** What could not be read, a line each, for people. */
  readonly damage: readonly string[]
  readonly #path: string
  readonly #host: JournalHost
  #records: JournalRecord[]
  /** Those of the records: each pass asks what they say. */
  #entries: Entry[]
  #bytes: number
  /** How long it was when it was last written as a whole: it is compacted again only when that has doubled. */
  #bytesCompacted = 0
  /** Whether what lies on the disk is exactly our records, so that a line can be added to it. */
  #intact: boolean
  /** Entries are written one after another. */
  #last: Promise<void> = Promise.resolve()

  constructor(path: string, host: JournalHost, read: ReadLines) {
    this.#path = path
    this.#host = host
    this.#records = [...read.records]
    this.#entries = entriesOf(read.records)
    this.#bytes = read.bytes
    this.#intact = read.intact
    this.damage = read.damage
  }

  /** All that is known, oldest first; old records that nothing needs are gone. */
  get records(): readonly JournalRecord[] {
    return this.#records
  }

  /** What the entries say; see `recover`. */
  recover(visible: number | undefined, generations: readonly number[]): Recovery {
    return recover(this.#entries, visible, generations)
  }

  /** Adds an entry; it is durable when this resolves. After a failure the entry may or may not be found by the next start;
   *  the next `append` writes the file anew without it. */
  append(entry: Entry): Promise<void> {
    const turn = this.#last.then(() => explained(`write ${this.#path}`, () => this.#write(entry)))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #write(entry: Entry): Promise<void> {
    const record = { atMs: this.#host.clock.nowMs(), entry }
    if (!this.#intact || this.#isLong()) return this.#rewrite([...this.#records, record])
    const line = Buffer.from(encodeLine(record))
    this.#intact = false // Until it is known: half a line may stay there.
    await this.#host.fileSystem.appendFile(this.#path, line)
    this.#intact = true
    this.#records.push(record)
    this.#entries.push(entry)
    this.#bytes += line.length
  }

  #isLong(): boolean {
    return (this.#bytes > BYTES_MAX || this.#records.length > RECORDS_MAX) && this.#bytes > 2 * this.#bytesCompacted
  }

  /** Writes all that is needed as a new file, in one step. */
  async #rewrite(records: readonly JournalRecord[]): Promise<void> {
    const needed = this.#isLong() ? await this.#compact(records) : records
    const bytes = Buffer.from([{ version: VERSION }, ...needed].map(encodeLine).join(''))
    await this.#host.fileSystem.replaceFile(this.#path, bytes, { mode: 0o600 })
    this.#records = [...needed]
    this.#entries = entriesOf(needed)
    this.#bytes = bytes.length
    this.#bytesCompacted = bytes.length
    this.#intact = true
  }

  async #compact(records: readonly JournalRecord[]): Promise<readonly JournalRecord[]> {
    // A volume that is away says nothing about what is needed, and is no reason to write nothing.
    const generations = await this.#host.generations().catch(() => undefined)
    return generations === undefined ? records : compact(records, generations, RECENT_MIN)
  }
}

function entriesOf(records: readonly JournalRecord[]): Entry[] {
  return records.map(({ entry }) => entry)
}

interface ReadLines {
  readonly records: readonly JournalRecord[]
  readonly damage: readonly string[]
  readonly intact: boolean
  readonly bytes: number
}

function readLines(path: string, bytes: Uint8Array): ReadLines {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  // What follows the last newline was cut off, even where it reads well: a line ends with its newline.
  const rest = lines.pop()
  const records: JournalRecord[] = []
  const damage: string[] = []
  for (const [i, text] of lines.entries()) {
    const line = decodeLine(text)
    if (line.kind === 'record') records.push(line.record)
    else if (line.kind === 'damaged') damage.push(`${path}:${i + 1}: ${line.problem}`)
    else if (line.version > VERSION) throw newerVersion(path, line.version)
  }
  return { records, damage, intact: lines.length > 0 && damage.length === 0 && rest === '', bytes: bytes.length }
}

function newerVersion(path: string, version: number): OperationalError {
  return new OperationalError('newer-version', `${path}: want journal version ${VERSION}, got ${version}`, {
    hint: 'run the outrigger that wrote it, or a later one',
  })
}

async function readIfThere(path: string, fileSystem: FileSystem): Promise<Uint8Array | undefined> {
  try {
    // A crash may have come before the sync of the last entry: what is acted upon must not be lost to a power cut.
    await fileSystem.syncFile(path)
    await fileSystem.syncDirectory(dirname(path))
    return await fileSystem.readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
