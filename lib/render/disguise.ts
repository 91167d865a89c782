import { Struct, type Value } from '../base/value.ts'
import { IntMap, isList, isMap } from '../template/operand.ts'

/** Fields of a provider's pairs that are names, as everybody may see them. */
const NAMES: ReadonlySet<string> = new Set(['Key', 'Path'])

/** A value of the same shape and names in which every text, number and truth is another: what is made of both alike shows none of
 *  them. */
export function disguised(value: Value): Value {
  if (value instanceof Struct) {
    const fields = Array.from(
      value.fields,
      ([name, field]) => [name, NAMES.has(name) ? field : disguised(field)] as const,
    )
    return new Struct(value.typeName, new Map(fields))
  }
  if (isList(value)) return value.map(disguised)
  if (isMap(value)) {
    const items = Array.from(value, ([key, item]) => [key, disguised(item)] as const)
    return value instanceof IntMap ? new IntMap(items) : new Map(items)
  }
  if (typeof value === 'string') return value === 'one' ? 'another' : 'one'
  if (typeof value === 'boolean') return !value
  if (value === null) return null
  return value === 1 ? 2 : 1
}
