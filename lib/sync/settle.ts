import type { Clock } from '../base/clock.ts'
import type { Mailbox } from '../base/mailbox.ts'
import type { SettleOptions } from '../bundle.ts'

/** Made once: an error has a stack, and there is one wait or more for each change. */
const OVER = new Error('the wait is over')

/** Waits until changes stop coming: for a gap of `quietMs`, or until `longestMs` are over. A change is known to have come. */
export async function settle(
  changed: Mailbox<undefined>,
  { quietMs, longestMs }: SettleOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonicMs() + longestMs
  for (;;) {
    const gapMs = Math.min(quietMs, deadline - clock.monotonicMs())
    if (gapMs <= 0 || !(await takenWithin(changed, gapMs, clock, signal))) return
  }
}

/** Takes what lies in the mailbox or arrives within `durationMs`; tells whether there was anything. */
export async function takenWithin(
  mailbox: Mailbox<undefined>,
  durationMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController()
  const cut = AbortSignal.any([signal, over.signal])
  try {
    return await Promise.race([mailbox.take(cut).then(() => true), clock.sleep(durationMs, cut).then(() => false)])
  } finally {
    over.abort(OVER)
  }
}
