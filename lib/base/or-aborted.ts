/** The promise, or the signal's reason as soon as it aborts; what the promise waits for goes on. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Rejects with the signal's reason when it aborts, and does nothing before. */
export async function untilAborted(signal: AbortSignal): Promise<never> {
  return await orAborted(new Promise(() => {}), signal)
}
