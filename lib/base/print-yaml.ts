import { toBytes } from './text.ts'
import { Float, Struct, Uint, type Value } from './value.ts'
import { isLineBreak, UNPRINTABLE, YamlEmitter, type TextStyle } from './yaml-emitter.ts'
import { looksLikeValue } from './yaml-scalar.ts'

/** A value as YAML, the way Go's yaml.v2 writes it: keys sorted with their numbers in order, lists not indented below their key,
 *  text plain where it can be and broken at 80 columns. Ends without a line break.
 *  @param mustQuote says of texts that they stand in double quotes, whatever Go would do */
export function printYaml(
  value: Value,
  spell: Spell = () => undefined,
  mustQuote: (text: string) => boolean = () => false,
): string {
  const printer = new YamlPrinter(spell, mustQuote)
  printer.print(value, false)
  const { text } = printer.emitter
  return text.endsWith('\n') ? text.slice(0, -1) : text
}

/** How a struct is spelled that is not its fields: as a text, or as it stands. Undefined when it is its fields. */
export type Spell = (value: Struct) => string | { readonly plain: string } | undefined

class YamlPrinter {
  readonly emitter = new YamlEmitter()
  readonly #spell: Spell
  readonly #mustQuote: (text: string) => boolean

  constructor(spell: Spell, mustQuote: (text: string) => boolean) {
    this.#spell = spell
    this.#mustQuote = mustQuote
  }

  print(value: Value, isInMap: boolean): void {
    const spelled = value instanceof Struct ? this.#spell(value) : undefined
    const entries = spelled === undefined ? entriesOf(value) : undefined
    if (typeof spelled === 'string') this.#text(spelled, true)
    else if (spelled !== undefined) this.emitter.word(spelled.plain)
    else if (entries !== undefined) this.#map(entries)
    else if (Array.isArray(value)) this.#list(value as readonly Value[], isInMap)
    else if (typeof value === 'string') this.#text(value, true)
    else this.emitter.word(printScalar(value as Scalar))
  }

  #map(entries: readonly (readonly [string, Value])[]): void {
    const { emitter } = this
    if (entries.length === 0) return emitter.word('{}')
    const { indent } = emitter
    emitter.indent = indent < 0 ? 0 : indent + 2
    for (const [key, value] of entries) {
      emitter.toMargin()
      if (isSimpleKey(key)) {
        this.#text(key, false)
        emitter.colon()
      } else {
        emitter.mark('?')
        this.#text(key, true)
        emitter.toMargin()
        emitter.mark(':')
      }
      this.print(value, true)
    }
    emitter.indent = indent
  }

  #list(items: readonly Value[], isInMap: boolean): void {
    const { emitter } = this
    if (items.length === 0) return emitter.word('[]')
    const { indent } = emitter
    // Below its key, a list is not indented.
    if (indent < 0) emitter.indent = 0
    else if (!isInMap || emitter.isInMargin) emitter.indent += 2
    for (const item of items) {
      emitter.toMargin()
      emitter.mark('-')
      this.print(item, false)
    }
    emitter.indent = indent
  }

  #text(text: string, mayBreak: boolean): void {
    if (text.isWellFormed()) {
      return this.emitter.scalar(text, this.#mustQuote(text) ? 'double' : styleOf(text, mayBreak), mayBreak)
    }
    this.emitter.word('!!binary')
    const base64 = linesOf(Buffer.from(toBytes(text)).toString('base64'))
    return this.emitter.scalar(base64, base64.includes('\n') ? 'literal' : 'plain', mayBreak)
  }
}

const BASE64_LINE_LENGTH = 70

function linesOf(base64: string): string {
  if (base64.length < BASE64_LINE_LENGTH) return base64
  return base64.replaceAll(/.{1,70}/g, '$&\n')
}

/** In bytes; longer keys stand behind a question mark. */
const SIMPLE_KEY_LENGTH_MAX = 128

function isSimpleKey(key: string): boolean {
  return !Array.from(key).some(isLineBreak) && Buffer.byteLength(key) <= SIMPLE_KEY_LENGTH_MAX
}

function styleOf(text: string, mayBreak: boolean): TextStyle {
  if (text === '') return 'double'
  const isSpecial = UNPRINTABLE.test(text) || / [\r\n\u0085\u2028\u2029]/.test(text)
  if (text.includes('\n')) return isSpecial || text.endsWith(' ') || !mayBreak ? 'double' : 'literal'
  if (looksLikeValue(text) || isSpecial) return 'double'
  if (canBePlain(text)) return 'plain'
  return /[\r\n\u0085\u2028\u2029] /.test(text) ? 'double' : 'single'
}

function canBePlain(text: string): boolean {
  if (/^ | $|[\r\n\u0085\u2028\u2029]|^(---|\.\.\.)/.test(text)) return false
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text) || /^[?:-]([ \t]|$)/.test(text)) return false
  return !/:([ \t]|$)|[ \t]#/.test(text)
}

function entriesOf(value: Value): readonly (readonly [string, Value])[] | undefined {
  if (value instanceof Map) return [...value].toSorted(([a], [b]) => compareKeys(a, b))
  // The fields of a struct keep their order; yaml.v2 writes their names in lower case.
  if (value instanceof Struct) return [...value.fields].map(([name, field]) => [name.toLowerCase(), field] as const)
  return undefined
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
