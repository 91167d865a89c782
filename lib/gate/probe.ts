import { failureOfCommand } from '../base/command.ts'
import { messageOf, OperationalError } from '../base/errors.ts'
import { addressOf, HttpClient } from '../base/http.ts'
import { childEnvironment } from '../base/process.ts'
import type { ProbeOptions } from '../bundle.ts'
import type { GateHost } from './check.ts'
import { watchProbation } from './probation.ts'
import type { Verdict } from './verdict.ts'

/** How much of a command's last words a verdict shows. */
const WORDS = { linesMax: 1, charactersMax: 200 }

/** Watches how the application takes a generation, for the whole probation: see `watchProbation` for what it must do.
 *
 *  A try over HTTP is a GET that must be answered with an expected status (200 to 299 unless configured) in time; a try by
 *  command must exit with 0 in time. Rejects only with the signal's reason. */
export async function runProbe(options: ProbeOptions, host: GateHost, signal: AbortSignal): Promise<Verdict> {
  return await watchProbation(options, signal => tryOnce(options, host, signal), host.clock, signal)
}

async function tryOnce(options: ProbeOptions, host: GateHost, signal: AbortSignal): Promise<Verdict> {
  const { target, timeoutMs } = options
  if ('http' in target) return await tryHttp(target, timeoutMs, host, signal)
  const environment = childEnvironment(host.environment)
  const run = { command: target.command, environment, timeoutMs, words: WORDS }
  const failure = await failureOfCommand(run, host, signal)
  return failure === undefined ? { ok: true } : { ok: false, why: failure.why }
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
