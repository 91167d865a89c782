import { OperationalError } from '../base/errors.ts'

/** `parse`: the text is not a template. `execute`: a step of it failed. `bound`: it wanted more than its bounds allow. */
export type TemplateErrorCode = 'parse' | 'execute' | 'bound'

/** What is wrong with a template or its execution. Its message is the one of Go's text/template, to the letter:
 *  `template: NAME:LINE: …` from parsing, `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …` from executing. */
export class TemplateError extends OperationalError {
  declare readonly code: TemplateErrorCode
  /** The name that the text was parsed under. */
  readonly template: string
  /** From 1. */
  readonly line: number
  /** In bytes from the line's start, from 0: Go counts so. */
  readonly column: number
  constructor(
    code: TemplateErrorCode,
    message: string,
    at: { readonly template: string; readonly line: number; readonly column: number },
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, message, options)
    this.template = at.template
    this.line = at.line
    this.column = at.column
  }
}
