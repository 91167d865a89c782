import type { ConfigDocument, Leaf, Range } from './document.ts'
import type { Path } from './finding.ts'

/** How far a line is looked at; a longer one is cut anyway. */
const COLUMNS_MAX = 2_000
const PLAIN_KEY = /^(?:<<|"[A-Za-z][A-Za-z_-]{0,31}"|'[A-Za-z][A-Za-z_-]{0,31}'|[A-Za-z][A-Za-z_-]{0,31})$/
const REFERENCE = /^(?:"\$\{\w+\}"|'\$\{\w+\}'|\$\{\w+\})$/
/** What holds mappings and lists together. */
const STRUCTURE = new Set('{}[],:-# \t\r')

/** Shows of each line only what is known to be harmless: keys, structure, and the values that a schema knows and does not call
 *  sensitive. Comments, values of unknown keys and everything in a text that is not YAML may be a credential. */
export class Shown {
  readonly #document: ConfigDocument
  readonly #isShowable: (path: Path) => boolean
  #leaves: readonly Leaf[] | undefined

  constructor(document: ConfigDocument, isShowable: (path: Path) => boolean) {
    this.#document = document
    this.#isShowable = isShowable
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
  #showable({ path, kind, range }: Leaf): readonly Range[] {
    const [from, to] = range
    const raw = this.#document.text.slice(from, to)
    if (kind === 'key') return PLAIN_KEY.test(raw) || this.#isShowable(path) ? [range] : []
    if (REFERENCE.test(raw)) return [range]
    if (!this.#isShowable(path)) return []
    return withoutCredentials(raw).map(([a, b]): Range => [from + a, from + b])
  }
}

/** Of a line in a text that is not YAML, what is most likely a key. */
function firstKey(line: string): readonly Range[] {
  const match = /^\s*(?:- +)*(?:\{ *)?([A-Za-z][A-Za-z_-]{0,31})(?=:(?:\s|$))/d.exec(line)
  return match === null ? [] : [match.indices?.[1] as Range]
}

/** A URL may hold a user, and a token in its query. */
function withoutCredentials(raw: string): readonly Range[] {
  const ranges: Range[] = []
  let from = 0
  for (const match of raw.matchAll(/(?<=:\/\/)[^/?#]*@|(?<=:\/\/[^?]*\?)[^"']+/g)) {
    ranges.push([from, match.index])
    from = match.index + match[0].length
  }
  return [...ranges, [from, raw.length]]
}

function isIn(offset: number, [from, to]: Range): boolean {
  return offset >= from && offset < to
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf('\n', start)
  return end === -1 ? text.length : end
}
