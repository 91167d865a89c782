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

/** The system's word for an error (`ENOSPC`), where it has one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** An error's message, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
