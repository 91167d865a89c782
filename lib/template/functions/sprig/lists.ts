import type { Value } from '../../../base/value.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { compareText, isList, isTrue } from '../../operand.ts'
import { kindOf, toInt, toText } from './casts.ts'
import { alsoAs, define, defineVariadic } from './define.ts'
import { checkItems, nilDereference } from './limits.ts'
import { COMPARISON_WEIGHT, sameAs } from './same.ts'
import { textsOf } from './strings.ts'

/** The functions on lists. Each gives a new list, but what is in it is the same. */
export const listFunctions: readonly TemplateFunction<unknown>[] = [
  ...alsoAs(
    defineVariadic('list VALUE…', [], 'any', (...values) => values),
    'tuple',
  ),
  ...withMust(define('first LIST', ['any'], list => itemsOf(list, 'Cannot find first on type')[0] ?? null)),
  ...withMust(define('last LIST', ['any'], list => itemsOf(list, 'Cannot find last on type').at(-1) ?? null)),
  ...withMust(define('rest LIST', ['any'], list => itemsOf(list, 'Cannot find rest on type').slice(1))),
  ...withMust(define('initial LIST', ['any'], list => itemsOf(list, 'Cannot find initial on type').slice(0, -1))),
  ...withMust(
    define('append LIST VALUE', ['any', 'any'], (list, value) => [...itemsOf(list, 'Cannot push on type'), value]),
    'push',
  ),
  ...withMust(
    define('prepend LIST VALUE', ['any', 'any'], (list, value) => [value, ...itemsOf(list, 'Cannot prepend on type')]),
  ),
  ...withMust(define('reverse LIST', ['any'], list => itemsOf(list, 'Cannot find reverse on type').toReversed())),
  ...withMust(define('compact LIST', ['any'], list => itemsOf(list, 'Cannot compact on type').filter(isTrue))),
  ...withMust(
    define('uniq LIST', ['any'], (list, execution) => unique(itemsOf(list, 'Cannot find uniq on type'), execution)),
  ),
  ...withMust({
    name: 'without',
    signature: 'without LIST VALUE…',
    parameters: ['any'],
    variadic: 'any',
    call: (_, [list = null, ...values], execution) => without(list, values, execution),
  }),
  ...withMust(define('has VALUE LIST', ['any', 'any'], (value, list, execution) => has(list, value, execution))),
  ...withMust(defineVariadic('slice LIST [START [END]]', ['any'], 'any', (list, ...indexes) => sliced(list, indexes))),
  ...withMust(define('chunk SIZE LIST', ['int', 'any'], (size, list) => chunks(list, Number(size)))),
  defineVariadic('concat LIST…', [], 'any', (...lists) => concat(lists)),
  define('sortAlpha LIST', ['any'], list => (isList(list) ? textsOf(list).toSorted(compareText) : [toText(list)])),
]

/** Both are the same here: what would be swallowed is reported. */
function withMust(each: TemplateFunction<unknown>, ...names: readonly string[]): readonly TemplateFunction<unknown>[] {
  return alsoAs(
    each,
    ...[each.name, ...names].map(name => `must${name.charAt(0).toUpperCase()}${name.slice(1)}`),
    ...names,
  )
}

function itemsOf(list: Value, complaint: string, ending = ''): readonly Value[] {
  if (isList(list)) return list
  if (list === null) throw nilDereference()
  throw new Error(`${complaint} ${kindOf(list)}${ending}`)
}

function unique(items: readonly Value[], execution: Executing): readonly Value[] {
  const kept: Value[] = []
  const plain = new Set<Value>()
  for (const item of items) {
    // Most are strings and numbers, of which a set finds the same.
    if (isPlain(item) ? plain.has(item) : contains(kept, item, execution)) continue
    if (isPlain(item)) plain.add(item)
    kept.push(item)
  }
  return kept
}

function isPlain(value: Value): boolean {
  return value === null || typeof value !== 'object'
}

function contains(items: readonly Value[], value: Value, execution: Executing): boolean {
  execution.weigh(COMPARISON_WEIGHT * items.length)
  return isPlain(value) ? items.includes(value) : items.some(item => sameAs(item, value, execution))
}

function without(list: Value, values: readonly Value[], execution: Executing): readonly Value[] {
  const items = itemsOf(list, 'Cannot find without on type')
  const plain = new Set(values.filter(isPlain))
  const others = values.filter(value => !isPlain(value))
  return items.filter(item => !(isPlain(item) ? plain.has(item) : contains(others, item, execution)))
}

function has(list: Value, value: Value, execution: Executing): boolean {
  return list !== null && contains(itemsOf(list, 'Cannot find has on type'), value, execution)
}

function sliced(list: Value, [from = 0, to]: readonly Value[]): Value {
  const items = itemsOf(list, 'list should be type of slice or array but')
  if (items.length === 0) return null
  const start = toInt(from)
  const end = to === undefined ? items.length : toInt(to)
  if (start < 0 || end < start || end > items.length) {
    throw new Error('reflect.Value.Slice: slice index out of bounds')
  }
  return items.slice(Number(start), Number(end))
}

function chunks(list: Value, size: number): readonly Value[] {
  const items = itemsOf(list, 'Cannot chunk type')
  const count = Math.floor((items.length - 1) / size) + 1
  // A size below zero is one only of a last part that has items of its own: the rest that a division leaves.
  const isSize = size > 0 || count === 0 || (count === 1 && items.length % size > 0)
  if (!(count >= 0 && count < Infinity && isSize)) throw new Error('runtime error: makeslice: len out of range')
  return Array.from({ length: count }, (_, i) => items.slice(i * size, i === count - 1 ? undefined : (i + 1) * size))
}

function concat(lists: readonly Value[]): readonly Value[] {
  const all = lists.map(list => {
    if (list !== null && !isList(list)) throw new Error(`Cannot concat type ${kindOf(list)} as list`)
    return itemsOf(list, '')
  })
  checkItems(all.reduce((sum, items) => sum + items.length, 0))
  return all.flat()
}
