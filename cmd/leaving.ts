import { constants } from 'node:os'
import type { Signals } from './world.ts'

/** How the program is asked to leave, by SIGTERM or SIGINT: once to end in good order, twice to leave at once. */
export interface Leaving {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal
  /** Resolves at the second with the exit code that a shell gives for it, 128 and its number. This is done here and not left
   *  to the system's default action, which process 1 of a container does not have. */
  readonly atOnce: Promise<number>
  stop(): void
}

function listenForLeave(signals: Signals): Leaving {
  const first = new AbortController()
  const second = Promise.withResolvers<number>()
  const stop = signals.on(['SIGTERM', 'SIGINT'], signal => {
    if (first.signal.aborted) second.resolve(128 + constants.signals[signal])
    else first.abort(new Error(`got ${signal}`))
  })
  return { signal: first.signal, atOnce: second.promise, stop }
}

/** Runs the work of a verb until it ends or the program is to leave at once; gives its exit code. */
export async function untilLeft(signals: Signals, work: (leaving: Leaving) => Promise<number>): Promise<number> {
  const leaving = listenForLeave(signals)
  try {
    return await Promise.race([work(leaving), leaving.atOnce])
  } finally {
    leaving.stop()
  }
}
