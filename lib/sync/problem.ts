import type { Log, LogData } from '../base/log.ts'
import { messageOf, OperationalError, systemCode } from '../errors.ts'
import { explainOutcome, type Outcome, type Problem } from '../outcome.ts'

/** What was thrown, for people. */
export function problemOf(error: unknown): Problem {
  const code = systemCode(error)
  const message =
    code === undefined || messageOf(error).includes(code) ? messageOf(error) : `${code}: ${messageOf(error)}`
  return error instanceof OperationalError && error.hint !== undefined ? { message, hint: error.hint } : { message }
}

/** A problem as the data of a log line, whose own message is another. */
export function spoken({ message, hint }: Problem): LogData {
  return hint === undefined ? { problem: message } : { problem: message, hint }
}

/** One log line for an outcome that is news; gives what has been said by then. What was published or rolled back has been said
 *  where it happened. */
export function sayOutcome(outcome: Outcome, said: string, { log, bundle }: Saying): string {
  const explained = explainOutcome(outcome)
  if (explained === said) return said
  if (outcome.kind === 'waiting') log.info('waiting', { bundle, for: explained })
  else if (outcome.kind === 'broken')
    log.error('broken, what was visible stays', { bundle, ...spoken(outcome.problem) })
  else if (outcome.kind === 'rejected') log.warn('rejected, what was visible stays', { bundle, why: outcome.why })
  else log.debug(outcome.kind, { bundle, generation: outcome.generation })
  return explained
}

interface Saying {
  readonly log: Log
  readonly bundle: string
}
