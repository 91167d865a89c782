import { pino, type Logger } from 'pino'
import type { Log, LogLevel } from './log.ts'
import type { Redactor } from './secret.ts'

export interface LogOptions {
  readonly level: LogLevel
  readonly redactor: Redactor
  /** Gets each whole line, newline included. */
  readonly write: (line: string) => void
}

/** A log that writes one JSON object a line: `time` (RFC 3339, UTC), `level`, `message`, then the data. */
export function jsonLog({ level, redactor, write }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: (error: unknown) => (error instanceof Error ? error.message : String(error)) },
      // Every line passes here, whatever made it: the one place where texts that must not be seen are masked.
      hooks: { streamWrite: line => maskedLine(line, redactor) },
    },
    { write },
  )
  return wrap(logger)
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, data) => logger.debug(data ?? {}, message),
    info: (message, data) => logger.info(data ?? {}, message),
    warn: (message, data) => logger.warn(data ?? {}, message),
    error: (message, data) => logger.error(data ?? {}, message),
    with: data => wrap(logger.child(data)),
  }
}

/** The line with every remembered text masked. Where there may be one, it is masked value by value, so that the line stays JSON
 *  also when the secret is `5432` or `level`, and so that one which holds a quote is found: the line has it escaped. */
function maskedLine(line: string, redactor: Redactor): string {
  if (!line.includes('\\') && redactor.redact(line) === line) return line
  const { level, time, ...rest } = JSON.parse(line) as Readonly<Record<string, unknown>>
  return `${JSON.stringify({ level, time, ...(masked(rest, redactor) as object) })}\n`
}

function masked(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.redact(value)
  if (typeof value === 'number') {
    const text = String(value)
    return redactor.redact(text) === text ? value : redactor.redact(text)
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => masked(item, redactor))
  const entries = Object.entries(value).map(([key, item]) => [
    OURS.has(key) ? key : redactor.redact(key),
    masked(item, redactor),
  ])
  return Object.fromEntries(entries) as unknown
}

/** Names that our lines always have. */
const OURS: ReadonlySet<string> = new Set(['message', 'error', 'hint'])
