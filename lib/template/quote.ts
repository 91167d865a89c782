import { fromBytes, toBytes } from '../base/text.ts'

/** Go's rules for quoted strings and characters (`strconv`): both ways. An invalid byte is a lone surrogate, see `base/text.ts`. */

const REPLACEMENT = 0xfffd
const RUNE_MAX = 0x10ffff

/** As a double-quoted Go string; what is not printable is escaped. */
export function quote(text: string): string {
  return `"${escapeAll(text, '"', false)}"`
}

/** As a double-quoted Go string of ASCII only. */
export function quoteToAscii(text: string): string {
  return `"${escapeAll(text, '"', true)}"`
}

/** In double quotes, with each byte that is no printable ASCII as `\xNN`. */
export function quoteBytes(text: string): string {
  const parts = Array.from(toBytes(text), byte => {
    if (byte < 0x20 || byte >= 0x80) return `\\x${byte.toString(16).padStart(2, '0')}`
    const letter = String.fromCharCode(byte)
    return letter === '"' || letter === '\\' ? `\\${letter}` : letter
  })
  return `"${parts.join('')}"`
}

/** A code point as a single-quoted Go character. */
export function quoteRune(rune: number, ascii: boolean): string {
  return `'${escapeRune(validRune(rune), "'", ascii)}'`
}

/** A code point, or U+FFFD for what is none. */
export function validRune(rune: number): number {
  return rune < 0 || rune > RUNE_MAX || (rune >= 0xd800 && rune <= 0xdfff) ? REPLACEMENT : rune
}

/** Whether Go prints it as it is: letters, marks, numbers, punctuation, symbols, and of spaces the ASCII one. */
export function isPrint(rune: number): boolean {
  if (rune < 0x7f) return rune >= 0x20
  // Not a constant of the module: making it takes most of a millisecond, and few templates ask.
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(String.fromCodePoint(rune))
}

/** Whether a text can stand between backquotes: one line, no backquote, no control character but tab. */
export function canBackquote(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return text.isWellFormed() && !/[\u0000-\u0008\u000a-\u001f`\u007f\ufeff]/.test(text)
}

function escapeAll(text: string, delimiter: string, ascii: boolean): string {
  if (PLAIN.test(text)) return text
  let out = ''
  for (const character of text) out += escapeRune(character.codePointAt(0) as number, delimiter, ascii)
  return out
}

const PLAIN = /^[ !#-&(-[\]-~]*$/

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function escapeRune(rune: number, delimiter: string, ascii: boolean): string {
  if (rune >= 0xdc80 && rune <= 0xdcff) return `\\x${(rune - 0xdc00).toString(16)}`
  const valid = validRune(rune)
  const character = String.fromCodePoint(valid)
  if (character === delimiter || character === '\\') return `\\${character}`
  if (ascii ? valid < 0x80 && isPrint(valid) : isPrint(valid)) return character
  const short = SHORT_ESCAPES[character]
  if (short !== undefined) return short
  if (valid < 0x20 || valid === 0x7f) return `\\x${hex(valid, 2)}`
  return valid < 0x10000 ? `\\u${hex(valid, 4)}` : `\\U${hex(valid, 8)}`
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, '0')
}

/** What a quoted string of the source means: `"…"` with escapes, or raw between backquotes. Throws an Error on bad escapes. */
export function unquote(source: string): string {
  if (source.startsWith('`')) return source.slice(1, -1).replaceAll('\r', '')
  // Only an escape can spell a byte that is no text.
  const body = source.slice(1, -1).toWellFormed()
  if (!body.includes('\\')) return body
  // Escapes spell bytes, and several may make one character, so the text is put together as bytes.
  const chunks: Uint8Array[] = []
  let at = 0
  while (at < body.length) {
    const escape = body.indexOf('\\', at)
    const end = escape < 0 ? body.length : escape
    if (end > at) chunks.push(toBytes(body.slice(at, end)))
    if (escape < 0) break
    const { rune, isByte, next } = unescape(body, escape, '"')
    chunks.push(isByte ? Uint8Array.of(rune) : Buffer.from(String.fromCodePoint(rune), 'utf8'))
    at = next
  }
  return fromBytes(Buffer.concat(chunks))
}

/** The code point that a character constant of the source, `'x'`, means. Throws an Error on a bad one. */
export function unquoteCharacter(source: string): number {
  const body = source.slice(1)
  if (body.startsWith("'")) throw new Error('invalid syntax')
  let rune: number
  let next: number
  if (body.startsWith('\\')) {
    ;({ rune, next } = unescape(body, 0, "'"))
  } else {
    const first = body.codePointAt(0) as number
    rune = validRune(first)
    next = first > 0xffff ? 2 : 1
  }
  if (body.slice(next) !== "'") throw new Error(`malformed character constant: ${source}`)
  return rune
}

interface Escape {
  readonly rune: number
  /** Whether it spells a byte and not a code point. */
  readonly isByte: boolean
  readonly next: number
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 }
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** Reads the escape that begins at `at`. */
function unescape(text: string, at: number, delimiter: string): Escape {
  const letter = text[at + 1] ?? ''
  const simple = letter === delimiter ? letter.charCodeAt(0) : SIMPLE_ESCAPES[letter]
  if (simple !== undefined) return { rune: simple, isByte: false, next: at + 2 }
  const digits = HEX_DIGITS[letter]
  if (digits !== undefined) {
    const spelled = text.slice(at + 2, at + 2 + digits)
    if (spelled.length < digits || !/^[0-9a-fA-F]+$/.test(spelled)) throw new Error('invalid syntax')
    const rune = Number.parseInt(spelled, 16)
    if (letter !== 'x' && validRune(rune) !== rune) throw new Error('invalid syntax')
    return { rune, isByte: letter === 'x', next: at + 2 + digits }
  }
  const octal = /^[0-7]{3}/.exec(text.slice(at + 1, at + 4))?.[0]
  const rune = octal === undefined ? Infinity : Number.parseInt(octal, 8)
  if (rune > 0xff) throw new Error('invalid syntax')
  return { rune, isByte: true, next: at + 4 }
}
