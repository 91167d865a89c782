/** Time as something that is passed in, so that tests own it. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970: for people and records, never for measuring. */
  nowMs(): number
  /** Milliseconds on a clock that never steps: for measuring and deadlines. */
  monotonicMs(): number
  /** Resolves after `durationMs`, however long; rejects with the signal's reason as soon as it aborts. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>
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
  async sleep(durationMs, signal) {
    for (let left = durationMs; ; left -= TIMEOUT_MS_MAX) {
      await sleepOnce(Math.min(left, TIMEOUT_MS_MAX), signal)
      if (left <= TIMEOUT_MS_MAX) return
    }
  },
}

function sleepOnce(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Random numbers in [0, 1); passed in where something is spread or unique, so that tests own it too. */
export type Random = () => number
