import { messageOf, OperationalError } from './base/errors.ts'

export { messageOf, OperationalError, systemCode } from './base/errors.ts'

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

/** What a provider threw, as it should have: anything else is taken for `unavailable`. */
export function asProviderError(cause: unknown): ProviderError {
  return cause instanceof ProviderError ? cause : new ProviderError('unavailable', messageOf(cause), { cause })
}
