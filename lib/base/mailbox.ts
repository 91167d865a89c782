import type { Clock } from './clock.ts'

/** A mailbox of one: a sender leaves the newest value and goes on; a receiver that was busy finds the newest, once.
 *
 *  Guaranteed: after the last `put`, a `take` returns that value. Not guaranteed: that each value put is ever taken. */
export class Mailbox<T> {
  #slot: { value: T } | undefined
  #wake: (() => void) | undefined

  /** Leaves a value; the one still lying there is replaced. */
  put(value: T): void {
    this.#slot = { value }
    this.#wake?.()
  }

  /** Whether a value lies there. */
  get full(): boolean {
    return this.#slot !== undefined
  }

  /** Throws away what lies there. */
  clear(): void {
    this.#slot = undefined
  }

  /** Takes the value, waiting for one. Rejects with the signal's reason when it aborts first. One taker at a time. */
  async take(signal: AbortSignal): Promise<T> {
    while (this.#slot === undefined) await this.#arrival(signal)
    const { value } = this.#slot
    this.#slot = undefined
    return value
  }

  /** Takes what lies there or arrives within `durationMs`; tells whether there was anything. Rejects with the signal's reason. */
  async takenWithin(durationMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    let isLate = false
    const late = () => {
      isLate = true
      this.#wake?.()
    }
    const cancel = this.full ? undefined : clock.after(durationMs, late)
    try {
      while (!this.full && !isLate) await this.#arrival(signal)
    } finally {
      cancel?.()
    }
    const { full } = this
    this.clear()
    return full
  }

  #arrival(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error)
      const onAbort = () => {
        this.#wake = undefined
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#wake = () => {
        this.#wake = undefined
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
    })
  }
}
