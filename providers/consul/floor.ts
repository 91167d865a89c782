import type { Clock } from '../../lib/base/clock.ts'

/** How many queries may follow one another at once, and how often there may be one in the long run. */
const BURST = 10
const EVERY_MS = 100

/** Keeps a query that is answered again and again from being asked without end: a key that changes all the time, or one that does
 *  not exist, for which each write anywhere is an answer. What changes now and then never waits here. */
export class Floor {
  readonly #clock: Clock
  #left = BURST
  #atMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#atMs = clock.monotonicMs()
  }

  /** Resolves when the next query may be sent. */
  async pass(signal: AbortSignal): Promise<void> {
    this.#refill()
    if (this.#left < 1) {
      await this.#clock.sleep((1 - this.#left) * EVERY_MS, signal)
      this.#refill()
    }
    this.#left = Math.max(0, this.#left - 1)
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#left = Math.min(BURST, this.#left + (nowMs - this.#atMs) / EVERY_MS)
    this.#atMs = nowMs
  }
}
