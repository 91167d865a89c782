import { titleOf } from '../letters.ts'

/** Raises the first letter of each word and leaves the others, as x/text's `cases.Title(language.Und, cases.NoLower)` does: by
 *  Unicode's title case, and by its word boundaries in their rough version. */
export function toTitle(text: string): string {
  let out = ''
  let isInWord = false
  let wasMid = false
  for (const letter of text) {
    const isMid = MID.test(letter)
    if (wasMid && isMid) isInWord = false
    if (isCased(letter)) {
      out += isInWord ? letter : fullTitleOf(letter)
      isInWord = true
    } else {
      out += letter
      if (!isMid && !isInWords(letter)) isInWord = false
    }
    wasMid = isMid
  }
  return out
}

// Not constants of the module: making them takes most of a millisecond at each start, and few templates ask.

function isCased(letter: string): boolean {
  return /^\p{Cased}$/u.test(letter)
}

/** Colon, point, apostrophe and their like do not end a word, unless two stand together (Unicode Annex 29). */
const MID = /^['.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a]$/u

/** What words consist of beside cased letters; scripts that are written without blanks are words each character. */
function isInWords(letter: string): boolean {
  return /^(?!\p{Ideographic}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}|\p{Script=Myanmar})[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Cf}\u202f]$/u.test(
    letter,
  )
}

/** Some letters become several: `ß` is `Ss`, `ﬁ` is `Fi`. */
function fullTitleOf(letter: string): string {
  const title = titleOf(letter)
  if (title !== letter) return title
  const [first = '', ...rest] = Array.from(letter.toUpperCase())
  if (rest.length === 0) return letter
  // A iota that was below stays below.
  const others = rest.map(each => (each === IOTA ? IOTA_BELOW : each)).join('')
  return first + (isCased(first) && LETTERS.test(others) ? others.toLowerCase() : others)
}

const LETTERS = /^(?:[A-Z]+|[\u0531-\u0556]+)$/
const IOTA = '\u0399'
const IOTA_BELOW = '\u0345'
