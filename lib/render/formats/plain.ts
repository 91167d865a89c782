import { Float, Struct, Uint, type Value } from '../../base/value.ts'
import { Instance } from '../../template/instance.ts'
import { compareText } from '../../template/operand.ts'
import { checkText, Refusal } from './refusal.ts'

/** A value as formats see it: no structs, and every map in the order of its keys. */
export type Plain = Scalar | readonly Plain[] | PlainMap
export type PlainMap = ReadonlyMap<string, Plain>
export type Scalar = null | boolean | string | number | bigint | Uint | Float | TomlTime

/** A date or time of TOML, as it stands there: the printer of TOML writes such times without quotes. */
export class TomlTime extends Instance {
  readonly spelling: string

  constructor(spelling: string) {
    super('time.Time', {}, { text: () => spelling, inJson: () => spelling })
    this.spelling = spelling
  }
}

/** How deep maps and lists may be in each other: more than any reader takes. */
const DEPTH_MAX = 200

/** The value with its maps sorted: their order says nothing, and what is read again in another order is the same output. */
export function plainOf(value: Value, depth = 0): Plain {
  if (depth > DEPTH_MAX) {
    throw new Refusal(`maps and lists are in each other more than ${DEPTH_MAX} deep`, 'take an inner part with #FIELD')
  }
  if (isListValue(value)) return value.map(item => plainOf(item, depth + 1))
  if (value instanceof TomlTime) return value
  const entries = value instanceof Struct ? value.fields : value instanceof Map ? value : undefined
  if (entries === undefined) return value as Scalar
  const sorted = [...(entries as ReadonlyMap<string, Value>)].toSorted(([a], [b]) => compareText(a, b))
  return new Map(sorted.map(([key, item]) => [key, plainOf(item, depth + 1)]))
}

function isListValue(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

export function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value)
}

export function isMap(value: Plain): value is PlainMap {
  return value instanceof Map
}

/** The map that a format wants. */
export function mapFor(format: string, value: Plain): PlainMap {
  if (isMap(value)) return value
  const got = isList(value) ? 'a list' : value === null ? 'nothing' : 'a single value'
  throw new Refusal(
    `want a map of keys for ${format}, got ${got}`,
    'refer to a map, to one inside it with #FIELD, or use format: raw',
  )
}

/** Calls `visit` for a value and all that is in it, with where that is: `a.b[0]`. */
export function eachPlace(value: Plain, visit: (place: string, item: Plain) => void, place = ''): void {
  visit(place, value)
  if (isMap(value)) {
    for (const [key, item] of value) eachPlace(item, visit, place === '' ? key : `${place}.${key}`)
  } else if (isList(value)) {
    for (const [i, item] of value.entries()) eachPlace(item, visit, `${place}[${i}]`)
  }
}

/** Throws a Refusal where a key or a text is bytes that are no UTF-8. */
export function checkAllText(value: Plain, format: string, above = ''): void {
  eachPlace(
    value,
    (place, item) => {
      if (typeof item === 'string') checkText(place, item, format)
      checkText(place, place, format)
    },
    above,
  )
}

/** A scalar as a text without quotes; nothing is empty. Integers keep all their digits, floats are written as in JSON. */
export function textOf(scalar: Scalar): string {
  if (scalar === null) return ''
  if (scalar instanceof TomlTime) return scalar.spelling
  if (scalar instanceof Uint) return String(scalar.value)
  if (scalar instanceof Float) return Object.is(scalar.value, -0) ? '-0' : String(scalar.value)
  return String(scalar)
}
