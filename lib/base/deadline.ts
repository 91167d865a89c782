import type { Clock } from './clock.ts'

/** Runs `work` with a signal that aborts when `signal` does, or when the time is up. Rejects then with the signal's reason or
 *  with what `timeoutError` makes, at once, also when the work does not listen (a file on a server that is away). */
export async function withDeadline<T>(
  { timeoutMs, timeoutError }: { readonly timeoutMs: number; readonly timeoutError: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  // Not `AbortSignal.any`: what that makes is found and taken apart by the garbage collector, which costs more than all of this.
  const either = new AbortController()
  const aborted = Promise.withResolvers<never>()
  const end = (reason: unknown) => {
    aborted.reject(reason)
    either.abort(reason)
  }
  const onAbort = () => end(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const cancel = clock.after(timeoutMs, () => end(timeoutError()))
  try {
    return await Promise.race([work(either.signal), aborted.promise])
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
