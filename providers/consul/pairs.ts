import { fromBytes } from '../../lib/base/text.ts'
import { Struct, Uint, type Value } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'
import { contentRevision } from '../../lib/reading.ts'
import type { Answer } from './api.ts'
import { PAIR } from './kv-questions.ts'

/** One key of Consul's JSON; the value is base64, and null where it is empty. */
interface WirePair {
  readonly Key: string
  readonly Value: string | null
  readonly CreateIndex: number
  readonly ModifyIndex: number
  readonly LockIndex: number
  readonly Flags: number
  readonly Session?: string
}

/** One key and what it holds. What did not change between two answers is the same object. */
export interface Pair {
  readonly key: string
  /** The key's bytes, each as one character: their order is Consul's. */
  readonly order: string
  readonly wire: WirePair
  /** Over all that the pair holds. */
  readonly hash: string
  readonly value: string
}

/** What one reading may hold. */
const KEYS_MAX = 50_000
const BYTES_MAX = 64 * 1024 * 1024

/** The keys of an answer, in the order of their bytes, as it was at one index. */
export class Pairs {
  readonly index: number
  readonly #sorted: readonly Pair[]
  readonly #byKey: ReadonlyMap<string, Pair>

  private constructor(index: number, sorted: readonly Pair[]) {
    this.index = index
    this.#sorted = sorted
    this.#byKey = new Map(sorted.map(pair => [pair.key, pair]))
  }

  /** The keys of an answer, which shares with the one before it what is the same, so that a change costs what has changed.
   *  @param hashKey where the values are sensitive
   *  Throws an `invalid-data` ProviderError. */
  static of(answer: Answer, before: Pairs | undefined, hashKey: Uint8Array | undefined): Pairs {
    const wires = answer.status === 404 ? [] : parsed(answer)
    checkBound('keys', wires.length, KEYS_MAX)
    checkBound(
      'bytes',
      wires.reduce((bytes, { Value }) => bytes + ((Value?.length ?? 0) / 4) * 3, 0),
      BYTES_MAX,
    )
    const pairs = wires.map(wire => {
      const known = before?.get(wire.Key)
      return known !== undefined && sameWire(known.wire, wire) ? known : pairOf(wire, hashKey)
    })
    return new Pairs(Number(answer.headers.get('x-consul-index') ?? 0), pairs)
  }

  get(key: string): Pair | undefined {
    return this.#byKey.get(key)
  }

  /** Those whose key begins with a prefix. */
  below(prefix: string): readonly Pair[] {
    if (prefix === '') return this.#sorted
    const order = orderOf(prefix)
    const start = placeOf(this.#sorted, order)
    let end = start
    while (this.#sorted[end]?.order.startsWith(order) === true) end++
    return this.#sorted.slice(start, end)
  }
}

/** The first place whose key is not before this one. */
function placeOf(pairs: readonly Pair[], order: string): number {
  let [low, high] = [0, pairs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pairs[middle] as Pair).order < order) low = middle + 1
    else high = middle
  }
  return low
}

function parsed({ body }: Answer): readonly WirePair[] {
  const text = body.toString('utf8')
  try {
    const found = JSON.parse(text, LARGE_NUMBER.test(text) ? (exactly as Reviver) : undefined) as unknown
    if (Array.isArray(found) && found.every(isWirePair)) return found
  } catch {
    // Below, for both: V8's own words would quote the text.
  }
  throw new ProviderError('invalid-data', 'the answer is no list of keys')
}

function isWirePair(item: unknown): item is WirePair {
  if (typeof item !== 'object' || item === null) return false
  const { Key, Value } = item as Partial<WirePair>
  return typeof Key === 'string' && (Value === null || typeof Value === 'string')
}

/** Flags are any uint64, and all other numbers are small: so numbers are read with their spelling only where one is as long. */
const LARGE_NUMBER = /[:\s]\d{16,}[,\s}]/

type Reviver = (key: string, value: unknown) => unknown

function exactly(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) ? BigInt(context.source ?? value) : value
}

function sameWire(a: WirePair, b: WirePair): boolean {
  return (
    a.ModifyIndex === b.ModifyIndex &&
    a.Value === b.Value &&
    a.CreateIndex === b.CreateIndex &&
    a.LockIndex === b.LockIndex &&
    a.Flags === b.Flags &&
    a.Session === b.Session
  )
}

function pairOf(wire: WirePair, hashKey: Uint8Array | undefined): Pair {
  const { Key, Value, CreateIndex, ModifyIndex, LockIndex, Flags, Session } = wire
  const content = [Key, Value, CreateIndex, ModifyIndex, LockIndex, String(Flags), Session]
  return {
    key: Key,
    order: orderOf(Key),
    wire,
    hash: contentRevision(JSON.stringify(content), hashKey),
    value: Value === null ? '' : fromBytes(Buffer.from(Value, 'base64')),
  }
}

function orderOf(key: string): string {
  return Buffer.byteLength(key, 'utf8') === key.length ? key : Buffer.from(key, 'utf8').toString('latin1')
}

function checkBound(what: string, found: number, bound: number): void {
  if (found <= bound) return
  throw new ProviderError('invalid-data', `there are ${Math.round(found)} ${what}, and at most ${bound} are read`, {
    hint: 'ask for a longer path',
  })
}

/** People are told of a key by its path; and an index of four digits would mask whatever else is that number. */
const OPEN: ReadonlySet<string> = new Set(['Path', 'Key', 'CreateIndex', 'ModifyIndex', 'LockIndex'])

/** consul-template's pair. @param shownKey the key as who asked sees it */
export function structOf({ key, wire, value }: Pair, shownKey: string, exists = false): Struct {
  const fields: readonly (readonly [string, Value])[] = [
    ['Path', key],
    ['Key', shownKey],
    ['Value', value],
    ...(exists ? [['Exists', true] as const] : []),
    ['CreateIndex', uint(wire.CreateIndex)],
    ['ModifyIndex', uint(wire.ModifyIndex)],
    ['LockIndex', uint(wire.LockIndex)],
    ['Flags', uint(wire.Flags)],
    ['Session', wire.Session ?? ''],
  ]
  return new Struct(PAIR, new Map(fields), OPEN)
}

function uint(value: number | bigint | undefined): Uint {
  return new Uint(BigInt(value ?? 0))
}
