import type { Value } from '../../../base/value.ts'
import { nilMap } from '../../argument.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { isList, isMap, isTrue, sortedKeys } from '../../operand.ts'
import { toText, typeOf } from './casts.ts'
import { alsoAs, define, defineVariadic } from './define.ts'
import { checkItems } from './limits.ts'
import { ITEM_WEIGHT, sameAs } from './same.ts'

type Dict = ReadonlyMap<string, Value>

/** The functions on maps. As in sprig, `set`, `unset` and the ones that merge change the map that they are given. */
export const dictFunctions: readonly TemplateFunction<unknown>[] = [
  defineVariadic('dict KEY VALUE…', [], 'any', (...values) => dict(values)),
  define('get MAP KEY', ['map', 'string'], (map, key) => map.get(key) ?? (map.has(key) ? null : '')),
  changing(define('set MAP KEY VALUE', ['map', 'string', 'any'], (map, key, value) => changeable(map).set(key, value))),
  changing(
    define('unset MAP KEY', ['map', 'string'], (map, key) => {
      changeable(map).delete(key)
      return map
    }),
  ),
  define('hasKey MAP KEY', ['map', 'string'], (map, key) => map.has(key)),
  defineVariadic('pluck KEY MAP…', ['string'], 'map', (key, ...maps) =>
    maps.filter(map => map.has(key)).map(map => map.get(key) as Value),
  ),
  // Sprig gives them in the order of Go's maps, which is none.
  defineVariadic('keys MAP…', [], 'map', (...maps) => maps.flatMap(sortedKeys)),
  define('values MAP', ['map'], map => sortedKeys(map).map(key => map.get(key) as Value)),
  defineVariadic('pick MAP KEY…', ['map'], 'string', (map, ...keys) => {
    return new Map(keys.filter(key => map.has(key)).map(key => [key, map.get(key) as Value]))
  }),
  defineVariadic('omit MAP KEY…', ['map'], 'string', (map, ...keys) => {
    return new Map([...map].filter(([key]) => !keys.includes(key)))
  }),
  ...alsoAs(merging('merge', false), 'mustMerge'),
  ...alsoAs(merging('mergeOverwrite', true), 'mustMergeOverwrite'),
  defineVariadic('dig KEY… DEFAULT MAP', [], 'any', (...values) => dig(values)),
  ...alsoAs(define('deepCopy VALUE', ['any'], deepCopy), 'mustDeepCopy'),
  define('deepEqual VALUE VALUE', ['any', 'any'], (a, b, execution) => sameAs(a, b, execution)),
]

function changing(each: TemplateFunction<unknown>): TemplateFunction<unknown> {
  return { ...each, changesMaps: true }
}

/** A template that calls what changes maps has copies of all that is not its own. Nil is nobody's, and becomes a new map. */
function changeable(map: Dict): Map<string, Value> {
  return map === nilMap ? new Map() : (map as Map<string, Value>)
}

function dict(values: readonly Value[]): Dict {
  const made = new Map<string, Value>()
  for (let i = 0; i < values.length; i += 2)
    made.set(toText(values[i] as Value), i + 1 < values.length ? (values[i + 1] as Value) : '')
  return made
}

function merging(name: string, overwrites: boolean): TemplateFunction<unknown> {
  return changing({
    name,
    signature: `${name} MAP MAP…`,
    parameters: ['map'],
    variadic: 'map',
    call(_, [map, ...others], execution) {
      const merged = changeable(map as Dict)
      for (const other of others) new Merge(overwrites, execution).into(merged, other as Dict)
      return merged
    },
  })
}

class Merge {
  readonly #overwrites: boolean
  readonly #execution: Executing

  constructor(overwrites: boolean, execution: Executing) {
    this.#overwrites = overwrites
    this.#execution = execution
  }

  /** What is nil or empty counts as not there, on the left; maps that both have are merged in their turn. */
  into(map: Map<string, Value>, other: Dict): void {
    this.#execution.weigh(other.size + ITEM_WEIGHT)
    for (const [key, value] of other) {
      const before = map.get(key)
      if (value === null) {
        if (this.#overwrites) map.set(key, null)
        continue
      }
      if (isMap(value) && before !== undefined && isMap(before)) {
        this.into(changeable(before), value)
        if (before.size > 0) continue
      }
      if (this.#overwrites || before === undefined || !isTrue(before)) map.set(key, value)
    }
  }
}

function dig(values: readonly Value[]): Value {
  if (values.length < 3) throw new Error('dig needs at least three arguments')
  let found: Value = mapOf(values.at(-1) as Value)
  const otherwise = values.at(-2) as Value
  const keys = values.slice(0, -2).map(textOf)
  for (const key of keys) {
    const map = mapOf(found)
    if (!map.has(key)) return otherwise
    found = map.get(key) as Value
  }
  return found
}

function mapOf(value: Value): Dict {
  if (isMap(value)) return value
  throw conversion(value, 'map[string]interface {}')
}

function textOf(value: Value): string {
  if (typeof value === 'string') return value
  throw conversion(value, 'string')
}

function conversion(value: Value, type: string): Error {
  return new Error(`interface conversion: interface {} is ${value === null ? 'nil' : typeOf(value)}, not ${type}`)
}

function deepCopy(value: Value): Value {
  if (value === null) throw new Error('reflect: call of reflect.Value.Type on zero Value')
  let count = 0
  const copy = (original: Value): Value => {
    if (!isList(original) && !isMap(original)) return original
    count += isList(original) ? original.length : original.size
    checkItems(count)
    return isList(original) ? original.map(copy) : new Map(Array.from(original, ([key, item]) => [key, copy(item)]))
  }
  return copy(value)
}
