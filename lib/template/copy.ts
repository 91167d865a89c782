import { Struct, type Value } from '../base/value.ts'
import { Instance } from './instance.ts'
import { isList, isMap } from './operand.ts'

/** The same value, in which no map is one of the original's. */
export function copyOf(value: Value): Value {
  if (isMap(value)) return copyOfEntries(value)
  if (isList(value)) return value.map(copyOf)
  if (!(value instanceof Struct) || value instanceof Instance) return value
  return new Struct(value.typeName, copyOfEntries(value.fields))
}

function copyOfEntries(entries: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
  return new Map(Array.from(entries, ([key, value]) => [key, copyOf(value)]))
}
