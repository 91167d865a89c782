import { createRequire } from 'node:module'
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

/** Compiles an expression. Throws an Error with Go's words, which quote the expression, when it is none. */
export function compileRegExp(pattern: string): GoRegExp {
  const known = kept.get(pattern)
  if (known !== undefined) return known
  const compiled = new Compiled(compile(pattern))
  if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value as string)
  kept.set(pattern, compiled)
  return compiled
}

function compile(pattern: string): RE2JS {
  if (!pattern.isWellFormed()) throw new Error(`error parsing regexp: invalid UTF-8: \`${pattern}\``)
  try {
    return library().RE2JS.compile(pattern)
  } catch (error) {
    // The classes of the package are no business of those who catch this.
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

let loaded: typeof import('re2js') | undefined

/** Evaluating it costs 9 ms and 13 MiB, and most templates have no use for it. */
function library(): typeof import('re2js') {
  loaded ??= (
    import.meta.require === undefined ? createRequire(import.meta.url)('re2js') : import.meta.require('re2js')
  ) as typeof import('re2js')
  return loaded
}

/** Start and end of the whole match, then of each group; -1 where a group took no part. */
type Positions = readonly number[]

class Compiled implements GoRegExp {
  readonly #regExp: RE2JS
  constructor(regExp: RE2JS) {
    this.#regExp = regExp
  }

  test(text: string): boolean {
    return this.#regExp.test(runesOf(text))
  }

  findAll(text: string, limit: number): readonly Match[] {
    return this.#positions(text, limit).map(([start = 0, end = 0]) => ({ start, end }))
  }

  replaceAll(text: string, replacement: string): string {
    if (!replacement.includes('$')) return this.replaceAllLiteral(text, replacement)
    const pieces = piecesOf(replacement, this.#regExp.namedGroups())
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

/** A byte that is no text matches as U+FFFD does, in Go. */
function runesOf(text: string): string {
  return text.toWellFormed()
}

function groupOf(text: string, positions: Positions, group: number): string {
  const start = positions[2 * group] ?? -1
  return start < 0 ? '' : text.slice(start, positions[2 * group + 1])
}

/** A replacement as its texts and the groups between them (Go's `Regexp.Expand`): the name is as long as can be, `$1x` is `${1x}`;
 *  a group that there is not is empty, and a dollar that begins no name is itself. */
function piecesOf(replacement: string, named: Readonly<Record<string, number>>): readonly (string | number)[] {
  const pieces: (string | number)[] = []
  let at = 0
  for (const match of replacement.matchAll(REFERENCE)) {
    const [whole, braced, bare] = match
    pieces.push(replacement.slice(at, match.index))
    at = match.index + whole.length
    const name = braced ?? bare
    if (name === undefined) pieces.push('$')
    else if (/^(?:0|[1-9][0-9]*)$/.test(name)) pieces.push(Number(name))
    else if (Object.hasOwn(named, name)) pieces.push(named[name] as number)
  }
  pieces.push(replacement.slice(at))
  return pieces
}

const REFERENCE = /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu
