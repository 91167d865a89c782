import { Float, sameValue, Struct, Uint, type Value } from '../base/value.ts'
import { Complex } from './complex.ts'
import { Instance } from './instance.ts'
import { compareText, isList, isMap, typeName, type Operand } from './operand.ts'

/** How values are shown in errors: as themselves, or as their types. */
export type Quoted = (operand: Operand, verb?: 'v' | 's') => string

/** Whether two operands are equal. Throws an Error on types that do not compare. */
export function isEqual(a: Operand, b: Operand, quoted: Quoted): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b
  if (isInteger(a) && isInteger(b)) return a === b || compareIntegers(a, b) === 0
  const left = basicKind(a)
  if (left !== basicKind(b)) {
    if (isNil(a) || isNil(b)) return false
    throw new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`)
  }
  if (typeof a === 'boolean') return a === b
  if (a instanceof Float && b instanceof Float) return a.value === b.value
  if (a instanceof Complex && b instanceof Complex) return a.real === b.real && a.imaginary === b.imaginary
  return isEqualComposite(a, b, quoted)
}

function isEqualComposite(a: Operand, b: Operand, quoted: Quoted): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b)
  const [left, right] = [a as Value, b as Value]
  if (compositeKind(left) !== compositeKind(right)) {
    throw new Error(
      `non-comparable types ${quoted(left, 's')}: ${typeName(left)}, ${typeName(right)}: ${quoted(right)}`,
    )
  }
  if (!isComparable(right)) throw new Error(`non-comparable type ${quoted(right, 's')}: ${typeName(right)}`)
  if (left instanceof Instance && right instanceof Instance) return isSame(left, right)
  return sameValue(left, right)
}

/** Pointers are equal when they point to the same, other values when they print the same. */
function isSame(a: Instance, b: Instance): boolean {
  if (a === b || a.typeName !== b.typeName || a.typeName.startsWith('*')) return a === b
  return a.text !== undefined && a.text() === b.text?.()
}

/** Lists and maps are not, nor is what holds one. */
function isComparable(value: Value): boolean {
  return (
    !isList(value) && !isMap(value) && (!(value instanceof Struct) || [...value.fields.values()].every(isComparable))
  )
}

/** Whether `a` is less than `b`. Throws an Error on types that have no order or not the same. */
export function isLess(a: Operand, b: Operand): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b
  const left = basicKind(a)
  const right = basicKind(b)
  if (left === 'none' || right === 'none') throw new Error('invalid type for comparison')
  if (isInteger(a) && isInteger(b)) return compareIntegers(a, b) < 0
  if (left !== right) throw new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`)
  if (typeof a === 'string') return compareText(a, b as string) < 0
  if (a instanceof Float && b instanceof Float) return a.value < b.value
  throw new Error('invalid type for comparison')
}

type Integer = number | bigint | Uint

function isInteger(operand: Operand): operand is Integer {
  return typeof operand === 'number' || typeof operand === 'bigint' || operand instanceof Uint
}

function compareIntegers(a: Integer, b: Integer): number {
  const left = a instanceof Uint ? a.value : a
  const right = b instanceof Uint ? b.value : b
  return left < right ? -1 : left > right ? 1 : 0
}

function isNil(operand: Operand): boolean {
  return operand === null || operand === undefined
}

function basicKind(operand: Operand): 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string' | 'none' {
  switch (typeof operand) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'number':
    case 'bigint':
      return 'int'
    default:
  }
  if (operand instanceof Uint) return 'uint'
  if (operand instanceof Float) return 'float'
  return operand instanceof Complex ? 'complex' : 'none'
}

function compositeKind(value: Value): 'list' | 'map' | 'struct' {
  return isList(value) ? 'list' : isMap(value) ? 'map' : 'struct'
}
