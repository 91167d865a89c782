import type { Clock } from '../../lib/base/clock.ts'
import type { Mailbox } from '../../lib/base/mailbox.ts'

/** Made once: to abort without a reason makes one each time, with its stack. */
const OVER = new Error('it is over')

/** Waits for something in the mailbox and takes it; gives false when the time is up before. Rejects with the signal's reason. */
export async function waitFor(
  mailbox: Mailbox<unknown>,
  durationMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  // Whichever of the two loses must be ended, or each round would leave a sleeper or a taker behind.
  const round = new AbortController()
  const onAbort = () => round.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const taken = mailbox.take(round.signal).then(() => true)
  const late = clock.sleep(durationMs, round.signal).then(() => false)
  try {
    return await Promise.race([taken, late])
  } finally {
    signal.removeEventListener('abort', onAbort)
    round.abort(OVER)
    for (const loser of [taken, late]) loser.catch(() => {})
  }
}
