import { randomBytes } from 'node:crypto'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { OperationalError, ProviderError } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import type { Reading } from '../../lib/reading.ts'
import { Changes } from './changes.ts'
import { Cluster } from './cluster.ts'
import { failure } from './failure.ts'
import { Gap, type Following } from './following.ts'
import { Leases } from './leases.ts'
import { accessOf, type Access, type EtcdOptions } from './options.ts'
import { PREFIX } from './questions.ts'
import { rangeOf, type Range } from './range.ts'
import { readRange, readStand } from './read.ts'
import { Snapshot } from './snapshot.ts'

/** A second gap that soon is a failure: the store asks again, and takes its time. */
const HELD_MS = 1_000

/** Keys of etcd, read once and then followed.
 *
 *  A range is read at one revision and each of its events after that is applied, which is as good as another read: etcd tells of
 *  every change, in order and by whole revisions. On any doubt that it did (the connection broke, the revision was
 *  compacted, a look now and then finds another state) the range is read anew. */
export class EtcdProvider implements Provider {
  readonly #options: EtcdOptions
  readonly #host: ProviderHost
  readonly #cluster: Cluster
  readonly #changes: Changes
  readonly #leases: Leases
  /** Of this process alone: a revision is shown, and a short secret could be guessed from its plain hash. */
  readonly #revisionKey: Uint8Array | undefined

  private constructor(options: EtcdOptions, access: Access, host: ProviderHost) {
    const { heartbeatMs, timeoutMs, sensitive } = options
    this.#options = options
    this.#host = host
    this.#cluster = new Cluster(access, options, host)
    this.#changes = new Changes({ cluster: this.#cluster, clock: host.clock, heartbeatMs, timeoutMs })
    this.#leases = new Leases(this.#cluster)
    this.#revisionKey = sensitive ? randomBytes(32) : undefined
  }

  static open(options: EtcdOptions, host: ProviderHost): EtcdProvider {
    const access = accessOf(options, host.environment)
    if (typeof access !== 'string') return new EtcdProvider(options, access, host)
    throw new ProviderError('bad-config', `${host.name}: ${access}`, {
      hint: 'correct it, or say it in the configuration, which wins over the environment',
    })
  }

  async *watch(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    const range = rangeOf(dependency, this.#options.prefix)
    for (let gapMs = -HELD_MS; ;) {
      try {
        yield* this.#readAndFollow(dependency.kind, range, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof Gap)) throw failure(showDependency(dependency), error)
        const nowMs = this.#host.clock.monotonicMs()
        if (error.failure !== undefined && nowMs - gapMs < HELD_MS) {
          throw failure(showDependency(dependency), error.failure)
        }
        gapMs = nowMs
      }
    }
  }

  async check(signal: AbortSignal): Promise<Health> {
    try {
      const { version } = await this.#cluster.call<{ version?: string }>('/v3/maintenance/status', {}, signal)
      return { ok: true, message: `etcd ${version ?? ''} answers` }
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      return { ok: false, message: error.message }
    }
  }

  async close(): Promise<void> {
    this.#changes.close()
    this.#cluster.close()
  }

  /** Ends by throwing: a `Gap` when the range must be read anew. */
  async *#readAndFollow(kind: string, range: Range, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    let snapshot = await this.#read(kind, range, signal)
    const following = this.#changes.follow(range, snapshot.revision + 1)
    try {
      yield this.#reading(snapshot)
      for (;;) {
        const events = await this.#events(following, snapshot, signal)
        if (kind === PREFIX) await this.#leases.learn(events, signal)
        snapshot = snapshot.after(events)
        yield this.#reading(snapshot)
      }
    } finally {
      this.#changes.leave(following)
    }
  }

  async #read(kind: string, range: Range, signal: AbortSignal): Promise<Snapshot> {
    const { revision, kvs } = await readRange(this.#cluster, range, signal)
    if (kind === PREFIX)
      await this.#leases.learn(
        kvs.map(kv => ({ kv })),
        signal,
      )
    const making = { range, revisionKey: this.#revisionKey, ttlOf: (lease: string) => this.#leases.ttlOf(lease) }
    return Snapshot.of(making, revision, kvs)
  }

  /** What has happened since the snapshot, as soon as there is something. Looks now and then whether something was not told. */
  async #events(following: Following, snapshot: Snapshot, signal: AbortSignal) {
    for (;;) {
      const events = following.take()
      if (events.length > 0) return events
      if (await following.bell.takenWithin(this.#pollMs(), this.#host.clock, signal)) continue
      const { count, newest } = await readStand(this.#cluster, following.range, signal)
      if (following.bell.full || (count === snapshot.count && newest === snapshot.newest)) continue
      throw new Gap('a change was not told')
    }
  }

  #pollMs(): number {
    return this.#options.pollMs * (0.9 + 0.2 * this.#host.random())
  }

  #reading(snapshot: Snapshot): Reading {
    const { sensitive } = this.#options
    return { ...snapshot.content(), observedAtMs: this.#host.clock.nowMs(), sensitive }
  }
}
