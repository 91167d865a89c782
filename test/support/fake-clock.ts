import { sleepOn, type Clock } from '../../lib/base/clock.ts'

interface Sleeper {
  readonly wakesAtMs: number
  readonly wake: () => void
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #elapsedMs = 0
  #startMs: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs
  }

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
    this.#sleepers.add(sleeper)
    return () => this.#sleepers.delete(sleeper)
  }

  /** Steps the wall clock, as an administrator or NTP does; the monotonic one and the sleepers do not notice. */
  leap(byMs: number): void {
    this.#startMs += byMs
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /** Moves time on, waking each sleeper at its moment and letting what it starts run before the next one. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#elapsedMs + durationMs
    await settled()
    for (;;) {
      const next = [...this.#sleepers].toSorted((a, b) => a.wakesAtMs - b.wakesAtMs)[0]
      if (next === undefined || next.wakesAtMs > untilMs) break
      this.#elapsedMs = Math.max(this.#elapsedMs, next.wakesAtMs)
      this.#sleepers.delete(next)
      next.wake()
      await settled()
    }
    this.#elapsedMs = untilMs
  }
}

/** Lets everything that is ready to run, run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
}
