import { Float, int, type Value } from '../../../base/value.ts'
import type { TemplateFunction } from '../../function.ts'
import { show } from '../../show.ts'
import { parseInt64 } from '../../strconv.ts'
import { addInts, multiplyInts, toFloat, toInt } from './casts.ts'
import { Decimal } from './decimal.ts'
import { alsoAs, define, defineVariadic } from './define.ts'
import { checkItems } from './limits.ts'
import { randomBelow } from './random.ts'

type Integer = number | bigint

/** The functions on numbers. What is no number is zero; integers go round the corner of 64 bits, as in Go. */
export const mathFunctions: readonly TemplateFunction<unknown>[] = [
  define('int VALUE', ['any'], toInt),
  define('int64 VALUE', ['any'], toInt),
  define('float64 VALUE', ['any'], value => new Float(toFloat(value))),
  define('atoi TEXT', ['string'], atoi),
  define('toDecimal VALUE', ['any'], octal),
  defineVariadic('add NUMBER…', [], 'any', (...values) => values.map(toInt).reduce(addInts, 0)),
  define('add1 NUMBER', ['any'], value => addInts(toInt(value), 1)),
  define('sub NUMBER NUMBER', ['any', 'any'], (a, b) => int(BigInt(toInt(a)) - BigInt(toInt(b)))),
  defineVariadic('mul NUMBER NUMBER…', ['any'], 'any', (...values) => values.map(toInt).reduce(multiplyInts)),
  define('div NUMBER NUMBER', ['any', 'any'], (a, b) => int(BigInt(toInt(a)) / divisor(b))),
  define('mod NUMBER NUMBER', ['any', 'any'], (a, b) => int(BigInt(toInt(a)) % divisor(b))),
  ...alsoAs(
    defineVariadic('max NUMBER NUMBER…', ['any'], 'any', (...values) =>
      values.map(toInt).reduce((a, b) => (b > a ? b : a)),
    ),
    'biggest',
  ),
  defineVariadic('min NUMBER NUMBER…', ['any'], 'any', (...values) =>
    values.map(toInt).reduce((a, b) => (b < a ? b : a)),
  ),
  defineVariadic('maxf NUMBER NUMBER…', ['any'], 'any', (...values) => extreme(values, Infinity)),
  defineVariadic('minf NUMBER NUMBER…', ['any'], 'any', (...values) => extreme(values, -Infinity)),
  define('floor NUMBER', ['any'], value => new Float(Math.floor(toFloat(value)))),
  define('ceil NUMBER', ['any'], value => new Float(Math.ceil(toFloat(value)))),
  defineVariadic('round NUMBER PLACES [LIMIT]', ['any', 'int'], 'float', (value, places, limit) => {
    return new Float(round(toFloat(value), Number(places), limit?.value ?? 0.5))
  }),
  defineVariadic('addf NUMBER…', [], 'any', (...values) => decimally([0, ...values], (a, b) => a.plus(b))),
  define('add1f NUMBER', ['any'], value => decimally([value, 1], (a, b) => a.plus(b))),
  defineVariadic('subf NUMBER NUMBER…', ['any'], 'any', (...values) => decimally(values, (a, b) => a.minus(b))),
  defineVariadic('mulf NUMBER NUMBER…', ['any'], 'any', (...values) => decimally(values, (a, b) => a.times(b))),
  defineVariadic('divf NUMBER NUMBER…', ['any'], 'any', (...values) => decimally(values, (a, b) => a.over(b))),
  define('until COUNT', ['int'], count => steps(0, count, count < 0 ? -1 : 1)),
  define('untilStep START END STEP', ['int', 'int', 'int'], steps),
  defineVariadic('seq [START [STEP]] END', [], 'int', (...values) => sequence(values).join(' ')),
  // Changes at each execution; but a template is executed again only when an answer that it got has changed.
  define('randInt START END', ['int', 'int'], (start, end) => {
    if (end <= start) throw new Error('invalid argument to Intn')
    const span = BigInt(end) - BigInt(start)
    if (span > RANDOM_SPAN_MAX) throw new Error(`the end must not be more than ${RANDOM_SPAN_MAX} after the start`)
    return int(BigInt(start) + BigInt(randomBelow(Number(span))))
  }),
]

