/** How wide a line becomes before it is broken at the next blank. */
const WIDTH = 80
const INDENT = 2

export type TextStyle = 'plain' | 'single' | 'double' | 'literal'

/** Writes marks and texts as libyaml's emitter does in Go's yaml.v2: it knows where on a line it is, since that decides where a blank
 *  is due and where a long text is broken. */
export class YamlEmitter {
  text = ''
  /** The margin of the collection that is written; -1 outside of any. */
  indent = -1
  #column = 0
  /** Whether no blank is due before the next mark; whether there is nothing but margin on the line. */
  #isSpaced = true
  #isInMargin = true

  get isInMargin(): boolean {
    return this.#isInMargin
  }

  /** Goes to the margin: on a new line, unless it is there already. */
  toMargin(): void {
    const indent = Math.max(this.indent, 0)
    if (!this.#isInMargin || this.#column > indent || (this.#column === indent && !this.#isSpaced))
      this.#lineBreak('\n')
    if (this.#column < indent) this.#put(' '.repeat(indent - this.#column))
    this.#isSpaced = true
    this.#isInMargin = true
  }

  /** A dash, question mark or colon behind which a collection may go on. */
  mark(mark: string): void {
    this.#space()
    this.#put(mark)
    // What follows may stand right beside it, as if it were margin.
    this.#isSpaced = false
  }

  /** The colon behind a simple key. */
  colon(): void {
    this.#put(':')
    this.#isSpaced = false
    this.#isInMargin = false
  }

  /** What is none of a collection's marks: a number, a tag, an empty collection. */
  word(word: string): void {
    this.#space()
    this.#put(word)
    this.#isSpaced = false
    this.#isInMargin = false
  }

  /** A text; only one that is no simple key may be broken into lines. */
  scalar(text: string, style: TextStyle, mayBreak: boolean): void {
    const { indent } = this
    this.indent = Math.max(indent, 0) + INDENT
    this.#space()
    if (style === 'literal') this.#literal(text)
    else if (style === 'double') this.#double(text, mayBreak)
    else if (style === 'single') this.#single(text, mayBreak)
    else this.#lines(text, mayBreak, 0)
    if (style !== 'literal') {
      this.#isSpaced = false
      this.#isInMargin = false
    }
    this.indent = indent
  }

  #single(text: string, mayBreak: boolean): void {
    this.#put("'")
    this.#lines(text, mayBreak, 1)
    this.#put("'")
  }

  /** A text that needs no escapes but for quotes, which are `quotes` each side. */
  #lines(text: string, mayBreak: boolean, quotes: 0 | 1): void {
    const characters = Array.from(text)
    const last = characters.length - 1
    let wasSpace = false
    let wasBreak = false
    for (const [i, character] of characters.entries()) {
      const isAtEdge = quotes === 1 && (i === 0 || i === last)
      if (character === ' ') {
        const isAlone = !wasSpace && !isAtEdge && characters[i + 1] !== ' '
        if (mayBreak && isAlone && this.#column > WIDTH) this.toMargin()
        else this.#put(' ')
        wasSpace = true
      } else if (isLineBreak(character)) {
        if (!wasBreak && character === '\n') this.#lineBreak('\n')
        this.#lineBreak(character)
        this.#isInMargin = true
        wasBreak = true
      } else {
        if (wasBreak) this.toMargin()
        this.#put(quotes === 1 && character === "'" ? "''" : character)
        this.#isInMargin = false
        wasSpace = false
        wasBreak = false
      }
    }
  }

  #double(text: string, mayBreak: boolean): void {
    const characters = Array.from(text)
    const last = characters.length - 1
    // A mark of the byte order at the start makes the emitter take every character for one.
    const escapesAll = text.startsWith('\ufeff')
    let wasSpace = false
    this.#put('"')
    for (const [i, character] of characters.entries()) {
      const isSpace = character === ' '
      if (escapesAll || mustBeEscaped(character)) this.#put(escapeOf(character))
      else if (isSpace && mayBreak && !wasSpace && this.#column > WIDTH && i > 0 && i < last) {
        this.toMargin()
        if (characters[i + 1] === ' ') this.#put('\\')
      } else this.#put(character)
      wasSpace = isSpace && !escapesAll
    }
    this.#put('"')
  }

  #literal(text: string): void {
    this.#put(`|${/^[ \n\u0085\u2028\u2029]/.test(text) ? INDENT : ''}${chompingOf(text)}`)
    this.#lineBreak('\n')
    this.#isSpaced = true
    this.#isInMargin = true
    let wasBreak = true
    for (const piece of text.match(LINE_PIECES) ?? []) {
      if (isLineBreak(piece)) {
        this.#lineBreak(piece)
        this.#isInMargin = true
        wasBreak = true
      } else {
        if (wasBreak) this.toMargin()
        this.#put(piece)
        this.#isInMargin = false
        wasBreak = false
      }
    }
  }

  #space(): void {
    if (!this.#isSpaced) this.#put(' ')
  }

  #put(text: string): void {
    this.text += text
    this.#column += lengthOf(text)
  }

  #lineBreak(character: string): void {
    this.text += character
    this.#column = 0
  }
}

const LINE_PIECES = /[\r\n\u0085\u2028\u2029]|[^\r\n\u0085\u2028\u2029]+/g

/** In characters. */
function lengthOf(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length - 1; i++) if ((text.codePointAt(i) as number) > 0xffff) length--
  return length
}

export function isLineBreak(character: string): boolean {
  return /^[\r\n\u0085\u2028\u2029]$/.test(character)
}

/** What a literal text says of its line breaks at the end. */
function chompingOf(text: string): string {
  if (!/[\r\n\u0085\u2028\u2029]$/.test(text)) return '-'
  return /^.$|[\r\n\u0085\u2028\u2029].$/s.test(text) ? '+' : ''
}

/** Characters that YAML does not let stand as they are; a line break is another matter. */
export const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ud800-\udfff\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/u

function mustBeEscaped(character: string): boolean {
  return character === '"' || character === '\\' || isLineBreak(character) || UNPRINTABLE.test(character)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\u0007': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\u001b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) as number
  const hex = code.toString(16).toUpperCase()
  if (code > 0xffff) return `\\U${hex.padStart(8, '0')}`
  return ESCAPES[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`)
}
