import { forEachConcurrent } from '../../lib/base/concurrent.ts'
import type { Cluster } from './cluster.ts'
import { Refusal } from './failure.ts'
import { integer, type Event } from './wire.ts'

/** How many leases are remembered; the oldest goes first. */
const LEASES_MAX = 20_000
const CONCURRENT = 8
/** Of a lease that has ended meanwhile, or that we may not ask about; etcd says the same. */
const UNKNOWN_TTL = -1

/** For how long leases were granted. What is left of one changes all the time and is no value; this never changes. */
export class Leases {
  readonly #cluster: Cluster
  readonly #ttls = new Map<string, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Asks about the leases in these events that are not known yet. */
  async learn(events: readonly Event[], signal: AbortSignal): Promise<void> {
    const leases = new Set(events.flatMap(({ kv }) => kv?.lease ?? []).filter(lease => !this.#ttls.has(lease)))
    if (leases.size === 0) return
    await forEachConcurrent(leases, CONCURRENT, async lease => {
      this.#keep(lease, await this.#ask(lease, signal))
    })
  }

  ttlOf(lease: string): number {
    return this.#ttls.get(lease) ?? UNKNOWN_TTL
  }

  /** Whoever may read a key may be kept from asking about its lease; that is no reason not to have the key. */
  async #ask(lease: string, signal: AbortSignal): Promise<number> {
    try {
      const { grantedTTL } = await this.#cluster.call<TimeToLive>('/v3/lease/timetolive', { ID: lease }, signal)
      return grantedTTL === undefined ? UNKNOWN_TTL : integer(grantedTTL)
    } catch (error) {
      if (error instanceof Refusal && error.code === 'forbidden') return UNKNOWN_TTL
      throw error
    }
  }

  #keep(lease: string, ttl: number): void {
    this.#ttls.set(lease, ttl)
    if (this.#ttls.size <= LEASES_MAX) return
    this.#ttls.delete(this.#ttls.keys().next().value as string)
  }
}

interface TimeToLive {
  readonly grantedTTL?: string
}
