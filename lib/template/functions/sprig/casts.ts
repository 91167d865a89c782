import { Float, int, Struct, Uint, type Value } from '../../../base/value.ts'
import { Complex } from '../../complex.ts'
import { parseInteger } from '../../number.ts'
import { Byte, isMap, typeName, type Operand } from '../../operand.ts'
import { show } from '../../show.ts'
import { parseFloat } from '../../strconv.ts'

type Integer = number | bigint

/** As an int64, zero where it is nothing like one (Go's `cast.ToInt64`): `"0x10"` is 16, `"010"` is 8, `"1.0"` is 1. */
export function toInt(value: Value): Integer {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return value
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return textToInt(value)
    default:
  }
  if (value instanceof Float) return floatToInt(value.value)
  return value instanceof Uint ? int(value.value) : 0
}

/** As a float64, zero where it is nothing like one (Go's `cast.ToFloat64`). */
export function toFloat(value: Value): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return Number(value)
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return textToFloat(value)
    default:
  }
  if (value instanceof Float) return value.value
  return value instanceof Uint ? Number(value.value) : 0
}

/** What sprig makes of a value where it wants a text. */
export const toText: (value: Value) => string = show

/** Go's `%T`. */
export function typeOf(value: Value): string {
  return value === null ? '<nil>' : typeName(value)
}

/** Go's `reflect.Kind`. */
export function kindOf(value: Value): string {
  if (value === null) return 'invalid'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
    case 'bigint':
      return 'int'
    default:
  }
  if (isMap(value)) return 'map'
  if (value instanceof Float) return 'float64'
  if (value instanceof Uint) return value instanceof Byte ? 'uint8' : 'uint64'
  if (value instanceof Struct) return structKind(value.typeName)
  return (value as Operand) instanceof Complex ? 'complex128' : 'slice'
}

function structKind(type: string): string {
  if (type.startsWith('*')) return 'ptr'
  return type.startsWith('<-chan') ? 'chan' : 'struct'
}

/** What Go's conversion from float64 gives on amd64. */
function floatToInt(value: number): Integer {
  if (!(value > -INT64_LIMIT && value < INT64_LIMIT)) return MIN_INT64
  const whole = Math.trunc(value)
  return Number.isSafeInteger(whole) ? whole + 0 : int(BigInt(whole))
}

const INT64_LIMIT = 2 ** 63
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

function textToInt(text: string): Integer {
  if (text.length > DIGITS_MAX) return 0
  // A fraction of zeros is none.
  const value = parseInteger(text.replace(/\.0+$/, ''))?.value
  return value === undefined || value < MIN_INT64 || value > MAX_INT64 ? 0 : int(value)
}

/** Longer texts are not computed: that takes time that grows with the square of their length. */
const DIGITS_MAX = 1_000

function textToFloat(text: string): number {
  const value = parseFloat(text)
  return typeof value === 'number' ? value : 0
}

/** Integers add up fast while they are small, and exactly and round the corner of 64 bits always. */
export function addInts(a: Integer, b: Integer): Integer {
  const sum = Number(a) + Number(b)
  return typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(sum) ? sum : int(BigInt(a) + BigInt(b))
}

export function multiplyInts(a: Integer, b: Integer): Integer {
  const product = Number(a) * Number(b)
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(product)) return product + 0
  return int(BigInt(a) * BigInt(b))
}
