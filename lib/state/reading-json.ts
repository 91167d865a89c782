import { Float, Struct, Tree, Uint, type Value } from '../base/value.ts'
import type { KeptLease, Lease, Reading } from '../reading.ts'

/** Readings as JSON, without loss. Text, booleans, null, lists and ints that are plain numbers stand for themselves; the rest is
 *  an object with one key, which says what it is. */
function toJson(value: Value | Tree): unknown {
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? { int: String(value) } : value
  if (Array.isArray(value)) return (value as readonly Value[]).map(toJson)
  if (value instanceof Map) return { map: entries(value as ReadonlyMap<string, Value>) }
  if (value instanceof Uint) return { uint: String(value.value) }
  // JSON has no infinity and no negative zero.
  if (value instanceof Float) return { float: Object.is(value.value, -0) ? '-0' : String(value.value) }
  if (value instanceof Struct) return { struct: [value.typeName, entries(value.fields)] }
  if (!(value instanceof Tree)) throw new TypeError('not a value')
  const files = [...value.files].map(([path, { content, mode }]) => [
    path,
    Buffer.from(content).toString('base64'),
    mode ?? null,
  ])
  return { tree: files }
}

function entries(map: ReadonlyMap<string, Value>): readonly unknown[] {
  const all: unknown[] = []
  for (const [name, value] of map) all.push([name, toJson(value)])
  return all
}

/** The inverse of `toJson`. What it reads has been authenticated, so it was written by `toJson`; throws on what is not. */
function fromJson(json: unknown): Value | Tree {
  if (json === null || typeof json !== 'object') {
    if (json === undefined) throw new TypeError('not a value')
    return json as Value
  }
  if (Array.isArray(json)) return json.map(item => fromJson(item) as Value)
  const [[kind, inner] = []] = Object.entries(json) as [string, unknown][]
  switch (kind) {
    case 'int':
      return BigInt(inner as string)
    case 'uint':
      return new Uint(BigInt(inner as string))
    case 'float':
      return new Float(Number(inner))
    case 'map':
      return mapOf(inner)
    case 'struct': {
      const [name, fields] = inner as [string, unknown]
      return new Struct(name, mapOf(fields))
    }
    case 'tree':
      return new Tree(
        new Map(
          (inner as [string, string, number | null][]).map(([path, base64, mode]) => {
            const content = Buffer.from(base64, 'base64')
            return [path, mode === null ? { content } : { content, mode }]
          }),
        ),
      )
    default:
      throw new TypeError('not a value')
  }
}

function mapOf(json: unknown): ReadonlyMap<string, Value> {
  return new Map((json as [string, unknown][]).map(([name, value]) => [name, fromJson(value) as Value]))
}

export function readingToJson({ value, revision, observedAtMs, sensitive, cursor }: Reading): unknown {
  if (typeof value === 'symbol') throw new TypeError('what is absent is not kept')
  return { value: toJson(value), revision, observedAtMs, sensitive, cursor }
}

export function readingFromJson(json: unknown, lease?: Lease): Reading {
  const { value, revision, observedAtMs, sensitive, cursor } = json as Omit<Reading, 'value'> & {
    readonly value: unknown
  }
  return {
    value: fromJson(value),
    revision,
    observedAtMs,
    sensitive,
    ...(cursor === undefined ? {} : { cursor }),
    ...(lease === undefined ? {} : { lease }),
  }
}

export function leaseToJson({ reading, ...rest }: KeptLease): unknown {
  return reading === undefined ? rest : { ...rest, reading: readingToJson(reading) }
}

export function leaseFromJson(json: unknown): KeptLease {
  const { reading, ...rest } = json as Omit<KeptLease, 'reading'> & { readonly reading?: unknown }
  return { ...rest, reading: reading === undefined ? undefined : readingFromJson(reading, rest.lease) }
}
