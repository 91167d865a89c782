import type { LogData } from '../base/log.ts'
import { messageOf, OperationalError, systemCode } from '../errors.ts'
import type { Problem } from '../outcome.ts'

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
