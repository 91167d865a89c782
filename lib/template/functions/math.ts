import { Float, int, Uint, type Value } from '../../base/value.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { typeName } from '../operand.ts'
import { define } from './sprig/define.ts'

/** The functions on numbers, in consul-template's order: the first operand comes last, for pipes. */
export const mathFunctions: readonly TemplateFunction<unknown>[] = [
  arithmetic('add', {
    ints: (a, b) => a + b,
    floats: (a, b) => a + b,
  }),
  arithmetic('subtract', {
    ints: (a, b) => a - b,
    floats: (a, b) => a - b,
  }),
  arithmetic('multiply', {
    ints: (a, b) => a * b,
    floats: (a, b) => a * b,
  }),
  arithmetic('divide', {
    ints: (a, b) => {
      if (b === 0n) throw new Error('runtime error: integer divide by zero')
      return a / b
    },
    floats: (a, b) => a / b,
  }),
  arithmetic('modulo', {
    ints: (a, b) => {
      if (b === 0n) throw new Error('runtime error: integer divide by zero')
      return a % b
    },
  }),
  choice('minimum', (a, b) => a < b),
  choice('maximum', (a, b) => a > b),
]

type Number64 = number | bigint | Uint | Float

interface Operation {
  readonly ints: (a: bigint, b: bigint) => bigint
  /** @default floats are no numbers to it */
  readonly floats?: (a: number, b: number) => number
}

function arithmetic(name: string, operation: Operation): TemplateFunction<unknown> {
  const hasFloats = operation.floats !== undefined
  return define(`${name} B A`, ['any', 'any'], (b, a, execution) => {
    const [left, right] = checked({ name, hasFloats, execution }, a, b)
    return compute(operation, left, right)
  })
}

/** Two integers of one type give one of it, two of both types a signed one, and a float makes a float. */
function compute({ ints, floats }: Operation, a: Number64, b: Number64): Value {
  if (floats !== undefined && (a instanceof Float || b instanceof Float)) {
    return new Float(floats(toNumber(a), toNumber(b)))
  }
  if (floats !== undefined && typeof a === 'number' && typeof b === 'number') {
    const exact = floats(a, b)
    if (Number.isSafeInteger(exact)) return exact + 0
  }
  if (a instanceof Uint && b instanceof Uint) return new Uint(ints(a.value, b.value))
  return int(ints(toBigint(a), toBigint(b)))
}

/** The chosen one of two numbers, as it was. */
function choice(name: string, isFirst: (a: number | bigint, b: number | bigint) => boolean): TemplateFunction<unknown> {
  return define(`${name} B A`, ['any', 'any'], (b, a, execution) => {
    const [left, right] = checked({ name, hasFloats: true, execution }, a, b)
    const hasFloat = left instanceof Float || right instanceof Float
    const areUnsigned = left instanceof Uint && right instanceof Uint
    const toOrdered = hasFloat ? toNumber : areUnsigned ? (each: Number64) => (each as Uint).value : toBigint
    return isFirst(toOrdered(left), toOrdered(right)) ? left : right
  })
}

interface Check {
  readonly name: string
  readonly hasFloats: boolean
  readonly execution: Executing
}

function checked(check: Check, a: Value, b: Value): readonly [Number64, Number64] {
  for (const each of [a, b]) if (!isNumber(each, check.hasFloats)) throw wrongType(check, each)
  return [a as Number64, b as Number64]
}

function isNumber(value: Value, hasFloats: boolean): boolean {
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint) return true
  return hasFloats && value instanceof Float
}

function wrongType({ name, execution }: Check, value: Value): Error {
  const shown = value === null ? '<invalid reflect.Value>' : execution.quoted(value, 'q')
  return new Error(`${name}: unknown type for ${shown} (${value === null ? '<nil>' : typeName(value)})`)
}

function toNumber(value: Number64): number {
  if (value instanceof Float) return value.value
  return Number(value instanceof Uint ? value.value : value)
}

/** A uint64 that is too large for an int64 becomes negative, as in Go. */
function toBigint(value: Number64): bigint {
  if (value instanceof Uint) return BigInt.asIntN(64, value.value)
  return BigInt(value as number | bigint)
}
