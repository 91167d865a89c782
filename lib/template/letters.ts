/** Go's `unicode` and `strings`: characters one by one, each with at most one counterpart of the other case. JavaScript changes
 *  whole texts: there `ß` becomes `SS`, and `Σ` at the end of a word `ς`. A byte that is no text becomes U+FFFD. */

export function toUpper(text: string): string {
  return ASCII.test(text) ? text.toUpperCase() : mapLetters(text, upperOf)
}

export function toLower(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : mapLetters(text, lowerOf)
}

/** Each character changed for another. */
export function mapLetters(text: string, change: (letter: string) => string): string {
  let out = ''
  for (const letter of text.toWellFormed()) out += change(letter)
  return out
}

export function upperOf(letter: string): string {
  const upper = letter.toUpperCase()
  if (lengthOf(upper) === 1) return upper
  // Greek letters with a iota below: in full, it is written beside the capital.
  const code = letter.codePointAt(0) as number
  if (code === 0x1fb3 || code === 0x1fc3 || code === 0x1ff3) return String.fromCodePoint(code + 9)
  const isSmall = code >= 0x1f80 && code <= 0x1faf && (code & 8) === 0
  return isSmall ? String.fromCodePoint(code + 8) : letter
}

export function lowerOf(letter: string): string {
  return letter === '\u0130' ? 'i' : letter.toLowerCase()
}

/** As the first letter of a word: as the capital, but for pairs of letters in one, and Georgian, which has no such words. */
export function titleOf(letter: string): string {
  const code = letter.codePointAt(0) as number
  if (code >= 0x01c4 && code <= 0x01cc) return String.fromCodePoint(Math.floor((code - 0x01c4) / 3) * 3 + 0x01c5)
  if (code >= 0x01f1 && code <= 0x01f3) return '\u01f2'
  return code >= 0x10d0 && code <= 0x10ff ? letter : upperOf(letter)
}

export function isSpace(letter: string): boolean {
  return SPACE.test(letter)
}

export function isUpper(letter: string): boolean {
  return /^\p{Lu}$/u.test(letter)
}

export function isLower(letter: string): boolean {
  return /^\p{Ll}$/u.test(letter)
}

/** Without the space at both ends. */
export function trimSpace(text: string): string {
  return text.replace(SPACE_BEFORE, '').replace(SPACE_AFTER, '')
}

/** Whether bytes, characters and UTF-16 units are the same. */
export function isAscii(text: string): boolean {
  return ASCII.test(text)
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/
/** Unicode's White_Space. Not by that name, nor any class of letters in a constant: making one takes most of a millisecond, and
 *  few templates ask. */
const SPACE_CLASS = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const SPACE = new RegExp(`^${SPACE_CLASS}$`)
const SPACE_BEFORE = new RegExp(`^${SPACE_CLASS}+`)
const SPACE_AFTER = new RegExp(`(?<!${SPACE_CLASS})${SPACE_CLASS}+$`)

function lengthOf(text: string): number {
  return text.length === 1 ? 1 : Array.from(text).length
}
