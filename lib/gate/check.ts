import { failureOfCommand, type CommandHost } from '../base/command.ts'
import { childEnvironment } from '../base/process.ts'
import type { CheckOptions } from '../bundle.ts'
import type { Verdict } from './verdict.ts'

/** What checks and probes need of the world around. */
export interface GateHost extends CommandHost {
  /** Our own environment, of which children get a small part. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** How much of a check's last words a verdict shows. */
const WORDS = { linesMax: 20, charactersMax: 2_000 }
const STAGED = '{staged}'

/** Runs one check of a staged generation: its command must exit with 0 in time.
 *
 *  `{staged}` in any argument, and `OUTRIGGER_STAGED` in the environment, is the staged generation's directory. A check that
 *  cannot be started, or takes too long, is one that was not passed: what nobody could check is not published. Rejects only
 *  with the signal's reason; the command and all that it started have ended by then. */
export async function runCheck(
  options: CheckOptions,
  stagedDirectory: string,
  host: GateHost,
  signal: AbortSignal,
): Promise<Verdict> {
  const command = {
    // A function, because `$` has a meaning in a replacement text, and a directory may have one in its name.
    command: options.command.map(argument => argument.replaceAll(STAGED, () => stagedDirectory)),
    environment: childEnvironment(host.environment, { OUTRIGGER_STAGED: stagedDirectory }),
    timeoutMs: options.timeoutMs,
    words: WORDS,
  }
  const failure = await failureOfCommand(command, host, signal)
  if (failure === undefined) return { ok: true }
  return failure.ended ? { ok: false, why: failure.why } : { ok: false, why: failure.why, inconclusive: true }
}
