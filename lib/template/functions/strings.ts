import { joined } from '../print.ts'
import { fromOctets, octetsOf } from './sprig/octets.ts'

/** Go's package `strings`, the text last. Where a text is no UTF-8, they go by bytes: part of a character may be cut off. */

export function trimPrefix(prefix: string, text: string): string {
  if (areText(prefix, text)) return text.startsWith(prefix) ? text.slice(prefix.length) : text
  const [start, whole] = [octetsOf(prefix), octetsOf(text)]
  return whole.startsWith(start) ? fromOctets(whole.slice(start.length)) : text
}

export function trimSuffix(suffix: string, text: string): string {
  if (areText(suffix, text)) return text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text
  const [end, whole] = [octetsOf(suffix), octetsOf(text)]
  return whole.endsWith(end) ? fromOctets(whole.slice(0, whole.length - end.length)) : text
}

/** Without the given characters at both ends. */
export function trim(characters: string, text: string): string {
  const cutset = new Set(Array.from(characters, runeOf))
  const all = Array.from(text)
  const isKept = (character: string) => !cutset.has(runeOf(character))
  const start = all.findIndex(isKept)
  return start < 0 ? '' : all.slice(start, all.findLastIndex(isKept) + 1).join('')
}

/** Go takes every byte that is no text for the same. */
function runeOf(character: string): string {
  return character.toWellFormed()
}

/** An empty separator splits between characters. */
export function split(separator: string, text: string): readonly string[] {
  if (separator === '') return Array.from(text)
  if (areText(separator, text)) return text.split(separator)
  return octetsOf(text).split(octetsOf(separator)).map(fromOctets)
}

/** What is before and after the separator, if it is there. */
export function cut(separator: string, text: string): readonly [string, string] | undefined {
  if (!areText(separator, text)) {
    const at = octetsOf(text).indexOf(octetsOf(separator))
    if (at < 0) return undefined
    const octets = octetsOf(text)
    return [fromOctets(octets.slice(0, at)), fromOctets(octets.slice(at + octetsOf(separator).length))]
  }
  const at = text.indexOf(separator)
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + separator.length)]
}

/** How long a text `replaceAll` makes, in UTF-16 units. */
const REPLACED_LENGTH_MAX = 2 ** 26

/** An empty `from` is found before each character and at the end. */
export function replaceAll(from: string, to: string, text: string): string {
  const isByCharacter = from === ''
  const pieces = isByCharacter ? ['', ...Array.from(text), ''] : split(from, text)
  if (text.length + to.length * pieces.length > REPLACED_LENGTH_MAX) {
    throw new Error(`the result would be longer than ${REPLACED_LENGTH_MAX} characters`)
  }
  return joined(pieces.join(to))
}

export function includes(part: string, text: string): boolean {
  return areText(part, text) ? text.includes(part) : octetsOf(text).includes(octetsOf(part))
}

function areText(a: string, b: string): boolean {
  return a.isWellFormed() && b.isWellFormed()
}
