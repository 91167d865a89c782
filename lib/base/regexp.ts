import type { RE2JS } from 're2js'

declare global {
  interface ImportMeta {
    /** What the bundler puts `require` for, so that the package is part of the program, and evaluated when it is needed. */
    readonly require?: NodeJS.Require
  }
}

/** A regular expression of RE2, as Go has them: matching takes time linear in the text, whatever the expression. */
export interface GoRegExp {
  /** Whether it matches anywhere in the text. */
  test(text: string): boolean
  /** At most `limit` matches, from the left, that do not overlap; all if it is negative. */
  findAll(text: string, limit: number): readonly Match[]
  /** Every match replaced; in the replacement, `$1`, `${1}`, `$name` and `${name}` stand for groups and `$$` for a dollar. */
  replaceAll(text: string, replacement: string): string
  /** Every match replaced by the very text. */
  replaceAllLiteral(text: string, replacement: string): string
}

/** Where a match is, in UTF-16 units. */
export interface Match {
  readonly start: number
  readonly end: number
}

/** Compiled expressions that are kept: a range uses the same again and again. */
const KEPT_MAX = 100
const kept = new Map<string, GoRegExp>()

/** What is wrong with an expression. */
export class RegExpError extends Error {
  /** The message in Go's words, which quote the expression. */
  readonly quoting: string
  constructor(quoting: string, options?: ErrorOptions) {
    super(quoting.replace(/: `.*$/s, ''), options)
    this.quoting = quoting
  }
}

/** How long an expression is. */
const PATTERN_LENGTH_MAX = 10_000

/** Compiles an expression. Throws a `RegExpError` when it is none. */
export function compileRegExp(pattern: string): GoRegExp {
  const known = kept.get(pattern)
  if (known !== undefined) return known
  const compiled = compile(pattern)
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value as string)
  kept.set(pattern, compiled)
  return compiled
}

function compile(pattern: string): Compiled {
  if (pattern.length > PATTERN_LENGTH_MAX) {
    throw new RegExpError(`error parsing regexp: it is longer than ${PATTERN_LENGTH_MAX} characters`)
  }
  if (!pattern.isWellFormed()) throw new RegExpError(`error parsing regexp: invalid UTF-8: \`${pattern}\``)
  const { distinct, names } = withDistinctNames(pattern)
  try {
    return new Compiled(library().RE2JS.compile(distinct), names)
  } catch (error) {
    // Without its cause: that quotes the expression.
    throw new RegExpError(wordsOf(error))
  }
}

/** Go names the part of the expression that is wrong always, also when it is nothing. */
function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return words.endsWith('trailing backslash at end of expression') ? `${words}: \`\`` : words
}

let loaded: typeof import('re2js') | undefined

/** Evaluating it costs 9 ms and 13 MiB, and most templates have no use for it. */
function library(): typeof import('re2js') {
  loaded ??= (
    import.meta.require === undefined
      ? process.getBuiltinModule('node:module').createRequire(import.meta.url)('re2js')
      : import.meta.require('re2js')
  ) as typeof import('re2js')
  return loaded
}

/** Start and end of the whole match, then of each group; -1 where a group took no part. */
type Positions = readonly number[]

class Compiled implements GoRegExp {
  readonly #regExp: RE2JS
  /** The groups of each name: of several, the first that took part counts. */
  readonly #groups = new Map<string, number[]>()

  constructor(regExp: RE2JS, names: ReadonlyMap<string, string>) {
    this.#regExp = regExp
    for (const [distinct, group] of Object.entries(regExp.namedGroups())) {
      const name = names.get(distinct) ?? distinct
      this.#groups.set(
        name,
        [...(this.#groups.get(name) ?? []), group].toSorted((a, b) => a - b),
      )
    }
  }

  test(text: string): boolean {
    return this.#regExp.test(runesOf(text))
  }

  findAll(text: string, limit: number): readonly Match[] {
    return this.#positions(text, limit).map(([start = 0, end = 0]) => ({ start, end }))
  }

  replaceAll(text: string, replacement: string): string {
    if (!replacement.includes('$')) return this.replaceAllLiteral(text, replacement)
    const pieces = piecesOf(replacement, this.#groups)
    return this.#replace(text, positions =>
      pieces.map(piece => (typeof piece === 'string' ? piece : groupOf(text, positions, piece))).join(''),
    )
  }

  replaceAllLiteral(text: string, replacement: string): string {
    return this.#replace(text, () => replacement)
  }

  #replace(text: string, replacementOf: (positions: Positions) => string): string {
    let out = ''
    let at = 0
    for (const positions of this.#positions(text, -1)) {
      const [start = 0, end = 0] = positions
      out += text.slice(at, start) + replacementOf(positions)
      at = end
    }
    return out + text.slice(at)
  }

  #positions(text: string, limit: number): readonly Positions[] {
    return (this.#regExp.re2().findAllSubmatchIndex(runesOf(text), limit) as readonly Positions[] | null) ?? []
  }
}

/** Go lets several groups have one name, re2js does not: the later ones get another. Gives what each of those stands for. */
function withDistinctNames(pattern: string): {
  readonly distinct: string
  readonly names: ReadonlyMap<string, string>
} {
  const seen = new Set<string>()
  const names = new Map<string, string>()
  const distinct = pattern.replaceAll(NAMED_GROUP, (whole: string, start?: string, name?: string) => {
    if (start === undefined || name === undefined) return whole
    if (!seen.has(name)) {
      seen.add(name)
      return whole
    }
    const other = `${name}_again${names.size}`
    names.set(other, name)
    return `${start}${other}>`
  })
  return { distinct, names }
}

/** Goes over what is quoted or in brackets, where nothing is a group. */
const NAMED_GROUP = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(\(\?P?<)(\w+)>/gs

/** A byte that is no text matches as U+FFFD does, in Go. */
function runesOf(text: string): string {
  return text.toWellFormed()
}

function groupOf(text: string, positions: Positions, groups: readonly number[]): string {
  const group = groups.find(each => (positions[2 * each] ?? -1) >= 0)
  return group === undefined ? '' : text.slice(positions[2 * group], positions[2 * group + 1])
}

/** A replacement as its texts and the groups between them (Go's `Regexp.Expand`): the name is as long as can be, `$1x` is `${1x}`;
 *  a group that there is not is empty, and a dollar that begins no name is itself. */
function piecesOf(
  replacement: string,
  named: ReadonlyMap<string, readonly number[]>,
): readonly (string | readonly number[])[] {
  const pieces: (string | readonly number[])[] = []
  let at = 0
  for (const match of replacement.matchAll(REFERENCE)) {
    const [whole, braced, bare] = match
    pieces.push(replacement.slice(at, match.index))
    at = match.index + whole.length
    const name = braced ?? bare
    if (name === undefined) pieces.push('$')
    else if (/^(?:0|[1-9][0-9]*)$/.test(name)) pieces.push([Number(name)])
    else pieces.push(named.get(name) ?? [])
  }
  pieces.push(replacement.slice(at))
  return pieces
}

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu
