/** How Go's `strconv.FormatFloat` writes a float64. */
export type FloatVerb = 'b' | 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X'

/** The text of `value`; a precision of -1 asks for as few digits as tell it from its neighbours. */
export function formatFloat(value: number, verb: FloatVerb, precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (size === Infinity) return sign === '-' ? '-Inf' : '+Inf'
  const text = sign + magnitude(size, verb, precision)
  return verb === 'E' || verb === 'G' || verb === 'X' ? text.toUpperCase() : text
}

function magnitude(size: number, verb: FloatVerb, precision: number): string {
  switch (verb) {
    case 'b':
      return binary(size)
    case 'x':
    case 'X':
      return hexadecimal(size, precision)
    case 'f':
      return precision < 0 ? fixedShortest(size) : fixedExactly(size, precision)
    case 'e':
    case 'E':
      if (precision >= 0) return scientific(roundedTo(size, precision + 1), precision)
      return scientific(shortestOf(size), Math.max(shortestOf(size).digits.length - 1, 0))
    case 'g':
    case 'G':
      return general(size, precision)
  }
}

/** Digits d1 d2 d3… that mean 0.d1d2d3… × 10^point, without zeros at either end; none for zero. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

/** With the shortest precision, numbers from 10^6 on have an exponent, those below do not, whatever their digits. */
const SHORTEST_POINT_MAX = 6

function general(size: number, precision: number): string {
  const isShortest = precision < 0
  const wanted = precision === 0 ? 1 : precision
  const { digits, point } = isShortest ? shortestOf(size) : roundedTo(size, wanted)
  const count = digits.length
  const pointMax = isShortest ? SHORTEST_POINT_MAX : wanted > count && count >= point ? count : wanted
  if (point - 1 < -4 || point > pointMax) {
    return scientific({ digits, point }, Math.max((isShortest ? count : Math.min(wanted, count)) - 1, 0))
  }
  return fixed({ digits, point }, Math.max(count - point, 0))
}

function scientific({ digits, point }: Decimal, precision: number): string {
  const exponent = digits === '' ? 0 : point - 1
  const first = digits.charAt(0) || '0'
  const rest = precision > 0 ? `.${digits.slice(1, 1 + precision).padEnd(precision, '0')}` : ''
  return `${first}${rest}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function fixed({ digits, point }: Decimal, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (precision === 0) return whole
  const fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits
  return `${whole}.${fraction.slice(0, precision).padEnd(precision, '0')}`
}

function fixedShortest(size: number): string {
  const shortest = shortestOf(size)
  return fixed(shortest, Math.max(shortest.digits.length - shortest.point, 0))
}

/** JavaScript finds the same shortest digits as Go does. */
function shortestOf(size: number): Decimal {
  return toDecimal(size.toExponential())
}

function toDecimal(text: string): Decimal {
  const [mantissa = '', exponent = '0'] = text.split('e')
  const digits = mantissa.replace('.', '').replace(/0+$/, '')
  return digits === '' ? { digits, point: 0 } : { digits, point: Number(exponent) + 1 }
}

/** No float64 has more digits than this, before or after the point. Zeros follow. */
const DIGITS_MAX = 1_100

// JavaScript's own toFixed and toPrecision round ties up and stop at 100 digits; Go rounds them to even.
function fixedExactly(size: number, precision: number): string {
  const places = Math.min(precision, DIGITS_MAX)
  const digits = String(scaledInteger(size, places)).padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  if (precision === 0) return whole
  return `${whole}.${digits.slice(digits.length - places).padEnd(precision, '0')}`
}

/** The first `count` significant digits, the last one rounded. */
function roundedTo(size: number, count: number): Decimal {
  if (size === 0) return { digits: '', point: 0 }
  const places = Math.min(count, DIGITS_MAX)
  const exponent = Number(size.toExponential().split('e')[1])
  // The shortest digits may have been rounded up to the next power of ten, and then there is room for one more digit.
  const finer = String(scaledInteger(size, places - exponent))
  const digits = finer.length <= places ? finer : String(scaledInteger(size, places - 1 - exponent))
  const point = exponent + 1 + (finer.length <= places ? -1 : digits.length - places)
  return { digits: digits.replace(/0+$/, ''), point }
}

/** size × 10^power, rounded to an integer, ties to even. */
function scaledInteger(size: number, power: number): bigint {
  const { mantissa, exponent } = parts(size)
  let numerator = mantissa
  let denominator = 1n
  if (power >= 0) numerator *= 10n ** BigInt(power)
  else denominator *= 10n ** BigInt(-power)
  if (exponent >= 0) numerator <<= BigInt(exponent)
  else denominator <<= BigInt(-exponent)
  const quotient = numerator / denominator
  const twice = (numerator % denominator) * 2n
  const isUp = twice > denominator || (twice === denominator && (quotient & 1n) === 1n)
  return isUp ? quotient + 1n : quotient
}

const view = new DataView(new ArrayBuffer(8))

/** A float64 as mantissa × 2^exponent. */
function parts(size: number): { readonly mantissa: bigint; readonly exponent: number } {
  view.setFloat64(0, size)
  const bits = view.getBigUint64(0)
  const biased = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  if (biased === 0) return { mantissa: fraction, exponent: -1074 }
  return { mantissa: fraction | 0x10000000000000n, exponent: biased - 1075 }
}

function binary(size: number): string {
  const { mantissa, exponent } = parts(size)
  return `${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`
}

/** How many bits of a mantissa follow its first one. */
const FRACTION_BITS = 52

function hexadecimal(size: number, precision: number): string {
  let { mantissa, exponent } = parts(size)
  exponent += FRACTION_BITS
  if (mantissa === 0n) exponent = 0
  else {
    // Subnormal numbers, too, begin with a one.
    const missing = FRACTION_BITS + 1 - mantissa.toString(2).length
    mantissa <<= BigInt(missing)
    exponent -= missing
  }
  const dropped = precision >= 0 && precision < 13 ? BigInt(FRACTION_BITS - 4 * precision) : 0n
  const unit = 1n << dropped
  const rest = (mantissa & (unit - 1n)) * 2n
  mantissa >>= dropped
  if (rest > unit || (rest === unit && (mantissa & 1n) === 1n)) mantissa += 1n
  mantissa <<= dropped
  if (mantissa >> BigInt(FRACTION_BITS + 1) > 0n) {
    mantissa >>= 1n
    exponent++
  }
  const first = mantissa >> BigInt(FRACTION_BITS)
  const all = (mantissa & 0xfffffffffffffn).toString(16).padStart(13, '0')
  const fraction = precision < 0 ? all.replace(/0+$/, '') : all.slice(0, precision).padEnd(precision, '0')
  const power = String(Math.abs(exponent)).padStart(2, '0')
  return `0x${first}${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '-' : '+'}${power}`
}
