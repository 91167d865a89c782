import { pino, type Logger } from 'pino'
import type { Redactor } from './secret.ts'

/** Where the loops report. The message is static, what varies is data beside it; no value of a dependency is ever data. */
export interface Log {
  debug(message: string, data?: LogData): void
  info(message: string, data?: LogData): void
  warn(message: string, data?: LogData): void
  error(message: string, data?: LogData): void
  /** A log that adds `data` to each of its lines. */
  with(data: LogData): Log
}

export type LogData = Readonly<Record<string, unknown>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

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
      hooks: { streamWrite: line => redactor.redact(line) },
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

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog }
