import { OperationalError } from '../errors.ts'
import type { Notice } from '../notice.ts'

/** One way to tell the application. It tries once and never retries: the notifier asks again. */
export interface Hook {
  /** As in `HookOptions`. */
  readonly id: string
  /** Tells the application once. Resolves when it has taken the notice; may be called again with the same one.
   *  Rejects with a `HookError`, or with the signal's reason; nothing that it started is left by then. */
  tell(notice: Notice, signal: AbortSignal): Promise<void>
}

/** `failed`: nobody was told, and the next try may do better. `refused`: the application was told, and says that it cannot
 *  live with this generation; `message` then ends in its own words. */
export type HookErrorCode = 'failed' | 'refused'

/** Why a hook did not tell. Its message is for people and holds no secret. */
export class HookError extends OperationalError {
  declare readonly code: HookErrorCode
  constructor(
    code: HookErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, options)
  }
}
