import type { TemplateFunction } from '../../function.ts'
import { isLower, isSpace, isUpper, lowerOf, mapLetters, titleOf, upperOf } from '../../letters.ts'
import { laborious } from '../cost.ts'
import { define } from './define.ts'
import { checkLength } from './limits.ts'
import { fromOctets, octetsOf } from './octets.ts'
import { randomBelow } from './random.ts'
import { separated } from './separated.ts'

/** What each letter counts that is looked at by itself. */
const LETTER_TIMES = 32
/** Besides, where what stands around it decides. */
const SEPARATED_TIMES = 100

/** The functions on words and their letters. */
export const wordFunctions: readonly TemplateFunction<unknown>[] = [
  define('title TEXT', ['string'], title),
  define('untitle TEXT', ['string'], untitle),
  define('swapcase TEXT', ['string'], swapCase),
  define('initials TEXT', ['string'], initials),
  define('nospace TEXT', ['string'], withoutSpace),
  define('camelcase TEXT', ['string'], pascalCase),
  laborious(
    SEPARATED_TIMES,
    define('snakecase TEXT', ['string'], text => separated(text, '_')),
  ),
  laborious(
    SEPARATED_TIMES,
    define('kebabcase TEXT', ['string'], text => separated(text, '-')),
  ),
  define('shuffle TEXT', ['string'], shuffle),
  define('wrap WIDTH TEXT', ['int', 'string'], (width, text) => wrap(text, Number(width), '\n', false)),
  define('wrapWith WIDTH SEPARATOR TEXT', ['int', 'string', 'string'], (width, separator, text) =>
    wrap(text, Number(width), separator === '' ? '\n' : separator, true),
  ),
].map(each => laborious(LETTER_TIMES, each))

/** Raises the first letter of each word; of what is not ASCII, only space ends a word. */
function title(text: string): string {
  let isStart = true
  return mapLetters(text, letter => {
    const mapped = isStart ? titleOf(letter) : letter
    isStart = letter < '\u0080' ? !/\w/.test(letter) : isSpace(letter)
    return mapped
  })
}

function untitle(text: string): string {
  let isStart = true
  return mapLetters(text, letter => {
    if (isSpace(letter)) {
      isStart = true
      return letter
    }
    const mapped = isStart ? lowerOf(letter) : letter
    isStart = false
    return mapped
  })
}

function swapCase(text: string): string {
  let isAfterSpace = true
  return mapLetters(text, letter => {
    const isFirst = isAfterSpace
    if (isUpper(letter) || /^\p{Lt}$/u.test(letter)) {
      isAfterSpace = false
      return lowerOf(letter)
    }
    if (isLower(letter)) {
      isAfterSpace = false
      return isFirst ? titleOf(letter) : upperOf(letter)
    }
    isAfterSpace = isSpace(letter)
    return letter
  })
}

/** Of bytes, not of characters: each byte after space is taken for a character. */
function initials(text: string): string {
  let out = ''
  let isStart = true
  for (const octet of octetsOf(text)) {
    if (isSpace(octet)) isStart = true
    else if (isStart) {
      out += octet
      isStart = false
    }
  }
  return out
}

/** Where there is none, nothing changes; where there is some, each byte is taken for a character. */
function withoutSpace(text: string): string {
  const octets = octetsOf(text)
  const kept = octets.replaceAll(/\p{White_Space}/gu, '')
  return kept.length === octets.length ? text : kept
}

function isConnector(letter: string): boolean {
  return letter === '-' || letter === '_' || isSpace(letter)
}

/** `HTTP_server name` is `HttpServerName`; connectors at the start stay, and of several in a row one goes. */
function pascalCase(text: string): string {
  const letters = Array.from(text.toWellFormed())
  const start = letters.findIndex(letter => !isConnector(letter))
  if (start < 0) return text.toWellFormed() + (letters.at(-1) ?? '')
  let out = letters.slice(0, start).join('')
  let current = upperOf(letters[start] as string)
  // Whether the word began with a capital: then those that follow at once are lowered.
  let isRaised = isUpper(letters[start] as string)
  if (start === letters.length - 1) return out + current
  for (const next of letters.slice(start + 1)) {
    const last = current
    current = next
    if (isConnector(current) && isConnector(last)) out += last
    else if (isConnector(last)) {
      isRaised = isUpper(current)
      current = upperOf(current)
    } else {
      if (isRaised && isUpper(current)) current = lowerOf(current)
      else isRaised = false
      out += last
    }
  }
  return out + current
}

function shuffle(text: string): string {
  const letters = Array.from(text.toWellFormed())
  for (let i = letters.length - 1; i > 0; i--) {
    const other = randomBelow(i + 1)
    const letter = letters[i] as string
    letters[i] = letters[other] as string
    letters[other] = letter
  }
  return letters.join('')
}

/** Breaks between words, so that no line has more than `width` bytes but for words that are longer; `breaksWords` breaks these,
 *  too. Space at the start of a line goes. */
function wrap(text: string, givenWidth: number, separator: string, breaksWords: boolean): string {
  const octets = octetsOf(text)
  const separatorOctets = octetsOf(separator)
  const width = Math.max(givenWidth, 1)
  const lines: string[] = []
  let offset = 0
  let length = 0
  while (octets.length - offset > width) {
    if (octets[offset] === ' ') {
      offset++
      continue
    }
    // Only what the line could hold is looked at: a text without spaces would be gone through for each line.
    const before = offset + octets.slice(offset, offset + width + 1).lastIndexOf(' ')
    let end = before
    let next = before + 1
    if (before < offset) {
      end = breaksWords ? offset + width : octets.indexOf(' ', offset + width)
      if (end < 0) break
      next = breaksWords ? end : end + 1
    }
    lines.push(octets.slice(offset, end))
    length += end - offset + separatorOctets.length
    checkLength(length)
    offset = next
  }
  return fromOctets([...lines, octets.slice(offset)].join(separatorOctets))
}
