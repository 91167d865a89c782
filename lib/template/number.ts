import { Complex } from './complex.ts'
import { quote, unquoteCharacter } from './quote.ts'

/** A number in a template's text, as each type that can represent it, since only its use tells which is meant. */
export interface NumberConstant {
  readonly int: bigint | undefined
  readonly uint: bigint | undefined
  readonly float: number | undefined
  readonly complex: Complex | undefined
}

/** What a number or character of the source means. Throws an Error when it is none. */
export function parseNumber(text: string, type: 'number' | 'complex' | 'charConstant'): NumberConstant {
  if (type === 'charConstant') {
    const rune = unquoteCharacter(text)
    return { int: BigInt(rune), uint: BigInt(rune), float: rune, complex: undefined }
  }
  if (type === 'complex' || text.endsWith('i')) {
    const complex = parseComplex(text)
    if (complex !== undefined) return fromComplex(complex)
    if (type === 'complex') throw new Error('syntax error scanning complex number')
  }
  const integer = parseInteger(text)
  if (integer !== undefined) {
    const int = integer.value >= MIN_INT64 && integer.value <= MAX_INT64 ? integer.value : undefined
    const uint = (!integer.isSigned || integer.value === 0n) && inUint64(integer.value) ? integer.value : undefined
    if (int !== undefined || uint !== undefined) {
      return { int, uint, float: Number(integer.value), complex: undefined }
    }
  }
  const float = parseFloat64(text)
  if (float === undefined) throw new Error(`illegal number syntax: ${quote(text)}`)
  if (!/[.eEpP]/.test(text)) throw new Error(`integer overflow: ${quote(text)}`)
  return { ...integersOf(float), float, complex: undefined }
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

function inUint64(value: bigint): boolean {
  return value >= 0n && value <= MAX_UINT64
}

function integersOf(float: number): { readonly int: bigint | undefined; readonly uint: bigint | undefined } {
  if (!Number.isInteger(float)) return { int: undefined, uint: undefined }
  const value = BigInt(float)
  return {
    int: value >= MIN_INT64 && value <= MAX_INT64 ? value : undefined,
    uint: inUint64(value) ? value : undefined,
  }
}

function fromComplex(complex: Complex): NumberConstant {
  if (complex.imaginary !== 0) return { int: undefined, uint: undefined, float: undefined, complex }
  return { ...integersOf(complex.real), float: complex.real, complex }
}

function parseComplex(text: string): Complex | undefined {
  const body = text.slice(0, -1)
  const split = imaginarySign(body)
  const real = split === 0 ? 0 : parseFloat64(body.slice(0, split))
  const imaginary = parseFloat64(body.slice(split))
  return real === undefined || imaginary === undefined ? undefined : new Complex(real, imaginary)
}

/** Where the imaginary part begins: at the last sign that is not one of an exponent, or at the start. */
function imaginarySign(body: string): number {
  for (let i = body.length - 1; i > 0; i--) {
    if (!'+-'.includes(body.charAt(i))) continue
    const isHex = /0[xX][^+-]*$/.test(body.slice(0, i))
    if (!(isHex ? 'pP' : 'eE').includes(body.charAt(i - 1))) return i
  }
  return 0
}

const INTEGER =
  /^([+-]?)(?:0[xX](_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[bB](_?[01]+(?:_[01]+)*)|0([oO]?_?[0-7]+(?:_[0-7]+)*)|(0|[1-9][0-9]*(?:_[0-9]+)*))$/

/** An integer as Go spells it: decimal, 0x, 0b, 0o or just 0 before octal digits, `_` between digits. */
export function parseInteger(text: string): { readonly value: bigint; readonly isSigned: boolean } | undefined {
  const match = INTEGER.exec(text)
  if (match === null) return undefined
  const [, sign = '', hex, binary, octal, decimal] = match
  const [prefix, digits] = hex ? ['0x', hex] : binary ? ['0b', binary] : octal ? ['0o', octal] : ['', decimal as string]
  const magnitude = BigInt(prefix + digits.replaceAll(/[_oO]/g, ''))
  return { value: sign === '-' ? -magnitude : magnitude, isSigned: sign !== '' }
}

const DECIMAL_FLOAT =
  /^[+-]?(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?$/
const HEX_FLOAT =
  /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)\.?((?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?)[pP]([+-]?[0-9]+(?:_[0-9]+)*)$/

/** A float64 as Go spells it, or undefined when it is none or does not fit. */
function parseFloat64(text: string): number | undefined {
  const value = readFloat64(text)
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

/** As `parseFloat64`, but what does not fit is infinite. */
export function readFloat64(text: string): number | undefined {
  const hex = HEX_FLOAT.exec(text)
  if (hex !== null) return parseHexFloat(hex)
  return DECIMAL_FLOAT.test(text) ? Number(text.replaceAll('_', '')) : undefined
}

function parseHexFloat([, sign = '', whole = '', fraction = '', power = '0']: RegExpExecArray): number | undefined {
  const wholeDigits = whole.replaceAll('_', '')
  const fractionDigits = fraction.replaceAll('_', '')
  if (wholeDigits + fractionDigits === '') return undefined
  const mantissa = BigInt(`0x${wholeDigits}${fractionDigits}`)
  const exponent = Number(power.replaceAll('_', '')) - 4 * fractionDigits.length
  const value = scale(mantissa, exponent)
  return sign === '-' ? -value : value
}

/** mantissa × 2^exponent, rounded once, to even. */
function scale(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0
  const bits = mantissa.toString(2).length
  if (bits + exponent > 1025) return Infinity
  if (bits + exponent < -1080) return 0
  if (exponent >= 0) return Number(mantissa << BigInt(exponent))
  // What is kept: 53 bits, fewer where the result is subnormal.
  const surplus = Math.max(bits - 53, -1074 - exponent, 0)
  const unit = 1n << BigInt(surplus)
  let kept = mantissa >> BigInt(surplus)
  const rest = (mantissa & (unit - 1n)) * 2n
  if (rest > unit || (rest === unit && (kept & 1n) === 1n)) kept += 1n
  const shift = exponent + surplus
  // In two steps, since 2 to the power of the whole may not be a float64 where the product is.
  return shift < -1000 ? Number(kept) * 2 ** -1000 * 2 ** (shift + 1000) : Number(kept) * 2 ** shift
}
