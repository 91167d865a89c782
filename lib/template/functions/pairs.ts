import { Struct, type Value } from '../../base/value.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { IntMap, isList, isMap, sortedKeys, typeName } from '../operand.ts'
import { parseInt64 } from '../strconv.ts'
import { define } from './sprig/define.ts'

/** The functions on what Consul's functions answer: pairs of key and value, and services. */
export const pairFunctions: readonly TemplateFunction<unknown>[] = [
  define('byKey PAIRS', ['list'], byKey),
  define('explode PAIRS', ['list'], (pairs, execution) => {
    const entries = pairs.map(pair => structOf(pair, KEY_PAIR))
    return explode(
      'explode',
      entries.map(({ fields }) => [textIn(fields, 'Key'), fields.get('Value') ?? null]),
      execution,
    )
  }),
  {
    ...define('explodeMap MAP', ['map'], (map, execution) => {
      const entries = sortedKeys(map).map(key => [key, map.get(key) ?? null] as const)
      return explode('explodeMap', entries, execution)
    }),
    // What is exploded may go into a map that was a value.
    changesMaps: true,
  },
  define('byTag SERVICES', ['any'], services => {
    const groups = new Map<string, Value[]>()
    for (const service of structsOf('byTag', services, TAGGED)) {
      const tags = service.fields.get('Tags') ?? service.fields.get('ServiceTags') ?? []
      for (const tag of tags as readonly string[]) add(groups, tag, service)
    }
    return groups
  }),
  define('byPort SERVICES', ['any'], services => {
    const groups = new IntMap() as Map<string, Value[]>
    for (const service of structsOf('byPort', services, WITH_PORT)) {
      const port = service.fields.get('Port') ?? service.fields.get('ServicePort')
      add(groups, String(typeof port === 'number' ? port : 0), service)
    }
    return groups
  }),
  define('byMeta KEYS SERVICES', ['string', 'list'], byMeta),
]

const KEY_PAIR = '*dependency.KeyPair'
const HEALTH_SERVICE = '*dependency.HealthService'
const TAGGED: readonly string[] = [
  '*dependency.CatalogSnippet',
  '*dependency.CatalogService',
  HEALTH_SERVICE,
  '*dependency.NomadServicesSnippet',
  '*dependency.NomadService',
]
const WITH_PORT: readonly string[] = ['*dependency.CatalogService', HEALTH_SERVICE, '*dependency.NomadService']

function add(groups: Map<string, Value[]>, key: string, service: Struct): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [service])
  else group.push(service)
}

function structOf(value: Value, type: string): Struct {
  if (value instanceof Struct && value.typeName === type) return value
  throw new Error(value === null ? `expected ${type}; found nil` : `expected ${type}; got ${typeName(value)}`)
}

/** The items of a list, which Go would have the type of the first. */
function structsOf(name: string, list: Value, types: readonly string[]): readonly Struct[] {
  if (list === null) return []
  if (!isList(list)) throw new Error(`${name}: wrong argument type ${typeName(list)}`)
  const [first = null] = list
  if (list.length === 0) return []
  const type = typeName(first)
  const items = list.map(item => {
    if (item !== null && typeName(item) === type) return item
    throw new Error(item === null ? `expected ${type}; found nil` : `expected ${type}; got ${typeName(item)}`)
  })
  if (!types.includes(type)) throw new Error(`${name}: wrong argument type []${type}`)
  return items as readonly Struct[]
}

function textIn(fields: ReadonlyMap<string, Value>, name: string): string {
  return (fields.get(name) ?? '') as string
}

/** By the first part of their keys, and there by the rest. */
function byKey(pairs: readonly Value[]): Value {
  const groups = new Map<string, Map<string, Value>>()
  for (const pair of pairs) {
    const { typeName: type, fields } = structOf(pair, KEY_PAIR)
    const key = textIn(fields, 'Key')
    const slash = key.indexOf('/')
    const rest = slash < 0 ? '' : key.slice(slash + 1)
    if (rest === '') continue
    const top = key.slice(0, slash)
    const group = groups.get(top) ?? new Map<string, Value>()
    groups.set(top, group.set(rest, shortened(pair as Struct, type, rest)))
  }
  return groups
}

/** What a pair is below its first part: the same for the same pair, so that of a long list what did not change is found unchanged
 *  without a look into it. */
const below = new WeakMap<Struct, Struct>()

function shortened(pair: Struct, type: string, key: string): Struct {
  const known = below.get(pair)
  if (known !== undefined) return known
  const short = new Struct(type, new Map([...pair.fields, ['Key', key]]))
  below.set(pair, short)
  return short
}

/** How many parts a key has. */
const PARTS_MAX = 1_000

/** Maps in maps, one for each part of a key. */
function explode(name: string, entries: readonly (readonly [string, Value])[], execution: Executing): Value {
  const root = new Map<string, Value>()
  for (const [path, value] of entries) {
    const parts = path.split('/')
    if (parts.length > PARTS_MAX) throw new Error(`${name}: a key has more than ${PARTS_MAX} parts`)
    let map = root
    for (const [i, part] of parts.slice(0, -1).entries()) {
      const present = map.get(part) ?? (map.has(part) ? null : new Map<string, Value>())
      if (!isMap(present)) {
        const place = `${execution.quoted(parts.slice(Math.max(i - 1, 0)).join('/'), 'q')}: ${execution.quoted(part, 'q')}`
        throw new Error(`${name}: not a map: ${place} already has value ${quotedValue(present, execution)}`)
      }
      map.set(part, present)
      map = present as Map<string, Value>
    }
    const last = parts.at(-1) as string
    if (last !== '') map.set(last, value)
  }
  return root
}

function quotedValue(value: Value, execution: Executing): string {
  return value === null ? '%!q(<nil>)' : execution.quoted(value, 'q')
}

/** What looking up metadata counts for each letter of their names, of which one may be all of a name. */
const NAME_WEIGHT = 16

/** By the values of some of their metadata, joined; `KEY|int` for numbers, so that they sort. */
function byMeta(keys: string, services: readonly Value[], execution: Executing): Value {
  const groups = new Map<string, Value[]>()
  for (const each of services) {
    const service = structOf(each, HEALTH_SERVICE)
    // The names may be many, and are looked up for each service.
    execution.weigh(NAME_WEIGHT * keys.length)
    const meta = service.fields.get('ServiceMeta')
    const parts = keys.split(',').map(key => {
      const isNumber = key.endsWith('|int')
      const name = isNumber ? key.slice(0, -4) : key
      const found = isMap(meta ?? null) ? textIn(meta as ReadonlyMap<string, Value>, name) : ''
      if (isNumber) return padded(found === '' ? '0' : found, execution)
      return found === '' ? `_no_${name}_` : found
    })
    add(groups, parts.map(part => part.replaceAll(/[^a-zA-Z0-9_-]/gu, '_')).join('_'), service)
  }
  return groups
}

function padded(text: string, execution: Executing): string {
  const value = parseInt64(text)
  if (typeof value === 'bigint') {
    const digits = String(value < 0n ? -value : value)
    return value < 0n ? `-${digits.padStart(4, '0')}` : digits.padStart(5, '0')
  }
  const problem = `strconv.Atoi: parsing ${execution.quoted(text, 'q')}: ${value}`
  throw new Error(`cannot parse ${execution.quoted(text)} as number : ${problem}`)
}
