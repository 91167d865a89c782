import { Float, Struct, Uint, type Value } from '../../../base/value.ts'
import type { Executing } from '../../function.ts'
import { Instance } from '../../instance.ts'
import { Byte, isList, isMap } from '../../operand.ts'

/** Go's `reflect.DeepEqual`: also the types must be the same, no NaN is like another, and 0 is like -0. */
export function sameAs(a: Value, b: Value, execution: Executing): boolean {
  if (a === b) return !(a instanceof Float) || !Number.isNaN(a.value)
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false
    // A template can make a list that holds another twice, which holds another twice.
    execution.weigh(a.length + ITEM_WEIGHT)
    return a.every((item, i) => sameAs(item, b[i] as Value, execution))
  }
  if (isMap(a)) return isMap(b) && sameEntries(a, b, execution)
  if (a instanceof Float) return b instanceof Float && a.value === b.value
  if (a instanceof Uint) return b instanceof Uint && a.value === b.value && a instanceof Byte === b instanceof Byte
  if (a instanceof Instance) return b instanceof Instance && a.typeName === b.typeName && a.text?.() === b.text?.()
  return (
    a instanceof Struct &&
    b instanceof Struct &&
    a.typeName === b.typeName &&
    sameEntries(a.fields, b.fields, execution)
  )
}

/** What comparing two values counts that are not looked into. */
export const COMPARISON_WEIGHT = 8

/** What looking into one more value counts, beside its items. */
export const ITEM_WEIGHT = 64

function sameEntries(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>, execution: Executing): boolean {
  if (a.size !== b.size) return false
  execution.weigh(a.size + ITEM_WEIGHT)
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !sameAs(value, other, execution)) return false
  }
  return true
}
