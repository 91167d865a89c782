import type { Clock } from '../base/clock.ts'
import { formatDurationMs } from '../base/duration.ts'
import type { ProbeOptions } from '../bundle.ts'
import type { Verdict } from './verdict.ts'

/** How many of the last tries must be well. */
const STEADY_TRIES = 3

/** Watches the application for the whole probation, `forMs`, and says how it ended.
 *
 *  It is tried at once, then every `everyMs`, and a last time when the probation is over. It passes when the **last three
 *  tries** were well, of which those do not count that began in the first half. Why so:
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
  const startedAtMs = clock.monotonicMs()
  const endsAtMs = startedAtMs + forMs
  let last: readonly { readonly triedAtMs: number; readonly verdict: Verdict }[] = []
  for (;;) {
    const triedAtMs = clock.monotonicMs()
    last = [...last, { triedAtMs, verdict: await tryOnce(signal) }].slice(-STEADY_TRIES)
    if (triedAtMs >= endsAtMs) break
    // Rounded up, because a timer that is a fraction early would make the last try a twin of the one before.
    const nextAtMs = Math.min(triedAtMs + everyMs, endsAtMs)
    await clock.sleep(Math.max(0, Math.ceil(nextAtMs - clock.monotonicMs())), signal)
  }
  const counting = last.filter(({ triedAtMs }) => triedAtMs >= startedAtMs + forMs / 2).map(({ verdict }) => verdict)
  const failure = counting.findLast(verdict => !verdict.ok)
  if (failure === undefined) return { ok: true }
  const how = counting.at(-1)?.ok === true ? 'not yet steadily well' : 'unwell'
  return { ok: false, why: `${how} after ${formatDurationMs(forMs)}: ${failure.why}` }
}
