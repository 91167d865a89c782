import type { Value } from '../../../base/value.ts'
import type { TemplateFunction } from '../../function.ts'
import { toLower, toUpper, trimSpace } from '../../letters.ts'
import { isList } from '../../operand.ts'
import { show } from '../../show.ts'
import { quote } from '../../quote.ts'
import { toText } from './casts.ts'
import { INDENT_TIMES, laborious } from '../cost.ts'
import { alsoAs, define, defineVariadic } from './define.ts'
import { checkLength } from './limits.ts'
import { octetsOf, sliceOctets } from './octets.ts'

type Integer = number | bigint

/** The functions that cut, pad, join and search texts. */
export const stringFunctions: readonly TemplateFunction<unknown>[] = [
  define('hello', [], () => 'Hello!'),
  define('upper TEXT', ['string'], text => toUpper(text)),
  define('lower TEXT', ['string'], text => toLower(text)),
  define('trim TEXT', ['string'], text => trimSpace(text)),
  ...alsoAs(
    define('trimAll CHARACTERS TEXT', ['string', 'string'], (characters, text) => trimAll(text, characters)),
    'trimall',
  ),
  define('trimPrefix PREFIX TEXT', ['string', 'string'], (prefix, text) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  define('trimSuffix SUFFIX TEXT', ['string', 'string'], (suffix, text) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  ),
  define('contains PART TEXT', ['string', 'string'], (part, text) => text.includes(part)),
  define('hasPrefix PREFIX TEXT', ['string', 'string'], (prefix, text) => text.startsWith(prefix)),
  define('hasSuffix SUFFIX TEXT', ['string', 'string'], (suffix, text) => text.endsWith(suffix)),
  define('replace FROM TO TEXT', ['string', 'string', 'string'], (from, to, text) => replaceAll(text, from, to)),
  define('repeat COUNT TEXT', ['int', 'string'], (count, text) => repeat(text, count)),
  define('trunc COUNT TEXT', ['int', 'string'], (count, text) => truncate(text, count)),
  define('substr START END TEXT', ['int', 'int', 'string'], (start, end, text) => substring(text, start, end)),
  define('abbrev WIDTH TEXT', ['int', 'string'], (width, text) =>
    width < 4 ? text : abbreviate(text, 0, Number(width)),
  ),
  define('abbrevboth OFFSET WIDTH TEXT', ['int', 'int', 'string'], (offset, width, text) =>
    width < 4 || (offset > 0 && width < 7) ? text : abbreviate(text, Number(offset), Number(width)),
  ),
  laborious(
    INDENT_TIMES,
    define('indent COUNT TEXT', ['int', 'string'], (count, text) => indent(text, count)),
  ),
  laborious(
    INDENT_TIMES,
    define('nindent COUNT TEXT', ['int', 'string'], (count, text) => `\n${indent(text, count)}`),
  ),
  define('plural ONE MANY COUNT', ['string', 'string', 'int'], (one, many, count) => (count === 1 ? one : many)),
  defineVariadic('quote VALUE…', [], 'any', (...values) =>
    present(values)
      .map(each => quote(toText(each)))
      .join(' '),
  ),
  defineVariadic('squote VALUE…', [], 'any', (...values) =>
    present(values)
      .map(each => `'${show(each)}'`)
      .join(' '),
  ),
  defineVariadic('cat VALUE…', [], 'any', (...values) => present(values).map(show).join(' ')),
  define('toString VALUE', ['any'], toText),
  define('toStrings LIST', ['any'], textsOf),
  define('join SEPARATOR LIST', ['string', 'any'], (separator, list) => textsOf(list).join(separator)),
  define('splitList SEPARATOR TEXT', ['string', 'string'], (separator, text) => split(text, separator)),
  define('split SEPARATOR TEXT', ['string', 'string'], (separator, text) => numbered(split(text, separator))),
  define('splitn SEPARATOR COUNT TEXT', ['string', 'int', 'string'], (separator, count, text) =>
    numbered(split(text, separator, count)),
  ),
]

/** Each item as a text; those that are nil are left out. What is no list is the only item. */
export function textsOf(list: Value): readonly string[] {
  if (isList(list)) return present(list).map(toText)
  return list === null ? [] : [toText(list)]
}

function present(values: readonly Value[]): readonly Value[] {
  return values.filter(value => value !== null)
}

/** At most `count` parts, the last of which is the rest; all for a negative count. */
function split(text: string, separator: string, count: Integer = -1): readonly string[] {
  if (count === 0) return []
  const parts = separator === '' ? Array.from(text) : text.split(separator)
  if (count < 0 || parts.length <= count) return parts
  const first = Number(count) - 1
  return [...parts.slice(0, first), parts.slice(first).join(separator)]
}

function numbered(parts: readonly string[]): ReadonlyMap<string, Value> {
  return new Map(parts.map((part, i) => [`_${i}`, part]))
}

function trimAll(text: string, characters: string): string {
  const cut = new Set(characters)
  const all = Array.from(text)
  const start = all.findIndex(each => !cut.has(each))
  return start < 0 ? '' : all.slice(start, all.findLastIndex(each => !cut.has(each)) + 1).join('')
}

function replaceAll(text: string, from: string, to: string): string {
  if (to.length > from.length) {
    const count = from === '' ? text.length + 1 : text.split(from).length - 1
    checkLength(text.length + count * (to.length - from.length))
  }
  if (from === '') return text === '' ? to : to + Array.from(text, each => each + to).join('')
  return text.replaceAll(from, () => to)
}

function repeat(text: string, count: Integer): string {
  if (count < 0) throw new Error('strings: negative Repeat count')
  checkLength(text.length * Number(count))
  return text === '' ? '' : text.repeat(Number(count))
}

/** The first `count` bytes, or the last for a negative count. */
function truncate(text: string, count: Integer): string {
  const { length } = octetsOf(text)
  if (count < 0) return length + Number(count) > 0 ? sliceOctets(text, length + Number(count), undefined) : text
  return length > count ? sliceOctets(text, 0, count) : text
}

function substring(text: string, start: Integer, end: Integer): string {
  if (start < 0) return sliceOctets(text, 0, end)
  return sliceOctets(text, start, end < 0 || end > octetsOf(text).length ? undefined : end)
}

/** At most `width` bytes, three of which are dots where something is left out, at the end and maybe at the start. */
function abbreviate(text: string, offset: number, width: number): string {
  const { length } = octetsOf(text)
  if (length <= width) return text
  const kept = width - 3
  const from = Math.min(offset, length - kept)
  if (from <= 4) return `${sliceOctets(text, 0, kept)}...`
  if (from + kept >= length) return `...${sliceOctets(text, length - kept, undefined)}`
  return `...${abbreviate(sliceOctets(text, from, undefined), 0, kept)}`
}

function indent(text: string, count: Integer): string {
  const lines = text.split('\n')
  if (count < 0) throw new Error('strings: negative Repeat count')
  checkLength(text.length + lines.length * Number(count))
  const margin = ' '.repeat(Number(count))
  return margin + lines.join(`\n${margin}`)
}
