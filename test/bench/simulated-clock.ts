import { sleepOn, type Clock } from '../../lib/base/clock.ts'

/** Everything that is to wake within so many milliseconds wakes together: what a simulation of many gains by it is its speed. */
const GRAIN_MS = 10

interface Sleeper {
  readonly wakesAtMs: number
  wake: (() => void) | undefined
}

/** Time that passes as fast as what happens in it can be worked out, for ten thousand who sleep in it. */
export class SimulatedClock implements Clock {
  readonly #startMs = Date.UTC(2026, 0, 1)
  /** By the grain in which they wake. */
  readonly #sleepers = new Map<number, Sleeper[]>()
  #elapsedMs = 0

  nowMs(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return sleepOn(this, durationMs, signal)
  }

  after(durationMs: number, call: () => void): () => void {
    const sleeper: Sleeper = { wakesAtMs: this.#elapsedMs + durationMs, wake: call }
    const cancel = () => void (sleeper.wake = undefined)
    if (!Number.isFinite(durationMs)) return cancel
    // Never in the grain of now, whose turn it is: nobody sleeps for no time at all.
    const grain = Math.max(Math.ceil(sleeper.wakesAtMs / GRAIN_MS), this.#grain + 1)
    const together = this.#sleepers.get(grain)
    if (together === undefined) this.#sleepers.set(grain, [sleeper])
    else together.push(sleeper)
    return cancel
  }

  async advance(durationMs: number): Promise<void> {
    const until = Math.floor((this.#elapsedMs + durationMs) / GRAIN_MS)
    await settled()
    while (this.#grain < until) {
      this.#elapsedMs = (this.#grain + 1) * GRAIN_MS
      const together = this.#sleepers.get(this.#grain)
      if (together === undefined) continue
      this.#sleepers.delete(this.#grain)
      for (const { wake } of together) wake?.()
      await settled()
    }
  }

  get #grain(): number {
    return Math.round(this.#elapsedMs / GRAIN_MS)
  }
}

/** Nothing in a simulation waits for the world outside, so that one turn of the event loop lets everything run. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
