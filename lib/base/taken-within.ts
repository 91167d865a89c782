import type { Clock } from './clock.ts'
import type { Mailbox } from './mailbox.ts'

/** Made once: to abort without a reason makes one each time, with its stack. */
const OVER = new Error('the wait is over')

/** Takes what lies in the mailbox or arrives within `durationMs`; tells whether there was anything. Rejects with the signal's
 *  reason. */
export async function takenWithin(
  mailbox: Mailbox<unknown>,
  durationMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  // Whichever of the two loses must be ended, or each wait would leave a sleeper or a taker behind. Not by `AbortSignal.any`: see
  // `deadline.ts`.
  const over = new AbortController()
  const onAbort = () => over.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const taken = mailbox.take(over.signal).then(() => true)
  const late = clock.sleep(durationMs, over.signal).then(() => false)
  try {
    return await Promise.race([taken, late])
  } finally {
    signal.removeEventListener('abort', onAbort)
    over.abort(OVER)
  }
}