const RANDOM_SPAN_MAX = 2n ** 48n - 1n

function divisor(value: Value): bigint {
  const number = BigInt(toInt(value))
  if (number === 0n) throw new Error('runtime error: integer divide by zero')
  return number
}

/** Decimal digits; a number that does not fit becomes the nearest that does, what is none zero. */
function atoi(text: string): Integer {
  const value = parseInt64(text)
  if (value === 'invalid syntax') return 0
  return value === 'value out of range' ? int(text.startsWith('-') ? MIN_INT64 : MAX_INT64) : int(value)
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

const OCTAL_DIGITS_MAX = 100

/** The decimal of an octal number, zero where it is none. */
function octal(value: Value): Integer {
  const [, sign = '', digits = ''] = /^([+-]?)([0-7]+)$/.exec(show(value)) ?? []
  if (digits === '' || digits.length > OCTAL_DIGITS_MAX) return 0
  const number = BigInt(`0o${digits}`) * (sign === '-' ? -1n : 1n)
  return number > MAX_INT64 || number < MIN_INT64 ? 0 : int(number)
}

/** The largest or smallest; an infinity of that kind counts for more than what is no number. */
function extreme(values: readonly Value[], most: number): Float {
  const numbers = values.map(toFloat)
  if (numbers.includes(most)) return new Float(most)
  return new Float(most > 0 ? Math.max(...numbers) : Math.min(...numbers))
}

function round(value: number, places: number, limit: number): number {
  const power = powerOfTen(places)
  const scaled = power * value
  const fraction = scaled - Math.trunc(scaled)
  return (fraction >= limit ? Math.ceil(scaled) : Math.floor(scaled)) / power
}

/** By multiplication, as Go does, with the same errors of rounding. */
function powerOfTen(exponent: number): number {
  // From here on it is infinite or zero anyway.
  let rest = Math.min(Math.abs(exponent), EXPONENT_MAX)
  let [fraction, binaryExponent] = [0.625, 4]
  let [result, resultExponent] = [1, 0]
  for (; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) {
      result *= fraction
      resultExponent += binaryExponent
    }
    fraction *= fraction
    binaryExponent *= 2
    if (fraction < 0.5) {
      fraction *= 2
      binaryExponent--
    }
  }
  return exponent < 0 ? scaled(1 / result, -resultExponent) : scaled(result, resultExponent)
}

const EXPONENT_MAX = 1_000

function scaled(fraction: number, exponent: number): number {
  // In two steps, since the power alone may be out of range.
  const half = Math.trunc(exponent / 2)
  return fraction * 2 ** half * 2 ** (exponent - half)
}

function decimally(values: readonly Value[], combine: (a: Decimal, b: Decimal) => Decimal): Float {
  return new Float(
    values
      .map(value => Decimal.from(toFloat(value)))
      .reduce(combine)
      .toFloat(),
  )
}

/** The integers from `start` up or down to but not including `end`; none where the step leads away from it. */
function steps(start: Integer, end: Integer, step: Integer): readonly Integer[] {
  const [first, last, by] = [BigInt(start), BigInt(end), BigInt(step)]
  if (last < first ? by >= 0n : by <= 0n) return []
  const distance = last < first ? first - last : last - first
  const size = by < 0n ? -by : by
  const count = Number((distance + size - 1n) / size)
  checkItems(count)
  return Array.from({ length: count }, (_, i) => int(first + BigInt(i) * by))
}

/** As the program `seq` counts: both ends are in it. */
function sequence(values: readonly Integer[]): readonly Integer[] {
  const [a = 0, b = 0, c = 0] = values.map(BigInt)
  const through = (start: bigint, end: bigint, step: bigint, onward: bigint) =>
    steps(int(start), int(end + onward), int(step))
  switch (values.length) {
    case 1:
      return a < 1n ? through(1n, BigInt(a), -1n, -1n) : through(1n, BigInt(a), 1n, 1n)
    case 2:
      return b < a ? through(BigInt(a), BigInt(b), -1n, -1n) : through(BigInt(a), BigInt(b), 1n, 1n)
    case 3:
      if (c < a) return b > 0n ? [] : through(BigInt(a), BigInt(c), BigInt(b), -1n)
      return through(BigInt(a), BigInt(c), BigInt(b), 1n)
    default:
      return []
  }
}
