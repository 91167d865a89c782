import { whyCommandFailed } from '../base/command.ts'
import { formatDurationMs } from '../base/duration.ts'
import { messageOf, OperationalError } from '../base/errors.ts'
import { addressOf, HttpClient } from '../base/http.ts'
import { childEnvironment } from '../base/process.ts'
import type { ProbeOptions } from '../bundle.ts'
import type { GateHost } from './check.ts'
import type { Verdict } from './verdict.ts'

/** How many tries in a row must be well at the end. */
const STEADY_TRIES = 3
/** How much of a command's last words a verdict shows. */
const WORDS = { linesMax: 1, charactersMax: 200 }

/** Watches the application for the whole probation, `forMs`, and says how it ended.
 *
 *  It is tried at once, then every `everyMs`, and a last time when the probation is over. The **last three tries** must all
 *  be well (fewer in a probation so short that three tries would reach into its first half). Why so:
 *  - Being well at first proves nothing: a process that was just told may still answer with what it had before.
 *  - Being unwell at first proves nothing either: a reload may drop connections, and a restart takes its time.
 *  - One good answer at the end could be a crash loop's lucky moment; three in a row hardly are.
 *  - Neither end comes early, so `forMs` is the one knob: how long trouble may take to show is known to who knows the
 *    application, not to us. The price: with a probe, a bundle publishes at most one generation per `forMs`.
 *
 *  Resolves within `forMs` and one `timeoutMs`; rejects only with the signal's reason. */
export async function runProbe(options: ProbeOptions, host: GateHost, signal: AbortSignal): Promise<Verdict> {
  const { clock } = host
  const steadyTries = steadyTriesOf(options)
  const startedAtMs = clock.monotonicMs()
  let wellInARow = 0
  let lastWhy = ''
  for (let isLast = false; !isLast;) {
    const triedAtMs = clock.monotonicMs()
    isLast = triedAtMs - startedAtMs >= options.forMs
    const verdict = await tryOnce(options, host, signal)
    wellInARow = verdict.ok ? wellInARow + 1 : 0
    if (!verdict.ok) lastWhy = verdict.why
    const nextAtMs = Math.min(triedAtMs + options.everyMs, startedAtMs + options.forMs)
    // Rounded up, because a timer that is a fraction early would make the last try a twin of the one before.
    if (!isLast) await clock.sleep(Math.max(0, Math.ceil(nextAtMs - clock.monotonicMs())), signal)
  }
  if (wellInARow >= steadyTries) return { ok: true }
  const how = wellInARow === 0 ? 'unwell' : `well for ${wellInARow} of the last ${steadyTries} tries only`
  return { ok: false, why: `${how} at the end of ${formatDurationMs(options.forMs)}: ${lastWhy}` }
}

/** The tries of the probation's second half, `STEADY_TRIES` at most and one at least. */
function steadyTriesOf({ forMs, everyMs }: ProbeOptions): number {
  return Math.min(STEADY_TRIES, 1 + Math.floor(forMs / 2 / everyMs))
}

async function tryOnce(options: ProbeOptions, host: GateHost, signal: AbortSignal): Promise<Verdict> {
  const { target, timeoutMs } = options
  if ('http' in target) return await tryHttp(target, timeoutMs, host, signal)
  const environment = childEnvironment(host.environment)
  const run = { command: target.command, environment, timeoutMs, words: WORDS }
  const why = await whyCommandFailed(run, host, signal)
  return why === undefined ? { ok: true } : { ok: false, why }
}

async function tryHttp(
  { http: url, expect }: Extract<ProbeOptions['target'], { readonly http: string }>,
  timeoutMs: number,
  { clock, redactor }: GateHost,
  signal: AbortSignal,
): Promise<Verdict> {
  // A connection of its own for each try: a kept one may lead to a process that is on its way out.
  const client = new HttpClient({ keepAlive: false })
  try {
    const { status } = await client.request({ url, timeoutMs, onExcess: 'cut' }, clock, signal)
    const well = expect === undefined ? status >= 200 && status <= 299 : expect.includes(status)
    return well ? { ok: true } : { ok: false, why: `${addressOf(new URL(url))} answered ${status}` }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return { ok: false, why: redactor.redact(messageOf(error)) }
  } finally {
    client.close()
  }
}
