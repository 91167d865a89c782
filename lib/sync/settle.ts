import type { Clock } from '../base/clock.ts'
import type { Mailbox } from '../base/mailbox.ts'
import type { SettleOptions } from '../bundle.ts'

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
    if (gapMs <= 0 || !(await changed.takenWithin(gapMs, clock, signal))) return
  }
}
