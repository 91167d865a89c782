import { nearest } from '../base/nearest.ts'
import type { Path } from './finding.ts'

const MARK = /\$\$\{|\$\{([^}]*)(\}?)/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A text after expansion. What is wrong is told with the ordinal of its `${` among those in the text. */
export interface Expansion {
  readonly text: string
  /** Whether a variable's value is part of the text. */
  readonly expanded: boolean
  readonly problems: readonly ExpansionProblem[]
}

export interface ExpansionProblem {
  readonly ordinal: number
  readonly message: string
  readonly hint: string
}

/** Puts the environment's values for `${NAME}`; `$${` stands for a literal `${`. A value is not expanded again. */
export function expand(text: string, environment: Readonly<Record<string, string>>): Expansion {
  const problems: ExpansionProblem[] = []
  let expanded = false
  let ordinal = -1
  const result = text.replace(MARK, (mark, name: string | undefined, end: string | undefined) => {
    ordinal++
    if (name === undefined) return '${'
    if (end === '' || !NAME.test(name)) {
      problems.push({
        ordinal,
        message: 'want ${NAME} with the name of an environment variable, got another text after ${',
        hint: 'write $${ for a literal ${',
      })
      return mark
    }
    if (!Object.hasOwn(environment, name)) {
      const near = nearest(name, Object.keys(environment))
      problems.push({
        ordinal,
        message: `want the environment variable ${name}, got none of that name`,
        hint: near === undefined ? `set ${name}, or write $\${ for a literal \${` : `did you mean \${${near}}?`,
      })
      return mark
    }
    expanded = true
    return environment[name] as string
  })
  return { text: result, expanded, problems }
}

/** Where the `${` with this ordinal begins in the source of a scalar; the scalar's own start when escapes hide it. */
export function markOffset(source: string, ordinal: number): number {
  return [...source.matchAll(MARK)][ordinal]?.index ?? 0
}

/** Whether strings at this place are expanded. Contents and paths of files are not: templates read the environment themselves. */
export function isExpanded(path: Path): boolean {
  const [top, , part, index, key] = path
  if (top === 'providers' || top === 'state' || top === 'admin') return true
  if (top !== 'bundles') return false
  if (part === 'probe') return index === 'http'
  return part === 'hooks' && (key === 'http' || key === 'headers' || key === 'env')
}
