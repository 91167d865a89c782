import type { FileAttributes, FileSystem } from '../../lib/base/filesystem.ts'
import { MemoryFileSystem } from './memory-filesystem.ts'

/** What a call throws when our process dies in it, and what every call after it throws. */
export class Crash extends Error {}

export interface CrashPlan {
  /** The changing call, counted from 1, at which the process dies. */
  readonly at: number
  /** Whether the call has done nothing, a part, or all of its work by then. */
  readonly when: 'before' | 'during' | 'after'
}

export const CRASH_MOMENTS = ['before', 'during', 'after'] as const

/** A file system on which our process dies at call k. Only calls that change something count: to die at a reading one is to
 *  die after the change before it. */
export class CrashFileSystem implements FileSystem {
  readonly #inner: FileSystem
  readonly #plan: CrashPlan | undefined
  #dead = false
  /** How many changing calls there were. */
  calls = 0

  /** Without a plan it only counts. */
  constructor(inner: FileSystem, plan?: CrashPlan) {
    this.#inner = inner
    this.#plan = plan
  }

  get dead(): boolean {
    return this.#dead
  }

  /** A step of the process that is not a call of the file system, a hook say. */
  async step(work: () => Promise<void> | void): Promise<void> {
    await this.#change(async () => work())
  }

  createFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
    return this.#change(
      () => this.#inner.createFile(path, content, attributes),
      () => this.#inner.createFile(path, half(content), { mode: 0o600 }),
    )
  }
  replaceFile(path: string, content: Uint8Array, attributes: FileAttributes): Promise<void> {
    return this.#change(
      () => this.#inner.replaceFile(path, content, attributes),
      async () => {
        if (this.#inner instanceof MemoryFileSystem) this.#inner.replaceUnsynced(path, content, attributes)
      },
    )
  }
  appendFile(path: string, content: Uint8Array): Promise<void> {
    return this.#change(
      () => this.#inner.appendFile(path, content),
      async () => {
        // In memory the bytes are there until the power is cut; on a disk, half of them are.
        if (this.#inner instanceof MemoryFileSystem) this.#inner.appendUnsynced(path, content)
        else await this.#inner.appendFile(path, half(content))
      },
    )
  }
  makeDirectory(path: string, mode: number): Promise<void> {
    return this.#change(() => this.#inner.makeDirectory(path, mode))
  }
  makeDirectories(path: string, mode: number): Promise<void> {
    return this.#change(
      () => this.#inner.makeDirectories(path, mode),
      async () => {
        // The last one is made and not synced; where it exists, nothing.
        await this.#inner.makeDirectory(path, mode).catch(() => {})
      },
    )
  }
  link(target: string, path: string): Promise<void> {
    return this.#change(() => this.#inner.link(target, path))
  }
  rename(from: string, to: string): Promise<void> {
    return this.#change(() => this.#inner.rename(from, to))
  }
  touch(path: string, modifiedAtMs: number): Promise<void> {
    return this.#change(() => this.#inner.touch(path, modifiedAtMs))
  }
  remove(path: string): Promise<void> {
    return this.#change(
      () => this.#inner.remove(path),
      () => this.#removeSome(path),
    )
  }
  syncFile(path: string): Promise<void> {
    return this.#change(() => this.#inner.syncFile(path))
  }
  syncDirectory(path: string): Promise<void> {
    return this.#change(() => this.#inner.syncDirectory(path))
  }
  syncTree(path: string): Promise<void> {
    return this.#change(() => this.#inner.syncTree(path))
  }
  async readFile(path: string) {
    return this.#alive().readFile(path)
  }
  async list(path: string) {
    return this.#alive().list(path)
  }
  async readLink(path: string) {
    return this.#alive().readLink(path)
  }
  async stat(path: string) {
    return this.#alive().stat(path)
  }

  #alive(): FileSystem {
    if (this.#dead) throw new Crash('the process is dead')
    return this.#inner
  }

  async #change(whole: () => Promise<void>, part?: () => Promise<void>): Promise<void> {
    this.#alive()
    if (++this.calls !== this.#plan?.at) return whole()
    this.#dead = true
    if (this.#plan.when === 'after') await whole()
    if (this.#plan.when === 'during') await part?.()
    throw new Crash(`died ${this.#plan.when} call ${this.calls}`)
  }

  async #removeSome(path: string): Promise<void> {
    if ((await this.#inner.stat(path))?.kind !== 'directory') return
    const [first] = await this.#inner.list(path)
    if (first !== undefined) await this.#inner.remove(`${path}/${first}`)
  }
}

function half(content: Uint8Array): Uint8Array {
  return content.subarray(0, Math.floor(content.length / 2))
}
