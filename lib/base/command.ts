import type { Clock } from './clock.ts'
import { formatDurationMs } from './duration.ts'
import { systemCode } from './errors.ts'
import { lastLines, type LinesBound } from './excerpt.ts'
import { run, type Finished, type Run } from './process.ts'
import type { Redactor } from './secret.ts'

/** What running a command for its exit code needs of the world around. */
export interface CommandHost {
  readonly clock: Clock
  readonly redactor: Redactor
}

/** How a command failed. */
export interface CommandFailure {
  /** For people: `nginx exited with 1: LAST WORDS`. */
  readonly why: string
  /** Whether it ended by itself: else it could not be started, took too long or was killed, and another try may end otherwise. */
  readonly ended: boolean
}

/** Runs a command for its exit code: undefined when it is 0, else how it failed.
 *  The last words are the end of what it wrote to stderr, or else to stdout, masked and within `words`; its
 *  arguments are not shown. Rejects only with the signal's reason, or on a bug. */
export async function failureOfCommand(
  options: Run & { readonly words: LinesBound },
  { clock, redactor }: CommandHost,
  signal: AbortSignal,
): Promise<CommandFailure | undefined> {
  const program = options.command[0] ?? ''
  let finished: Finished
  try {
    finished = await run(options, clock, signal)
  } catch (error) {
    signal.throwIfAborted()
    const code = systemCode(error)
    if (code === undefined) throw error
    return { why: `${program} ${START_FAILURES[code] ?? `cannot be started: ${code}`}`, ended: false }
  }
  const failure = failureOf(finished, options.timeoutMs)
  if (failure === undefined) return undefined
  const words = wordsOf(finished.stderr) || wordsOf(finished.stdout)
  const why = words === '' ? `${program} ${failure}` : `${program} ${failure}: ${words}`
  return { why, ended: finished.exitCode !== undefined && !finished.timedOut }

  function wordsOf(output: Buffer): string {
    return lastLines(redactor.redact(output.toString('utf8')), options.words)
  }
}

const START_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be started: there is no such program (ENOENT)',
  EACCES: 'cannot be started: we may not execute it (EACCES)',
}

function failureOf({ exitCode, signal, timedOut }: Finished, timeoutMs: number): string | undefined {
  if (timedOut) return `did not end within ${formatDurationMs(timeoutMs)}`
  if (exitCode === 0) return undefined
  return exitCode === undefined ? `was ended by ${signal ?? 'a signal'}` : `exited with ${exitCode}`
}
