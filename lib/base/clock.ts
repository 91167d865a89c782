/** Time as something that is passed in, so that tests own it. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970: for people and records, never for measuring. */
  nowMs(): number
  /** Milliseconds on a clock that never steps: for measuring and deadlines. */
  monotonicMs(): number
  /** Resolves after `durationMs`, however long; rejects with the signal's reason as soon as it aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>
  /** Calls back after `durationMs`, however long, unless the returned function is called before: what costs less than a sleep where
   *  most are broken off, as a deadline is. */
  after(durationMs: number, call: () => void): () => void
}

/** What `setTimeout` takes at most before it fires at once instead: 2^31-1 ms, 24.8 days. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs() {
    // performance.now() is the same clock, but its first use loads nine modules of Node's.
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1e3 + nanoseconds / 1e6
  },
  sleep(durationMs, signal) {
    return sleepOn(systemClock, durationMs, signal)
  },
  after(durationMs, call) {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number) => {
      const next = () => (leftMs > TIMEOUT_MS_MAX ? wait(leftMs - TIMEOUT_MS_MAX) : call())
      timer = setTimeout(next, Math.min(leftMs, TIMEOUT_MS_MAX))
    }
    wait(durationMs)
    return () => clearTimeout(timer)
  },
}

/** What `sleep` of a clock is, by its `after`. */
export function sleepOn(clock: Pick<Clock, 'after'>, durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const cancel = clock.after(durationMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Random numbers in [0, 1); passed in where something is spread or unique, so that tests own it too. */
export type Random = () => number
