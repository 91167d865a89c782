import type { LogLevel } from '../lib/base/log.ts'

/** What every verb is given. */
export interface CommonOptions {
  readonly config: string
  readonly logLevel: LogLevel | undefined
  readonly logFormat: 'json' | 'text' | undefined
}
