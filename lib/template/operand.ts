import { toBytes } from '../base/text.ts'
import { Float, Struct, Uint, type Value } from '../base/value.ts'
import { Complex } from './complex.ts'
import { pending, type Pending } from './function.ts'

/** What an expression gives while a template executes. `undefined` is Go's invalid value, as of a missing key: it prints as
 *  `<no value>`, whereas `null` is a nil that is there. Once either has been through a pipeline, both are `undefined`. */
export type Operand = Value | Complex | Pending | undefined

/** A byte of a string, what indexing one gives: Go's uint8. */
export class Byte extends Uint {}

/** A map whose keys are ints, which stand in it as their decimal text: `map[int][]interface {}`. */
export class IntMap extends Map<string, Value> {}

/** The type as Go names it. */
export function typeName(operand: Operand): string {
  if (operand === null || operand === undefined) return 'interface {}'
  switch (typeof operand) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
    case 'bigint':
      return 'int'
    case 'symbol':
      return 'pending'
    default:
  }
  if (operand instanceof IntMap) return 'map[int][]interface {}'
  if (operand instanceof Map) return 'map[string]interface {}'
  if (operand instanceof Struct) return operand.typeName
  if (operand instanceof Float) return 'float64'
  if (operand instanceof Byte) return 'uint8'
  if (operand instanceof Uint) return 'uint64'
  return operand instanceof Complex ? 'complex128' : '[]interface {}'
}

export function isList(operand: Operand): operand is readonly Value[] {
  return Array.isArray(operand)
}

export function isMap(operand: Operand): operand is ReadonlyMap<string, Value> {
  return operand instanceof Map
}

/** Whether `if` takes it for true: what is neither nil, zero nor empty. Pending is not. */
export function isTrue(operand: Operand): boolean {
  switch (typeof operand) {
    case 'string':
      return operand !== ''
    case 'boolean':
      return operand
    case 'number':
      return operand !== 0
    case 'bigint':
      return operand !== 0n
    case 'undefined':
      return false
    case 'symbol':
      return operand !== pending
    default:
  }
  if (operand === null) return false
  if (operand instanceof Map) return operand.size > 0
  if (isList(operand)) return operand.length > 0
  if (operand instanceof Float) return operand.value !== 0
  if (operand instanceof Uint) return operand.value !== 0n
  return operand instanceof Complex ? operand.real !== 0 || operand.imaginary !== 0 : true
}

/** Orders strings as Go does: by their bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    // UTF-16 units order as UTF-8 bytes do, but for surrogates: those stand for what comes after U+FFFF.
    if (left < 0xd800 && right < 0xd800) return left - right
    if (!a.isWellFormed() || !b.isWellFormed()) return compareBytes(a, b)
    return (a.codePointAt(i) as number) - (b.codePointAt(i) as number) || left - right
  }
  return a.length - b.length
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(toBytes(a), toBytes(b))
}

/** The keys of a map in the order that templates see. */
export function sortedKeys(map: ReadonlyMap<string, Value>): readonly string[] {
  if (map instanceof IntMap) return [...map.keys()].toSorted((a, b) => Number(a) - Number(b))
  return [...map.keys()].toSorted(compareText)
}
