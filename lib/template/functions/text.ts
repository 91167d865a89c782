import { createHash, createHmac } from 'node:crypto'
import { fromBytes, toBytes } from '../../base/text.ts'
import { Float, int, Uint, type Value } from '../../base/value.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { toLower, toUpper, trimSpace } from '../letters.ts'
import { typeName } from '../operand.ts'
import { joined } from '../print.ts'
import { parseBool, parseFloat, parseInt64, parseUint64, type NumberProblem } from '../strconv.ts'
import { base64, base64Url, decodeBase64 } from './base64.ts'
import { INDENT_TIMES, laborious } from './cost.ts'
import { define } from './sprig/define.ts'
import { toTitle } from './title.ts'
import { cut, replaceAll, split, trim, trimPrefix, trimSuffix } from './strings.ts'

/** The functions on strings, named and with the order of arguments as in consul-template: the text comes last, for pipes. */
export const textFunctions: readonly TemplateFunction<unknown>[] = [
  onText('toLower', toLower),
  onText('toUpper', toUpper),
  onText('toTitle', toTitle),
  onText('trimSpace', trimSpace),
  onText('base64Encode', text => Buffer.from(toBytes(text)).toString('base64')),
  onText('base64Decode', text => decoded('base64Decode', text, base64)),
  onText('base64URLEncode', text => padded(Buffer.from(toBytes(text)).toString('base64url'))),
  onText('base64URLDecode', text => decoded('base64URLDecode', text, base64Url)),
  onText('sha256Hex', text => createHash('sha256').update(toBytes(text)).digest('hex')),
  onText('md5sum', text => createHash('md5').update(toBytes(text)).digest('hex')),
  define('hmacSHA256Hex MESSAGE KEY', ['string', 'string'], (message, key) =>
    createHmac('sha256', toBytes(key)).update(toBytes(message)).digest('hex'),
  ),
  define('trim CHARACTERS TEXT', ['string', 'string'], trim),
  define('trimPrefix PREFIX TEXT', ['string', 'string'], trimPrefix),
  define('trimSuffix SUFFIX TEXT', ['string', 'string'], trimSuffix),
  define('replaceAll FROM TO TEXT', ['string', 'string', 'string'], replaceAll),
  define('split SEPARATOR TEXT', ['string', 'string'], (separator, text) => {
    const trimmed = trimSpace(text)
    return trimmed === '' ? [] : split(separator, trimmed)
  }),
  define('splitToMap ITEM_SEPARATOR KEY_SEPARATOR TEXT', ['string', 'string', 'string'], splitToMap),
  define('join SEPARATOR LIST', ['string', 'list'], (separator, list) => joined(list.map(textOf).join(separator))),
  laborious(INDENT_TIMES, define('indent COUNT TEXT', ['int', 'string'], indent)),
  parsing('parseBool', 'ParseBool', false, text => parseBool(text) ?? 'invalid syntax'),
  parsing('parseFloat', 'ParseFloat', new Float(0), text => {
    const value = parseFloat(text)
    return typeof value === 'number' ? new Float(value) : value
  }),
  parsing('parseInt', 'ParseInt', 0, text => {
    const value = parseInt64(text)
    return typeof value === 'bigint' ? int(value) : value
  }),
  parsing('parseUint', 'ParseUint', new Uint(0n), text => {
    const value = parseUint64(text)
    return typeof value === 'bigint' ? new Uint(value) : value
  }),
]

function onText(name: string, change: (text: string) => Value): TemplateFunction<unknown> {
  return define(`${name} TEXT`, ['string'], text => change(text))
}

function decoded(name: string, text: string, alphabet: Parameters<typeof decodeBase64>[1]): string {
  const bytes = decodeBase64(text, alphabet)
  if (typeof bytes === 'number') throw new Error(`${name}: illegal base64 data at input byte ${bytes}`)
  return fromBytes(bytes)
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function splitToMap(itemSeparator: string, keySeparator: string, text: string, execution: Executing): Value {
  const trimmed = trimSpace(text)
  const items = trimmed === '' ? [] : split(itemSeparator, trimmed)
  // It is looked for in each item, and is itself gone through where it is no text.
  execution.weigh(items.length * keySeparator.length)
  const pairs = items.map(item => cut(keySeparator, item)).filter(pair => pair !== undefined)
  return new Map<string, Value>(pairs)
}

function textOf(item: Value): string {
  if (typeof item === 'string') return item
  throw new Error(item === null ? 'expected string; found nil' : `expected string; got ${typeName(item)}`)
}

/** How many blanks `indent` puts before a line. */
const INDENT_MAX = 1_000
/** How long a text `indent` makes, in UTF-16 units. */
const INDENTED_LENGTH_MAX = 2 ** 26

function indent(count: number | bigint, text: string): string {
  if (count < 0) throw new Error('indent value must be a positive integer')
  if (count > INDENT_MAX) throw new Error(`the count must not be over ${INDENT_MAX}`)
  const margin = ' '.repeat(Number(count))
  const lines = text.split('\n')
  if (text.length + lines.length * margin.length > INDENTED_LENGTH_MAX) {
    throw new Error(`the result would be longer than ${INDENTED_LENGTH_MAX} characters`)
  }
  // Lines that are empty stay so.
  return lines.map(line => (line === '' ? '' : margin + line)).join('\n')
}

/** A function that reads what a text spells. An empty text spells zero. */
function parsing(
  name: string,
  goName: string,
  zero: Value,
  parse: (text: string) => Exclude<Value, string> | NumberProblem,
): TemplateFunction<unknown> {
  return define(`${name} TEXT`, ['string'], (text, execution: Executing) => {
    if (text === '') return zero
    const value = parse(text)
    if (typeof value !== 'string') return value
    throw new Error(`${name}: strconv.${goName}: parsing ${execution.quoted(text, 'q')}: ${value}`)
  })
}
