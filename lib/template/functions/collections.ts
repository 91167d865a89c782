import { Float, Uint, type Value } from '../../base/value.ts'
import { Channel } from '../channel.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { isList, typeName } from '../operand.ts'
import { parseInt64 } from '../strconv.ts'
import { merge } from './merge.ts'
import { define } from './sprig/define.ts'
import { COMPARISON_WEIGHT } from './sprig/same.ts'
import { includes } from './strings.ts'

/** The functions on lists and maps, named and with the order of arguments as in consul-template. */
export const collectionFunctions: readonly TemplateFunction<unknown>[] = [
  define('in LIST VALUE', ['any', 'any'], isIn),
  define('contains VALUE LIST', ['any', 'any'], (value, list) => isIn(list, value)),
  define('containsAll VALUES LIST', ['list', 'any'], (values, list, execution) =>
    values.every(within(list, execution)),
  ),
  define('containsAny VALUES LIST', ['list', 'any'], (values, list, execution) => values.some(within(list, execution))),
  define(
    'containsNone VALUES LIST',
    ['list', 'any'],
    (values, list, execution) => !values.some(within(list, execution)),
  ),
  define(
    'containsNotAll VALUES LIST',
    ['list', 'any'],
    (values, list, execution) => !values.every(within(list, execution)),
  ),
  merging('mergeMap MAP DEFAULTS', { overwrites: false }),
  merging('mergeMapWithOverride MAP OVERRIDES', { overwrites: true }),
  {
    name: 'loop',
    signature: 'loop [FROM] TO',
    parameters: [],
    variadic: 'any',
    givesChannel: true,
    call: (_, args, execution) => loop(args, execution),
  },
]

function merging(signature: string, options: { readonly overwrites: boolean }): TemplateFunction<unknown> {
  return { ...define(signature, ['map', 'map'], (map, other) => merge(map, other, options)), changesMaps: true }
}

/** Asks of many values whether a list holds each: every time, it may have to go through all of it. */
function within(list: Value, execution: Executing): (value: Value) => boolean {
  const pieces = isList(list) ? COMPARISON_WEIGHT * list.length : typeof list === 'string' ? list.length : 0
  return value => {
    execution.weigh(pieces)
    return isIn(list, value)
  }
}

/** Whether a list holds an equal integer, float or string, or a string holds another; all else is not in anything. */
function isIn(list: Value, value: Value): boolean {
  if (isList(list)) return list.some(item => isSame(item, value))
  if (typeof list !== 'string') return false
  if (value === null) throw typeOfNothing()
  return typeof value === 'string' && includes(value, list)
}

function isSame(item: Value, value: Value): boolean {
  if (typeof item === 'string') {
    if (value === null) throw typeOfNothing()
    return item === value
  }
  if (typeof item === 'number' || typeof item === 'bigint') return item === value
  return item instanceof Float && value instanceof Float && item.value === value.value
}

/** Go panics here, and says so. */
function typeOfNothing(): Error {
  return new Error('reflect: call of reflect.Value.Type on zero Value')
}

/** The integers up to but not including the last argument, from the first one or zero on. */
function loop(args: readonly Value[], execution: Executing): Value {
  if (args.length !== 1 && args.length !== 2) {
    throw new Error(`loop: wrong number of arguments, expected 1 or 2, but got ${args.length}`)
  }
  const [start, end] = args.length === 1 ? [0, args[0]] : args
  return new Channel(endOf(start, execution), endOf(end as Value, execution))
}

function endOf(value: Value, execution: Executing): bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return BigInt(value)
  if (value instanceof Uint) return BigInt.asIntN(64, value.value)
  if (typeof value !== 'string') {
    throw new Error(`loop: bad argument type: ${value === null ? '<nil>' : typeName(value)}`)
  }
  const end = value === '' ? 0n : parseInt64(value)
  if (typeof end === 'bigint') return end
  throw new Error(`parseInt: strconv.ParseInt: parsing ${execution.quoted(value, 'q')}: ${end}`)
}
