/** An error of operation: something that happens in production and has a next step. Bugs are assertions instead. */
export class OperationalError extends Error {
  readonly code: string
  /** What the reader can do next, as a sentence without a capital or a period. */
  readonly hint: string | undefined
  constructor(code: string, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    this.code = code
    this.hint = options.hint
  }
}

/** Why a provider could not read. What happens next hangs on it: `unavailable`, `timeout` and `rate-limited` keep serving the
 *  last known good reading, the others are not cured by waiting alone, and `forbidden` drops what is kept of it. */
export type ProviderErrorCode =
  | 'unavailable'
  | 'timeout'
  | 'rate-limited'
  | 'unauthenticated'
  | 'forbidden'
  | 'invalid-data'
  | 'bad-config'
  | 'unsupported'

/** What a provider throws. Its message names the dependency and what the backend said, never a value or a credential. */
export class ProviderError extends OperationalError {
  declare readonly code: ProviderErrorCode
  /** How long the backend asked us to wait (`Retry-After`), in milliseconds. */
  readonly retryAfterMs: number | undefined
  constructor(
    code: ProviderErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(code, message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The system's word for an error (`ENOSPC`), where it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** An error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
