import type { Clock, Random } from '../lib/base/clock.ts'
import type { Mailbox } from '../lib/base/mailbox.ts'
import type { Reading } from '../lib/reading.ts'

export interface PollOptions {
  /** From the end of one read to the start of the next, before jitter; as a function, after each read and with its own jitter. */
  readonly everyMs: number | (() => number)
  readonly clock: Clock
  readonly random: Random
  /** The share of `everyMs` by which each wait is drawn shorter or longer, so that a fleet does not ask in step. @default 0.1 */
  readonly jitter?: number
  /** Ends the wait early when something is put into it; for this poll alone. */
  readonly hint?: Mailbox<unknown>
}

const JITTER = 0.1

/** The readings of something that can only be polled: reads at once, then again after each wait. It yields what was read, the
 *  same again too. Throws what `readOnce` throws, and the signal's reason when it aborts. */
export async function* poll(
  options: PollOptions,
  readOnce: (signal: AbortSignal) => Promise<Reading>,
  signal: AbortSignal,
): AsyncGenerator<Reading, never, undefined> {
  for (;;) {
    signal.throwIfAborted()
    const reading = await readOnce(signal)
    signal.throwIfAborted()
    yield reading
    await pause(options, signal)
  }
}

/** A wait that a fleet does not take in step. */
export function jittered(waitMs: number, random: Random, jitter = JITTER): number {
  return waitMs * (1 + jitter * (2 * random() - 1))
}

async function pause(
  { everyMs, clock, random, jitter = JITTER, hint }: PollOptions,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const waitMs = typeof everyMs === 'function' ? everyMs() : jittered(everyMs, random, jitter)
  if (hint === undefined) return clock.sleep(waitMs, signal)
  await hint.takenWithin(waitMs, clock, signal)
}
