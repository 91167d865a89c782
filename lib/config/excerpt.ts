import type { ConfigDocument, Leaf, Range } from './document.ts'
import { isShowableKey, type Path } from './finding.ts'

/** How far a line is looked at; a longer one is cut anyway. */
const COLUMNS_MAX = 2_000
const REFERENCE = /^(?:"\$\{\w+\}"|'\$\{\w+\}'|\$\{\w+\})$/
/** What holds mappings and lists together. */
const STRUCTURE = new Set('{}[],:-# \t\r')

/** What is known of the places in a configuration. */
export interface Places {
  /** Whether some schema knows what is there, so that the keys that lead there are no accident. */
  readonly isKnown: (path: Path) => boolean
  /** Whether its value is known to be harmless. */
  readonly isShowable: (path: Path) => boolean
}

/** Shows of each line only what is known to be harmless: keys, structure, and the values that a schema knows and does not call
 *  sensitive. Comments, values of unknown keys and everything in a text that is not YAML may be a credential. */
export class Shown {
  readonly #document: ConfigDocument
  readonly #places: Places
  #leaves: readonly Leaf[] | undefined

  constructor(document: ConfigDocument, places: Places) {
    this.#document = document
    this.#places = places
  }

  /** The columns of a line that can be shown, from and to (exclusive), for a line that begins at this offset. */
  columns(start: number): readonly Range[] {
    const { text } = this.#document
    const end = Math.min(lineEnd(text, start), start + COLUMNS_MAX)
    const leaves = this.#leavesBetween(start, end)
    const ranges: Range[] = leaves.flatMap(leaf => this.#showable(leaf))
    for (let offset = start; offset < end; offset++) {
      if (leaves.some(leaf => isIn(offset, leaf.range))) continue
      const unit = text[offset] as string
      if (STRUCTURE.has(unit)) ranges.push([offset, offset + 1])
      if (unit === '#') break
    }
    if (this.#document.malformed)
      ranges.push(...firstKey(text.slice(start, end)).map(([from, to]): Range => [start + from, start + to]))
    return ranges
      .map(([from, to]): Range => [Math.max(from, start) - start + 1, Math.min(to, end) - start + 1])
      .filter(([from, to]) => from < to)
  }

  #leavesBetween(start: number, end: number): readonly Leaf[] {
    this.#leaves ??= [...this.#document.leaves()]
    return this.#leaves.filter(({ range }) => range[0] < end && range[1] > start)
  }

  /** The parts of a key or value that can be shown. */
  #showable({ path, kind, range, shared }: Leaf): readonly Range[] {
    const [from, to] = range
    const raw = this.#document.text.slice(from, to)
    if (kind === 'key')
      return isShowableKey(unquoted(raw), path, each => !shared && this.#places.isKnown(each)) ? [range] : []
    if (REFERENCE.test(raw)) return [range]
    // A string that goes on for lines, or for words without quotes, may have swallowed what came after it.
    if (shared || raw.includes('\n') || /^[^"'].*\s/.test(raw) || !this.#places.isShowable(path)) return []
    return withoutCredentials(raw).map(([a, b]): Range => [from + a, from + b])
  }
}

/** Of a line in a text that is not YAML, what is most likely a key. */
function firstKey(line: string): readonly Range[] {
  const match = /^\s*(?:- +)*(?:\{ *)?([A-Za-z][A-Za-z_-]{0,31})(?=:(?:\s|$))/d.exec(line)
  return match === null ? [] : [match.indices?.[1] as Range]
}

function unquoted(key: string): string {
  return /^(["'])(.*)\1$/.exec(key)?.[2] ?? key
}

/** A URL, with what may stand before its host; of a path and a query only that they follow. */
const URL_LIKE =
  /^["']?[a-z][a-z0-9+.-]*:\/\/([^/?#]*@)?(?:[\w.-]+|\[[\w:.]+\]|\$\{\w+\})?(?::(?:\d+|\$\{\w+\}))?(?=[/?#"']|$)[^@?=&;]*/di
const SSH_LIKE = /^["']?[\w.-]+@[\w.-]+:[\w./~-]*["']?$/

/** A URL may hold a user, a password, or a token in its query, and one that is misspelt may hold them anywhere. */
function withoutCredentials(raw: string): readonly Range[] {
  if (!/\/\/|[@?]/.test(raw) || SSH_LIKE.test(raw)) return [[0, raw.length]]
  const match = URL_LIKE.exec(raw)
  if (match === null || raw.slice(match[0].length).startsWith('@')) return []
  const [from, to] = match.indices?.[1] ?? [0, 0]
  return [[0, from], [to, match[0].length], ...(raw.endsWith('"') ? [[raw.length - 1, raw.length] as const] : [])]
}

function isIn(offset: number, [from, to]: Range): boolean {
  return offset >= from && offset < to
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  return end === -1 ? text.length : end
}
