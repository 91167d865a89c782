import { OperationalError } from '../base/errors.ts'

/** What is wrong with a configuration, and where. */
export interface ConfigProblem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** `bundles.web.files[0].mode`; empty where the text as a whole is wrong. */
  readonly path: string
  /** `want X, got Y`: names kinds, and no value that could be secret. */
  readonly message: string
  readonly hint?: string
  /** What of the line can be shown, as columns from and to (exclusive): all else may be a credential. */
  readonly shown: readonly (readonly [number, number])[]
}

/** Why a configuration was refused: every problem at once, in the order of the text. Its code is `bad-config`. */
export class ConfigError extends OperationalError {
  readonly problems: readonly ConfigProblem[]
  constructor(problems: readonly ConfigProblem[]) {
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    const hint = first?.hint
    super(
      'bad-config',
      `${first === undefined ? 'the configuration is wrong' : showProblem(first)}${more}`,
      hint === undefined ? {} : { hint },
    )
    this.problems = problems
  }
}

/** How much of a line is shown. */
const LINE_WIDTH = 80
const INDENT = '    '

/** A problem for people: `file:line:col: path: want X, got Y`, the source line with a caret below, and the hint. `text` is what the
 *  configuration was loaded from. Values that may be secret are shown as `…`. */
export function formatProblem(problem: ConfigProblem, text: string): string {
  const source = sourceLine(text, problem.line)
  const lines = [showProblem(problem), ...(source === undefined ? [] : excerptLines(source, problem))]
  if (problem.hint !== undefined) lines.push(`${INDENT}hint: ${problem.hint}`)
  return lines.join('\n')
}

/** A problem on one line: `file:line:col: path: want X, got Y`. */
export function showProblem({ file, line, column, path, message }: ConfigProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`
}

function sourceLine(text: string, line: number): string | undefined {
  let start = 0
  for (let i = 1; i < line; i++) {
    start = text.indexOf('\n', start) + 1
    if (start === 0) return undefined
  }
  const end = text.indexOf('\n', start)
  return text.slice(start, end === -1 ? undefined : end)
}

function excerptLines(source: string, { column, shown }: ConfigProblem): readonly string[] {
  const { text, caret } = masked(source, column, shown)
  const width = LINE_WIDTH - INDENT.length
  const indent = Math.min(text.length - text.trimStart().length, caret)
  const line = text.trimEnd()
  // The caret stays in view: the window moves right only as far as it must.
  const from = Math.max(indent, Math.min(caret - Math.floor(width / 2), line.length - width))
  const left = from > indent ? '…' : ''
  const right = line.length > from + width ? '…' : ''
  const window = `${left}${line.slice(from + left.length, from + width - right.length)}${right}`
  if (window.trim() === '') return []
  return [`${INDENT}${window}`, `${INDENT}${' '.repeat(caret - from)}^`]
}

/** The line with everything that must not be shown as `…`, and where the caret is then. */
function masked(
  source: string,
  column: number,
  shown: ConfigProblem['shown'],
): { readonly text: string; readonly caret: number } {
  let text = ''
  let caret = 0
  for (let i = 0; i < source.length; i++) {
    if (i + 1 === column) caret = text.endsWith(MASK) && !isShown(i + 1, shown) ? text.length - 1 : text.length
    const unit = source[i] as string
    const visible = !isShown(i + 1, shown) ? MASK : /\s/.test(unit) ? ' ' : unit
    if (visible !== MASK || !text.endsWith(MASK)) text += visible
  }
  return { text, caret: column > source.length ? text.length : caret }
}

const MASK = '…'

function isShown(column: number, shown: ConfigProblem['shown']): boolean {
  return shown.some(([from, to]) => column >= from && column < to)
}
