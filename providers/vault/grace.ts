import type { Clock } from '../../lib/base/clock.ts'

/** How long something may go on that must not be broken off, and how long it may take to take it back. */
export const GRACE_MS = 2_000

/** Runs `work` with a signal that aborts a while after `signal` does: what is being made on the server would live on unused, as nobody
 *  would know its name. */
export async function withGrace<T>(
  work: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const cut = new AbortController()
  let cancel = () => {}
  const onAbort = () => void (cancel = clock.after(GRACE_MS, () => cut.abort(signal.reason)))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(cut.signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    cancel()
  }
}
