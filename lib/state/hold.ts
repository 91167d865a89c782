import type { Clock } from '../base/clock.ts'
import type { FileSystem } from '../base/filesystem.ts'
import { acquireLock, type Lock } from './lock.ts'

/** A directory that is kept ours alone, whatever happens to it: it may vanish, or be replaced by another. */
export class Hold {
  readonly #directory: string
  readonly #fileSystem: FileSystem
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #lock: Lock | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(directory: string, fileSystem: FileSystem, clock: Clock, signal: AbortSignal) {
    this.#directory = directory
    this.#fileSystem = fileSystem
    this.#clock = clock
    this.#signal = signal
  }

  /** Resolves when the directory is there and its lock is ours. Rejects as `acquireLock` and `makeDirectories` do; may be called
   *  again then, and whenever the directory may be another one. */
  ensure(): Promise<void> {
    return this.#inTurn(async () => {
      if (await this.#lock?.isThere()) return
      await this.#letGo()
      await this.#fileSystem.makeDirectories(this.#directory, 0o755)
      this.#lock = await acquireLock(this.#directory, this.#clock, this.#signal)
    })
  }

  /** May be called again. */
  release(): Promise<void> {
    return this.#inTurn(() => this.#letGo())
  }

  async #letGo(): Promise<void> {
    const lock = this.#lock
    this.#lock = undefined
    await lock?.release()
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(task, task)
    this.#last = turn.catch(() => {})
    return turn
  }
}
