/** What a reading holds and what a template works on: Go's values, in JavaScript.
 *
 *  | Go                | here                                                              |
 *  | ----------------- | ----------------------------------------------------------------- |
 *  | nil               | `null`                                                            |
 *  | bool              | `boolean`                                                         |
 *  | int, int64        | `number` when it is a safe integer, else `bigint` (see `int()`)   |
 *  | uint64            | `Uint`                                                            |
 *  | float64           | `Float`                                                           |
 *  | string, []byte    | `string`; bytes that are not UTF-8 travel as lone surrogates, see `text.ts` |
 *  | slice, array      | `readonly Value[]`                                                |
 *  | map[string]any    | `ReadonlyMap<string, Value>`                                      |
 *  | struct            | `Struct`                                                          |
 *
 *  A bare `number` is always an integer: integers are what configurations are full of, so they are the ones that cost
 *  nothing, and floats are the ones that are wrapped. That is how int64, uint64 and float64 stay distinct. */
export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | Uint
  | Float
  | Struct
  | readonly Value[]
  | ReadonlyMap<string, Value>

/** A float64. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** A uint64; `value` is never negative and at most 2^64-1. */
export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = BigInt.asUintN(64, value)
  }
}

/** A record with a fixed set of fields, in their order, as Go's structs have: a missing field is an error, not "no value". */
export class Struct {
  /** As Go prints it in errors, `dependency.KeyPair` say. */
  readonly typeName: string
  readonly fields: ReadonlyMap<string, Value>
  // Not a part of what it is: two that differ in nothing else are the same.
  readonly #open: ReadonlySet<string> | undefined
  /** @param open the fields that may be shown where the others are secret, such as names and versions; none when left out */
  constructor(typeName: string, fields: ReadonlyMap<string, Value>, open?: ReadonlySet<string>) {
    this.typeName = typeName
    this.fields = fields
    this.#open = open
  }
  /** Whether a field may be shown where others are secret; nothing is known of that after a restart. */
  isOpen(field: string): boolean {
    return this.#open?.has(field) === true
  }
}

/** One file of a tree: its bytes, and its permission bits where the source has them. */
export interface TreeFile {
  readonly content: Uint8Array
  readonly mode?: number
}

/** A directory's files by their path below it, `/` between the parts: one commit of Git, one directory on disk. Files that
 *  did not change between two readings are the same object, so that consumers can tell by identity. */
export class Tree {
  readonly files: ReadonlyMap<string, TreeFile>
  constructor(files: ReadonlyMap<string, TreeFile>) {
    this.files = files
  }
}

/** The canonical int64 of `value`: a number where that is exact, else a bigint; wraps round as Go's arithmetic does. */
export function int(value: bigint): number | bigint {
  const wrapped = BigInt.asIntN(64, value)
  return wrapped >= MIN_SAFE && wrapped <= MAX_SAFE ? Number(wrapped) : wrapped
}

const MIN_SAFE = BigInt(Number.MIN_SAFE_INTEGER)
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Whether two values are the same, all the way down. A list or map equals another of the same entries in any identity. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i] as Value))
  }
  if (a instanceof Map) return b instanceof Map && sameEntries(a, b)
  if (a instanceof Float) return b instanceof Float && Object.is(a.value, b.value)
  if (a instanceof Uint) return b instanceof Uint && a.value === b.value
  if (a instanceof Struct) return b instanceof Struct && a.typeName === b.typeName && sameEntries(a.fields, b.fields)
  return false
}

function sameEntries(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !sameValue(value, other)) return false
  }
  return true
}

/** A JavaScript value (of JSON, YAML, TOML) as one of ours. Numbers that are integers become ints, those too
 *  large for that floats; dates become their ISO text. */
export function toValue(input: unknown): Value {
  switch (typeof input) {
    case 'string':
    case 'boolean':
      return input
    case 'number':
      return Number.isSafeInteger(input) && !Object.is(input, -0) ? input : new Float(input)
    case 'bigint':
      if (input > MAX_UINT64 || input < MIN_INT64) return new Float(Number(input))
      return input > MAX_INT64 ? new Uint(input) : int(input)
    case 'object':
      if (input === null) return null
      if (input instanceof Float || input instanceof Uint || input instanceof Struct) return input
      if (input instanceof Date) return input.toISOString()
      if (Array.isArray(input)) return input.map(toValue)
      if (input instanceof Map) return new Map([...input].map(([key, value]) => [String(key), toValue(value)]))
      return new Map(Object.entries(input).map(([key, value]) => [key, toValue(value)]))
    default:
      return null
  }
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n
