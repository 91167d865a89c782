import { createHash } from 'node:crypto'
import { fromBytes, toBytes } from '../../base/text.ts'
import { sameValue, type Value } from '../../base/value.ts'
import type { TemplateFunction } from '../function.ts'

/** How many blanks `indent` puts before a line. */
const INDENT_MAX = 1_000

/** The functions on strings, named and with the order of arguments as in consul-template: the text comes last, for pipes. */
export const textFunctions: readonly TemplateFunction<unknown>[] = [
  onText('toLower', text => mapCharacters(text, character => character.toLowerCase())),
  onText('toUpper', text => mapCharacters(text, character => character.toUpperCase())),
  onText('toTitle', text => text.replaceAll(WORD_START, letter => letter.toUpperCase())),
  onText('trimSpace', trimSpace),
  onText('base64Encode', text => Buffer.from(toBytes(text)).toString('base64')),
  onText('base64Decode', text => decodeBase64(text, BASE64)),
  onText('base64URLEncode', text => padded(Buffer.from(toBytes(text)).toString('base64url'))),
  onText('base64URLDecode', text => decodeBase64(text, BASE64_URL)),
  onText('sha256Hex', text => createHash('sha256').update(toBytes(text)).digest('hex')),
  onText('md5sum', text => createHash('md5').update(toBytes(text)).digest('hex')),
  withText('trim', 'CHARACTERS', (characters, text) => trimAny(text, new Set(characters))),
  withText('trimPrefix', 'PREFIX', (prefix, text) => (text.startsWith(prefix) ? text.slice(prefix.length) : text)),
  withText('trimSuffix', 'SUFFIX', (suffix, text) =>
    text.endsWith(suffix) ? text.slice(0, endOf(text, suffix)) : text,
  ),
  withText('split', 'SEPARATOR', split),
  {
    name: 'replaceAll',
    signature: 'replaceAll FROM TO TEXT',
    parameters: ['string', 'string', 'string'],
    call: (_, [from, to, text]) => (text as string).replaceAll(from as string, () => to as string),
  },
  {
    name: 'join',
    signature: 'join SEPARATOR LIST',
    parameters: ['string', 'list'],
    call: (_, [separator, list]) => (list as readonly Value[]).map(textOf).join(separator as string),
  },
  {
    name: 'indent',
    signature: 'indent COUNT TEXT',
    parameters: ['int', 'string'],
    call: (_, [count, text]) => indent(count as number, text as string),
  },
  {
    name: 'contains',
    signature: 'contains VALUE LIST',
    parameters: ['any', 'any'],
    call: (_, [value = null, list = null]) => isIn(list, value),
  },
  {
    name: 'in',
    signature: 'in LIST VALUE',
    parameters: ['any', 'any'],
    call: (_, [list = null, value = null]) => isIn(list, value),
  },
]

function onText(name: string, change: (text: string) => Value): TemplateFunction<unknown> {
  return { name, signature: `${name} TEXT`, parameters: ['string'], call: (_, [text]) => change(text as string) }
}

function withText(
  name: string,
  first: string,
  change: (first: string, text: string) => Value,
): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} ${first} TEXT`,
    parameters: ['string', 'string'],
    call: (_, [argument, text]) => change(argument as string, text as string),
  }
}

/** A letter that does not follow a letter, digit or underscore: what Go's `strings.Title` raises. */
const WORD_START = /(?<![\p{L}\p{Nd}_])\p{L}/gu

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/

function decodeBase64(text: string, alphabet: RegExp): string {
  const compact = text.replaceAll(/[\r\n]/g, '')
  // Buffer takes anything for base64, and drops what is none.
  if (!alphabet.test(compact) || compact.length % 4 !== 0) throw new Error('the text is not base64')
  return fromBytes(Buffer.from(compact, 'base64'))
}

/** Changes a text as Go does, one character for one: `ß` has no upper case, `Σ` is no different at the end of a word, and a
 *  byte that is no text becomes U+FFFD. */
function mapCharacters(text: string, change: (character: string) => string): string {
  return ASCII.test(text) ? change(text) : Array.from(text.toWellFormed(), each => mapOne(each, change)).join('')
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/

function mapOne(character: string, change: (character: string) => string): string {
  const [first = '', ...more] = Array.from(change(character))
  // The lower case of İ is i with a dot, of which Go keeps the i; all others that grow have no counterpart of their own.
  return more.length === 0 || character === '\u0130' ? first : character
}

function split(separator: string, text: string): readonly string[] {
  const trimmed = trimSpace(text)
  if (trimmed === '') return []
  return separator === '' ? Array.from(trimmed) : trimmed.split(separator)
}

function trimSpace(text: string): string {
  return text.replaceAll(/^[\s\u0085]+|[\s\u0085]+$/g, '')
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function trimAny(text: string, characters: ReadonlySet<string>): string {
  const all = Array.from(text)
  const isKept = (character: string) => !characters.has(character)
  const start = all.findIndex(isKept)
  return start < 0 ? '' : all.slice(start, all.findLastIndex(isKept) + 1).join('')
}

function endOf(text: string, suffix: string): number {
  return text.length - suffix.length
}

function textOf(item: Value): string {
  if (typeof item !== 'string') throw new Error('the list has an item that is not a string')
  return item
}

function indent(count: number, text: string): string {
  if (count < 0) throw new Error('the count must not be negative')
  if (count > INDENT_MAX) throw new Error(`the count must not be over ${INDENT_MAX}`)
  const margin = ' '.repeat(count)
  // Lines that are empty stay so.
  return text.replaceAll(/(^|\n)(?=[^\n])/g, `$1${margin}`)
}

function isIn(list: Value, value: Value): boolean {
  if (Array.isArray(list)) return (list as readonly Value[]).some(item => sameValue(item, value))
  if (typeof list === 'string') return typeof value === 'string' && list.includes(value)
  if (list instanceof Map) return typeof value === 'string' && list.has(value)
  throw new Error('want a list, a map or a string to look in')
}
