import { fromBytes } from '../../lib/base/text.ts'
import { int, Struct, type Value } from '../../lib/base/value.ts'
import { absent, contentRevision, type Reading } from '../../lib/reading.ts'
import { Gap } from './following.ts'
import { PAIR } from './questions.ts'
import type { Range } from './range.ts'
import { bytesOf, integer, type Event, type KeyValue } from './wire.ts'

/** What a snapshot is made with. */
export interface Making {
  readonly range: Range
  /** Keys the hashes that are shown, where the values are sensitive. */
  readonly revisionKey: Uint8Array | undefined
  /** For how many seconds a lease was granted. */
  readonly ttlOf: (lease: string) => number
}

interface Entry {
  /** The key's bytes, each as one character: so their order is etcd's. */
  readonly key: string
  readonly modRevision: number
  readonly createRevision: number
  /** How often it has been put since it was made. */
  readonly version: number
  readonly pair: Struct
  /** 64 bits of a hash over all that the pair holds. */
  readonly hash: bigint
}

/** The keys of a range as they were at one revision. It is never changed: what happens later makes another, which shares with it all
 *  pairs that are the same, so that a change costs what has changed and not what is there. */
export class Snapshot {
  readonly revision: number
  readonly #making: Making
  readonly #entries: readonly Entry[]
  /** The hashes of all entries, added bit by bit: the same whatever the order in which they came. */
  readonly #hash: bigint

  private constructor(making: Making, revision: number, entries: readonly Entry[], hash: bigint) {
    this.#making = making
    this.revision = revision
    this.#entries = entries
    this.#hash = hash
  }

  /** @param kvs in the order of their keys, as etcd gives them */
  static of(making: Making, revision: number, kvs: readonly KeyValue[]): Snapshot {
    const entries = kvs.map(kv => entryOf(making, kv))
    const hash = entries.reduce((sum, entry) => sum ^ entry.hash, 0n)
    return new Snapshot(making, revision, entries, hash)
  }

  /** What comes of these events, which are all that happened after this snapshot, up to the newest of them. Throws a `Gap` where they
   *  cannot be all. */
  after(events: readonly Event[]): Snapshot {
    const entries = [...this.#entries]
    let { revision } = this
    let hash = this.#hash
    for (const { type, kv = {} } of events) {
      const modRevision = integer(kv.mod_revision)
      if (modRevision <= this.revision) continue
      revision = Math.max(revision, modRevision)
      const key = bytesOf(kv.key).toString('latin1')
      const at = placeOf(entries, key)
      const before = entries[at]?.key === key ? entries[at] : undefined
      if (!follows(before, type, kv)) throw new Gap('a change before this one was not told')
      const now = type === 'DELETE' ? [] : [entryOf(this.#making, kv)]
      entries.splice(at, before === undefined ? 0 : 1, ...now)
      hash ^= (before?.hash ?? 0n) ^ (now[0]?.hash ?? 0n)
    }
    return new Snapshot(this.#making, revision, entries, hash)
  }

  get count(): number {
    return this.#entries.length
  }

  /** The revision of the newest key. With the count it tells whether anything has changed: a put raises it, and a removal without
   *  a put makes them fewer. */
  get newest(): number {
    return this.#entries.reduce((newest, { modRevision }) => Math.max(newest, modRevision), 0)
  }

  /** The reading's value and revision. Revisions of etcd alone are not enough: a cluster that is made anew counts from one again. */
  content(): Pick<Reading, 'value' | 'revision' | 'why'> {
    const isOne = this.#making.range.rangeEnd === undefined
    if (this.count === 0) return { value: absent, revision: 'absent', why: isOne ? NO_KEY : NO_KEYS }
    const revision = `${this.newest}.${this.#hash.toString(16).padStart(16, '0')}`
    const pairs = this.#entries.map(({ pair }) => pair)
    return { value: isOne ? (pairs[0]?.fields.get('Value') ?? null) : pairs, revision }
  }
}

const NO_KEY = 'there is no such key'
const NO_KEYS = 'there are no keys below it'

/** Whether an event is the next of its key: etcd counts what happens to a key since it was made. */
function follows(before: Entry | undefined, type: Event['type'], kv: KeyValue): boolean {
  if (type === 'DELETE') return before !== undefined
  const [created, version] = [integer(kv.create_revision), integer(kv.version)]
  return before === undefined ? version === 1 : created === before.createRevision && version === before.version + 1
}

/** Where a key stands, or would. */
function placeOf(entries: readonly Entry[], key: string): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle] as Entry).key < key) low = middle + 1
    else high = middle
  }
  return low
}

/** People are told of a key by its path; and a revision of four digits would mask whatever else is that number. */
const OPEN: ReadonlySet<string> = new Set(['Path', 'Key', 'CreateRevision', 'ModRevision', 'Version', 'Lease', 'TTL'])

function entryOf({ range, revisionKey, ttlOf }: Making, kv: KeyValue): Entry {
  const [key, value] = [bytesOf(kv.key), bytesOf(kv.value)]
  const lease = kv.lease ?? '0'
  const fields: readonly (readonly [string, Value])[] = [
    ['Path', fromBytes(key.subarray(range.hiddenBytes))],
    ['Key', fromBytes(key.subarray(range.sharedBytes))],
    ['Value', fromBytes(value)],
    ['CreateRevision', integer(kv.create_revision)],
    ['ModRevision', integer(kv.mod_revision)],
    ['Version', integer(kv.version)],
    ['Lease', int(BigInt(lease))],
    ['TTL', lease === '0' ? 0 : ttlOf(lease)],
  ]
  const content = JSON.stringify([kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, lease])
  return {
    key: key.toString('latin1'),
    modRevision: integer(kv.mod_revision),
    createRevision: integer(kv.create_revision),
    version: integer(kv.version),
    pair: new Struct(PAIR, new Map(fields), OPEN),
    hash: BigInt(`0x${contentRevision(content, revisionKey)}`),
  }
}
