/** Patterns for paths, as shells have them. `/` stands between the parts of a path.
 *
 *  | pattern    | matches                                                              |
 *  | ---------- | -------------------------------------------------------------------- |
 *  | `*`        | any number of characters of one part, also none; also a first dot    |
 *  | `?`        | one character of a part                                              |
 *  | `[a-z_]`   | one of these characters; one of the others with `!` or `^` in front  |
 *  | `{a,b}`    | either of these patterns                                             |
 *  | `**`       | any number of parts, also none, where it is a part of its own        |
 *  | `\*`       | the character itself                                                 |
 *
 *  No package does this here: paths come from backends, and regular expressions made of patterns backtrack (for `*a*a*a*a*b` and a
 *  name of 120 letters, picomatch takes five seconds, Node's own a good half). This takes pattern times path at most. */
export type Glob = (path: string) => boolean

/** How long a pattern may be, and how many patterns its braces may stand for. */
const LENGTH_MAX = 1_000
const ALTERNATIVES_MAX = 1_000

/** Compiles a pattern. Throws an Error that says what is wrong with it: `one with …`. */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > LENGTH_MAX) throw new Error(`one of more than ${LENGTH_MAX} characters`)
  const rows = new GlobParser(pattern).parse().map(partsOf)
  return path => {
    const parts = path.split('/').map(part => Array.from(part))
    return rows.some(row => isMatch(row, parts))
  }
}

/** What one item must be, or `MANY` for any number of any items. */
type Want<Item> = ((item: Item) => boolean) | typeof MANY
const MANY: unique symbol = Symbol('many')

/** Whether the items are what is wanted. When one is not, it is enough to let the last `MANY` take one more. */
function isMatch<Item>(wants: readonly Want<Item>[], items: readonly Item[]): boolean {
  let next = 0
  let at = 0
  let many = -1
  let manyTo = 0
  while (at < items.length) {
    const want = wants[next]
    if (want === MANY) {
      many = next++
      manyTo = at
    } else if (want?.(items[at] as Item) === true) {
      next++
      at++
    } else if (many >= 0) {
      next = many + 1
      at = ++manyTo
    } else return false
  }
  while (wants[next] === MANY) next++
  return next === wants.length
}

/** A piece of a pattern: what one character must be, or the end of a part. */
type Piece = Want<string> | typeof SLASH
const SLASH: unique symbol = Symbol('slash')

function partsOf(pieces: readonly Piece[]): readonly Want<readonly string[]>[] {
  const parts: Want<string>[][] = [[]]
  for (const piece of pieces) {
    if (piece === SLASH) parts.push([])
    else parts.at(-1)?.push(piece)
  }
  return parts.map(part => {
    const isMany = part.length === 2 && part.every(piece => piece === MANY)
    return isMany ? MANY : characters => isMatch(part, characters)
  })
}

class GlobParser {
  readonly #characters: readonly string[]
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#characters = Array.from(pattern)
  }

  parse(): readonly (readonly Piece[])[] {
    const { length } = this.#characters
    if (length === 0) throw new Error('an empty one')
    if (this.#characters[0] === '/') throw new Error('one that begins with a slash')
    if (this.#characters[length - 1] === '/') throw new Error('one that ends with a slash')
    const names = this.#characters.join('').split('/')
    if (names.some(name => name === '' || name === '.' || name === '..')) {
      throw new Error('one with an empty part, "." or ".."')
    }
    return this.#parseSequence()
  }

  /** Up to the end of the pattern, or to the comma or brace that ends an alternative. */
  #parseSequence(): readonly (readonly Piece[])[] {
    let alternatives: readonly (readonly Piece[])[] = [[]]
    for (let next = this.#peek(); next !== undefined; next = this.#peek()) {
      if (this.#depth > 0 && (next === ',' || next === '}')) break
      this.#at++
      const pieces: readonly (readonly Piece[])[] = next === '{' ? this.#parseBraces() : [[this.#parsePiece(next)]]
      if (alternatives.length * pieces.length > ALTERNATIVES_MAX) {
        throw new Error(`one whose braces stand for more than ${ALTERNATIVES_MAX} patterns`)
      }
      alternatives = alternatives.flatMap(before => pieces.map(piece => [...before, ...piece]))
    }
    return alternatives
  }

  #parseBraces(): readonly (readonly Piece[])[] {
    this.#depth++
    const alternatives = [...this.#parseSequence()]
    while (this.#peek() === ',') {
      this.#at++
      alternatives.push(...this.#parseSequence())
    }
    if (this.#peek() !== '}') throw new Error('one with a { that is not closed')
    this.#at++
    this.#depth--
    return alternatives
  }

  #parsePiece(character: string): Piece {
    switch (character) {
      case '/':
        return SLASH
      case '*':
        return MANY
      case '?':
        return () => true
      case '[':
        return this.#parseSet()
      case '\\':
        return is(this.#take('one that ends with a backslash'))
      default:
        return is(character)
    }
  }

  #parseSet(): Piece {
    const isOther = this.#peek() === '!' || this.#peek() === '^'
    if (isOther) this.#at++
    const ranges: [string, string][] = []
    const unclosed = 'one with a [ that is not closed'
    for (let next = this.#take(unclosed); next !== ']' || ranges.length === 0; next = this.#take(unclosed)) {
      const first = next === '\\' ? this.#take(unclosed) : next
      let last = first
      if (this.#peek() === '-' && this.#characters[this.#at + 1] !== ']') {
        this.#at++
        last = this.#take(unclosed)
      }
      ranges.push([first, last])
    }
    const has = (character: string) => ranges.some(([first, last]) => first <= character && character <= last)
    return isOther ? character => !has(character) : has
  }

  #peek(): string | undefined {
    return this.#characters[this.#at]
  }

  #take(otherwise: string): string {
    const next = this.#characters[this.#at++]
    if (next === undefined) throw new Error(otherwise)
    return next
  }
}

function is(wanted: string): (character: string) => boolean {
  return character => character === wanted
}
