import { ProviderError } from '../../lib/errors.ts'
import type { Cluster } from './cluster.ts'
import { Refusal } from './failure.ts'
import type { Range } from './range.ts'
import { integer, type KeyValue, type RangeResponse } from './wire.ts'

/** Keys in one answer; more are asked for at the same revision. */
const PAGE = 2_000
/** What one reading may hold. */
const KEYS_MAX = 50_000
const BYTES_MAX = 64 * 1024 * 1024
/** How often a read is begun anew because its revision was compacted away before its last page. */
const COMPACTED_MAX = 3

export interface RangeRead {
  readonly revision: number
  readonly kvs: readonly KeyValue[]
}

/** All keys of a range as they are at one revision, which is the newest at the start. Rejects with an OperationalError. */
export async function readRange(cluster: Cluster, range: Range, signal: AbortSignal): Promise<RangeRead> {
  for (let compacted = 0; ; compacted++) {
    try {
      return await readPages(cluster, range, signal)
    } catch (error) {
      if (!(error instanceof Refusal) || !error.isCompacted || compacted >= COMPACTED_MAX) throw error
    }
  }
}

async function readPages(cluster: Cluster, range: Range, signal: AbortSignal): Promise<RangeRead> {
  const kvs: KeyValue[] = []
  let revision = 0
  let bytes = 0
  let start = range.key
  for (;;) {
    const page = { key: start, range_end: range.rangeEnd, limit: PAGE, ...(revision > 0 && { revision }) }
    const answer = await cluster.call<RangeResponse>('/v3/kv/range', page, signal)
    if (revision === 0) revision = integer(answer.header?.revision)
    checkBound('keys', integer(answer.count) + kvs.length, KEYS_MAX)
    const found = answer.kvs ?? []
    for (const { key = '', value = '' } of found) bytes += ((key.length + value.length) / 4) * 3
    checkBound('bytes', Math.round(bytes), BYTES_MAX)
    kvs.push(...found)
    const last = found.at(-1)?.key
    if (answer.more !== true || last === undefined) return { revision, kvs }
    start = Buffer.concat([Buffer.from(last, 'base64'), Buffer.alloc(1)]).toString('base64')
  }
}

function checkBound(what: string, found: number, bound: number): void {
  if (found <= bound) return
  throw new ProviderError('invalid-data', `there are ${found} ${what} or more, and at most ${bound} are read`, {
    hint: 'ask for a longer path',
  })
}

/** How many keys a range has now, and the revision of the newest. */
export interface Stand {
  readonly count: number
  readonly newest: number
}

export async function readStand(cluster: Cluster, { key, rangeEnd }: Range, signal: AbortSignal): Promise<Stand> {
  const request = { key, range_end: rangeEnd, limit: 1, sort_target: 'MOD', sort_order: 'DESCEND', keys_only: true }
  const { count, kvs = [] } = await cluster.call<RangeResponse>('/v3/kv/range', request, signal)
  return { count: integer(count), newest: integer(kvs[0]?.mod_revision) }
}
