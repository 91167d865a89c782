import type { Clock } from '../base/clock.ts'
import { formatDurationMs } from '../base/duration.ts'
import type { ProbeOptions } from '../bundle.ts'
import type { Verdict } from './verdict.ts'

/** How many tries in a row must be well at the end. */
const STEADY_TRIES = 3

/** Watches the application for the whole probation, `forMs`, and says how it ended.
 *
 *  It is tried at once, then every `everyMs`, and a last time when the probation is over. The **last three tries** must all
 *  be well (fewer in a probation so short that three would reach into its first half). Why so:
 *  - Being well at first proves nothing: a process that was just told may still answer with what it had before.
 *  - Being unwell at first proves nothing either: a reload may drop connections, and a restart takes its time.
 *  - One good answer at the end could be a crash loop's lucky moment; three in a row hardly are.
 *  - Neither end comes early, so `forMs` is the one knob: how long trouble may take to show is known to who knows the
 *    application, not to us. The price: with a probe, a bundle publishes at most one generation per `forMs`.
 *
 *  Takes `forMs` and as long as the last try; rejects only with the signal's reason, or as a try does. */
export async function watchProbation(
  options: Pick<ProbeOptions, 'forMs' | 'everyMs'>,
  tryOnce: (signal: AbortSignal) => Promise<Verdict>,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const { forMs, everyMs } = options
  const steadyTries = Math.min(STEADY_TRIES, 1 + Math.floor(forMs / 2 / everyMs))
  const endsAtMs = clock.monotonicMs() + forMs
  let wellInARow = 0
  let lastWhy = ''
  for (;;) {
    const triedAtMs = clock.monotonicMs()
    const verdict = await tryOnce(signal)
    wellInARow = verdict.ok ? wellInARow + 1 : 0
    if (!verdict.ok) lastWhy = verdict.why
    if (triedAtMs >= endsAtMs) break
    // Rounded up, because a timer that is a fraction early would make the last try a twin of the one before.
    const nextAtMs = Math.min(triedAtMs + everyMs, endsAtMs)
    await clock.sleep(Math.max(0, Math.ceil(nextAtMs - clock.monotonicMs())), signal)
  }
  if (wellInARow >= steadyTries) return { ok: true }
  const how = wellInARow === 0 ? 'unwell' : `well at the last ${wellInARow} of ${steadyTries} tries only`
  return { ok: false, why: `${how} after ${formatDurationMs(forMs)}: ${lastWhy}` }
}
