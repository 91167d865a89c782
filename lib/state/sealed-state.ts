import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { explained } from '../base/disk-error.ts'
import type { FileSystem } from '../base/filesystem.ts'
import type { Log } from '../base/log.ts'
import { dependencyId, showDependency, type Dependency } from '../dependency.ts'
import { messageOf } from '../errors.ts'
import type { KeptLease, Reading } from '../reading.ts'
import { leaseFromJson, leaseToJson } from './reading-json.ts'
import { Room } from './room.ts'
import { seal, unseal } from './seal.ts'
import { NAME_LENGTH } from './sealed-lines.ts'
import { RECORD_BYTES_MAX, SealedReadings } from './sealed-readings.ts'

/** All records together, and what is left of earlier ones; what would go beyond is not kept. */
const TOTAL_BYTES_MAX = 64 * 1024 * 1024

/** Of what a provider reads: everything is kept for a restart, or what has a lease, or nothing. */
export type SealPolicy = 'all' | 'leases' | 'none'

export interface SealedStateOptions {
  readonly directory: string
  readonly key: Uint8Array
  /** By provider; what is kept of one that read from something else is not found. */
  readonly providers: ReadonlyMap<string, { readonly seal: SealPolicy; readonly identity: string }>
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly log: Log
}

/** Opens what was kept. What cannot be used of it is left out, with one line in the log; only a directory that cannot be made or
 *  listed makes it fail. */
export async function openSealedState(options: SealedStateOptions): Promise<SealedState> {
  const { directory, fileSystem } = options
  const kinds = ['leases', 'notes'].map(kind => join(directory, kind))
  return explained(`open ${directory}`, async () => {
    for (const path of kinds) await fileSystem.makeDirectories(path, 0o700)
    const state = new SealedState(options)
    for (const path of kinds) await state.list(path)
    await state.readings.open('keeps')
    await state.removeOtherNotes()
    await state.readLeases()
    return state
  })
}

/** Opens the readings that were kept, to look at them beside whoever keeps them: nothing is changed. */
export async function openKeptReadings(options: SealedStateOptions): Promise<Pick<SealedState, 'reading'>> {
  const state = new SealedState(options)
  await state.readings.open('only looks')
  return state
}

/** Leases, the newest reading of each dependency, and a note of each provider, sealed, each under a name that is a hash of what it is
 *  of. A lease and a note are one file each; readings are many and lie together (`sealed-readings.ts`).
 *
 *  A failure to write is reported and goes no further: what cannot be kept is only missing after a restart. */
export class SealedState {
  readonly #options: SealedStateOptions
  /** The size of each file that is there. */
  readonly #bytes = new Map<string, number>()
  /** Files that could not be opened. */
  readonly #damaged = new Set<string>()
  /** The last change of each file that is under way. */
  readonly #turns = new Map<string, Promise<void>>()
  readonly #room = new Room(TOTAL_BYTES_MAX)
  readonly readings: SealedReadings
  #leases: readonly KeptLease[] = []
  /** The last failure that was logged. */
  #said: string | undefined

