import type { Clock } from './clock.ts'

/** Made once: to abort without a reason makes one each time, with its stack. */
const OVER = new Error('it is over')

/** Runs `work` with a signal that aborts when `signal` does, or when the time is up. Rejects then with the signal's reason or
 *  with what `timeoutError` makes, at once, also when the work does not listen (a file on a server that is away). */
export async function withDeadline<T>(
  { timeoutMs, timeoutError }: { readonly timeoutMs: number; readonly timeoutError: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const done = new AbortController()
  const deadline = new AbortController()
  const either = AbortSignal.any([signal, deadline.signal])
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(either.reason as Error)
  either.addEventListener('abort', onAbort, { once: true })
  clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
    () => deadline.abort(timeoutError()),
    () => {},
  )
  try {
    return await Promise.race([work(either), aborted.promise])
  } finally {
    done.abort(OVER)
    either.removeEventListener('abort', onAbort)
  }
}
