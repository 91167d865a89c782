import { Float, Uint, type Value } from '../../base/value.ts'
import { nilMap } from '../argument.ts'
import { isList, isMap } from '../operand.ts'

type ValueMap = ReadonlyMap<string, Value>

/** Adds to a map what another one has beside or instead, all the way down, as Go's mergo does it: what is empty (zero, `""`, false,
 *  no items) counts as missing. Gives the first map. */
export function merge(into: ValueMap, from: ValueMap, { overwrites }: { readonly overwrites: boolean }): ValueMap {
  const merged = into === nilMap ? new Map<string, Value>() : (into as Map<string, Value>)
  const wasEmpty = into.size === 0
  for (const [key, value] of from) {
    const present = merged.get(key)
    if (value === null) {
      if (overwrites) merged.set(key, null)
      continue
    }
    if (isMap(value) && isMap(present) && !(wasEmpty && present.size === 0)) {
      if (present.size === 0 && !overwrites) merged.set(key, value)
      else merge(present, value, { overwrites })
    } else if (overwrites || present === undefined || isEmpty(present)) {
      merged.set(key, value)
    }
  }
  return merged
}

function isEmpty(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return true
  if (isMap(value)) return value.size === 0
  if (isList(value)) return value.length === 0
  if (value instanceof Float) return value.value === 0
  return value instanceof Uint && value.value === 0n
}