  constructor(options: SealedStateOptions) {
    this.#options = options
    const wrote = (error: unknown) => this.#wrote(error)
    const path = join(options.directory, 'readings')
    this.readings = new SealedReadings({ ...options, path, room: this.#room, wrote })
  }

  /** The leases that were kept and have not ended. */
  get leases(): readonly KeptLease[] {
    return this.#leases
  }

  async list(directory: string): Promise<void> {
    const { fileSystem } = this.#options
    for (const name of await fileSystem.list(directory)) {
      const path = join(directory, name)
      const status = await fileSystem.stat(path)
      if (status?.kind === 'file') {
        this.#bytes.set(path, status.size)
        this.#room.take(status.size)
      }
      // What a crash left of a write.
      else await fileSystem.remove(path)
    }
  }

  async readLeases(): Promise<void> {
    const { clock } = this.#options
    const leases: KeptLease[] = []
    for (const path of this.#bytes.keys()) {
      if (!path.startsWith(join(this.#options.directory, 'leases'))) continue
      const lease = await this.#open(path, leaseFromJson)
      if (lease === undefined || this.#leasePath(lease) !== path) this.#ignore(path)
      else if (lease.lease.endsAtMs <= clock.nowMs()) await this.removeLease(lease)
      else leases.push(lease)
    }
    this.#leases = leases
  }

  async putLease(lease: KeptLease): Promise<void> {
    if (this.#policy(lease.dependency.provider) === 'none') return
    await this.#write(this.#leasePath(lease), () => leaseToJson(lease), showDependency(lease.dependency))
  }

  async removeLease(lease: KeptLease): Promise<void> {
    await this.#remove(this.#leasePath(lease))
  }

  putReading(dependency: Dependency, reading: Reading): void {
    if (this.#policy(dependency.provider) === 'all') this.readings.put(this.#nameOf(dependency), dependency, reading)
  }

  async reading(dependency: Dependency): Promise<Reading | undefined> {
    if (this.#policy(dependency.provider) !== 'all') return undefined
    return this.readings.get(this.#nameOf(dependency), dependency)
  }

  removeReading(dependency: Dependency): void {
    this.readings.remove(this.#nameOf(dependency))
  }

  forgetOlder(): Promise<void> {
    return this.readings.forgetOlder()
  }

  putNote(provider: string, text: string): void {
    if (this.#policy(provider) === 'none') return
    void this.#write(this.#notePath(provider), () => text, `the note of ${provider}`)
  }

  async note(provider: string): Promise<string | undefined> {
    const path = this.#notePath(provider)
    await this.#turns.get(path)
    if (this.#policy(provider) === 'none' || !this.#bytes.has(path)) return undefined
    const text = await this.#open(path, String)
    if (text === undefined) this.#ignore(path)
    return text
  }

  /** Removes the notes of providers that are not configured any more, that read from elsewhere now, or that keep nothing: each may be a
   *  credential that is good still. */
  async removeOtherNotes(): Promise<void> {
    const names = [...this.#options.providers.keys()].filter(name => this.#policy(name) !== 'none')
    const wanted = new Set(names.map(name => this.#notePath(name)))
    const notes = join(this.#options.directory, 'notes')
    for (const path of this.#bytes.keys()) {
      if (path.startsWith(notes) && !wanted.has(path)) await this.#remove(path)
    }
  }

  /** Forgets the readings of all other dependencies, and what could not be opened: by now it would have been replaced. */
  retain(dependencies: readonly Dependency[]): void {
    this.readings.retain(new Set(dependencies.map(dependency => this.#nameOf(dependency))))
    for (const path of this.#damaged) void this.#remove(path)
  }

  /** Writes what waits to be written, and waits until all is on the disk. */
  async close(): Promise<void> {
    await this.readings.close()
    await Promise.all(this.#turns.values())
  }

  /** What a file holds, or undefined where it cannot be used. */
  async #open<T>(path: string, read: (json: unknown) => T): Promise<T | undefined> {
    try {
      const text = unseal(await this.#options.fileSystem.readFile(path), this.#nameIn(path), this.#options.key)
      return text === undefined ? undefined : read(JSON.parse(text))
    } catch {
      // Without its message: that of JSON.parse quotes the text.
      return undefined
    }
  }

  #ignore(path: string): void {
    if (this.#damaged.has(path)) return
    this.#damaged.add(path)
    const why = 'it is damaged, or was sealed with another key'
    this.#options.log.warn('sealed record ignored', { path, why })
  }

  /** @param of what it is of, for people */
  #write(path: string, toJson: () => unknown, of: string): Promise<void> {
    return this.#inTurn(path, async () => {
      const { fileSystem, key, log } = this.#options
      const sealed = seal(JSON.stringify(toJson()), this.#nameIn(path), key)
      const before = this.#bytes.get(path) ?? 0
      if (sealed.length > RECORD_BYTES_MAX || !this.#room.tryTake(sealed.length - before)) {
        log.warn('not kept for a restart, it is too much', { of })
        // Better nothing than what is not the newest any more.
        return this.#removeNow(path)
      }
      try {
        await fileSystem.replaceFile(path, sealed, { mode: 0o600 })
      } catch (error) {
        this.#room.take(before - sealed.length)
        throw error
      }
      this.#bytes.set(path, sealed.length)
      this.#damaged.delete(path)
    })
  }

  #remove(path: string): Promise<void> {
    return this.#inTurn(path, () => this.#removeNow(path))
  }

  async #removeNow(path: string): Promise<void> {
    const bytes = this.#bytes.get(path)
    if (bytes === undefined) return
    const { fileSystem } = this.#options
    await fileSystem.remove(path)
    await fileSystem.syncDirectory(join(path, '..'))
    this.#room.take(-bytes)
    this.#bytes.delete(path)
    this.#damaged.delete(path)
  }

  /** Changes one file, after what is under way on it. Never rejects. */
  #inTurn(path: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(path) ?? Promise.resolve())
      .then(() => explained(`write ${path}`, work))
      .then(
        () => this.#wrote(undefined),
        (error: unknown) => this.#wrote(error),
      )
      .finally(() => {
        if (this.#turns.get(path) === turn) this.#turns.delete(path)
      })
    this.#turns.set(path, turn)
    return turn
  }

  /** One line when the story changes, not one for each try. */
  #wrote(error: unknown): void {
    const said = error === undefined ? undefined : messageOf(error).replace(/[0-9a-f]{32}/g, '…')
    if (said !== undefined && said !== this.#said)
      this.#options.log.warn('cannot keep it for a restart', { error: messageOf(error) })
    this.#said = said
  }

  #policy(provider: string): SealPolicy {
    return this.#options.providers.get(provider)?.seal ?? 'none'
  }

  #leasePath({ dependency, identity, lease, order }: KeptLease): string {
    // A lease without a name is told from the next one by its order.
    return this.#path('leases', [identity, dependencyId(dependency), lease.id, lease.id === '' ? order : 0])
  }

  /** What a reading lies under. */
  #nameOf(dependency: Dependency): string {
    const known = this.#names.get(dependency)
    if (known !== undefined) return known
    const name = hashOf([this.#identity(dependency.provider), dependencyId(dependency)])
    this.#names.set(dependency, name)
    return name
  }

  /** Each confirmation of a bundle asks for those of all dependencies. */
  readonly #names = new WeakMap<Dependency, string>()

  #notePath(provider: string): string {
    return this.#path('notes', [this.#identity(provider), provider])
  }

  #identity(provider: string): string {
    return this.#options.providers.get(provider)?.identity ?? ''
  }

  #path(kind: string, of: readonly unknown[]): string {
    return join(this.#options.directory, kind, hashOf(of))
  }

  /** What a record is sealed under: its kind, and the hash of all that it is of. */
  #nameIn(path: string): string {
    return path.slice(this.#options.directory.length + 1)
  }
}

function hashOf(of: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(of)).slice(0, NAME_LENGTH)
}
