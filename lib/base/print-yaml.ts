import { toBytes } from './text.ts'
import { Float, Struct, Uint, type Value } from './value.ts'
import { looksLikeValue } from './yaml-scalar.ts'

/** A value as YAML, the way Go's yaml.v2 writes it: keys sorted with their numbers in order, lists not indented below their key,
 *  text plain where it can be. Long lines are not folded. Ends without a line break. */
export function printYaml(value: Value): string {
  const lines = print(value, 0)
  return lines.first === '' ? lines.rest.join('\n') : [lines.first, ...lines.rest].join('\n')
}

/** What stands behind a key or a dash, and the lines below it. */
interface Printed {
  readonly first: string
  readonly rest: readonly string[]
}

function print(value: Value, indent: number): Printed {
  const entries = entriesOf(value)
  if (entries !== undefined) return entries.length === 0 ? one('{}') : { first: '', rest: printMap(entries, indent) }
  if (Array.isArray(value)) {
    return value.length === 0 ? one('[]') : { first: '', rest: printList(value as readonly Value[], indent) }
  }
  return typeof value === 'string' ? printText(value, indent) : one(printScalar(value as Scalar))
}

function one(first: string): Printed {
  return { first, rest: [] }
}

function entriesOf(value: Value): readonly (readonly [string, Value])[] | undefined {
  if (value instanceof Map) return [...value].toSorted(([a], [b]) => compareKeys(a, b))
  // The fields of a struct keep their order; yaml.v2 writes their names in lower case.
  if (value instanceof Struct) return [...value.fields].map(([name, field]) => [name.toLowerCase(), field] as const)
  return undefined
}

function printMap(entries: readonly (readonly [string, Value])[], indent: number): string[] {
  const margin = ' '.repeat(indent)
  return entries.flatMap(([key, value]) => {
    const isList = Array.isArray(value)
    const { first, rest } = print(value, isList ? indent : indent + 2)
    const lead = `${margin}${printKey(key)}:`
    return [first === '' ? lead : `${lead} ${first}`, ...rest]
  })
}

function printList(items: readonly Value[], indent: number): string[] {
  const margin = ' '.repeat(indent)
  return items.flatMap(item => {
    const { first, rest } = print(item, indent + 2)
    if (first !== '') return [`${margin}- ${first}`, ...rest]
    // A collection begins on the line of its dash.
    const [head = '', ...tail] = rest
    return [`${margin}- ${head.slice(indent + 2)}`, ...tail]
  })
}

type Scalar = null | boolean | number | bigint | Uint | Float

function printScalar(value: Scalar): string {
  if (value instanceof Uint) return String(value.value)
  if (!(value instanceof Float)) return String(value)
  const number = value.value
  if (Number.isNaN(number)) return '.nan'
  if (!Number.isFinite(number)) return number > 0 ? '.inf' : '-.inf'
  return printFloat(number)
}

/** As Go's `%g`: an exponent, of two digits at least, from 10^6 on and below 10^-4. */
function printFloat(number: number): string {
  const size = Math.abs(number)
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    return number.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  return Object.is(number, -0) ? '-0' : String(number)
}

function printKey(key: string): string {
  return key.includes('\n') ? doubleQuoted(key) : inline(key)
}

function printText(text: string, indent: number): Printed {
  if (!text.isWellFormed()) return one(`!!binary ${Buffer.from(toBytes(text)).toString('base64')}`)
  if (!text.includes('\n')) return one(inline(text))
  if (/ $| \n/.test(text) || SPECIAL.test(text)) return one(doubleQuoted(text))
  return literal(text, indent)
}

function literal(text: string, indent: number): Printed {
  const margin = ' '.repeat(indent)
  const hint = /^[ \n]/.test(text) ? '2' : ''
  const chomping = text.endsWith('\n') ? (/(^|\n)\n$/.test(text) ? '+' : '') : '-'
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')
  // At the top of a document, too, the lines are indented.
  const body = lines.map(line => (line === '' ? '' : `${indent === 0 ? '  ' : margin}${line}`))
  return { first: `|${hint}${chomping}`, rest: body }
}

function inline(text: string): string {
  if (SPECIAL.test(text)) return doubleQuoted(text)
  if (looksLikeValue(text)) return doubleQuoted(text)
  return canBePlain(text) ? text : `'${text.replaceAll("'", "''")}'`
}

function canBePlain(text: string): boolean {
  if (/^\s|\s$|^(---|\.\.\.)/.test(text)) return false
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text) || /^[?:-](\s|$)/.test(text)) return false
  return !/:(\s|$)|\s#/.test(text)
}

/** Characters that YAML does not let stand as they are. A line break is another matter. */
// eslint-disable-next-line no-control-regex
const SPECIAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ud800-\udfff\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/u

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
  '\u2028': '\\L',
  '\u2029': '\\P',
}

// eslint-disable-next-line no-control-regex
const UNQUOTABLE = /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/gu

function doubleQuoted(text: string): string {
  const escaped = text.replaceAll(UNQUOTABLE, character => {
    const code = character.codePointAt(0) as number
    const hex = code.toString(16).toUpperCase()
    if (code > 0xffff) return `\\U${hex.padStart(8, '0')}`
    return ESCAPES[character] ?? (code < 0x100 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`)
  })
  return `"${escaped}"`
}

/** The order of yaml.v2: digits before letters, runs of digits by their number, `a2` before `a10`. */
function compareKeys(a: string, b: string): number {
  const left = Array.from(a)
  const right = Array.from(b)
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] as string
    const y = right[i] as string
    if (x === y) continue
    const xIsLetter = /\p{L}/u.test(x)
    const yIsLetter = /\p{L}/u.test(y)
    if (xIsLetter !== yIsLetter) return xIsLetter ? 1 : -1
    return (
      (xIsLetter ? 0 : compareDigits(left, right, i)) || (x.codePointAt(0) as number) - (y.codePointAt(0) as number)
    )
  }
  return left.length - right.length
}

function compareDigits(left: readonly string[], right: readonly string[], at: number): number {
  const [x, y] = [digitsAt(left, at), digitsAt(right, at)]
  // Behind other digits, a zero is not a leading one.
  const isInside = (left[at] === '0' || right[at] === '0') && /[1-9]\d*$/.test(left.slice(0, at).join(''))
  const [m, n] = [BigInt((isInside ? '1' : '') + x || '0'), BigInt((isInside ? '1' : '') + y || '0')]
  return m === n ? x.length - y.length : m < n ? -1 : 1
}

function digitsAt(characters: readonly string[], at: number): string {
  let end = at
  while (/^\d$/.test(characters[end] ?? '')) end++
  return characters.slice(at, end).join('')
}
