import type { Backoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Dependency, DependencyId } from '../dependency.ts'
import { asProviderError, ProviderError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import type { Reading } from '../reading.ts'
import { ENOUGH, type Kept } from './kept.ts'
import type { LastKnown } from './last-known.ts'
import { Mints } from './mints.ts'

export interface WatchingHost {
  readonly providers: ReadonlyMap<string, Provider>
  readonly clock: Clock
  readonly random: Random
  readonly backoff: Backoff
  readonly lastKnown: LastKnown
  /** Whether nobody who wants it is in a hurry. */
  readonly canWait: (id: DependencyId) => boolean
  /** Takes a reading with a lease, whose keeping needs no watch. */
  readonly take: (entry: Kept, reading: Reading) => Promise<void>
  readonly remember: (entry: Kept, reading: Reading) => void
  readonly fail: (entry: Kept, error: ProviderError) => void
}

/** The watches of the store: one at most for each dependency. One that fails is started again with backoff and full jitter, for
 *  ever; one that gave a lease has ended. */
export class Watching {
  readonly #host: WatchingHost
  readonly #mints: Mints
  /** Those that run or are ending. */
  readonly #running = new Set<Promise<void>>()

  constructor(host: WatchingHost) {
    this.#host = host
    this.#mints = new Mints(host.clock)
  }

  /** Starts a watch where none runs; it ends with `entry.stop`. */
  start(entry: Kept): void {
    if (entry.isWatched || entry.stop.signal.aborted) return
    entry.isWatched = true
    const running = this.#watch(entry, entry.stop.signal).finally(() => {
      this.#running.delete(running)
      entry.isWatched = false
      // It may have been needed again before it had ended.
      if (entry.held === undefined || entry.held.isDue) this.start(entry)
    })
    this.#running.add(running)
  }

  /** Resolves when every watch that was stopped has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Reads until a lease keeps what was read, or nobody wants it any more. */
  async #watch(entry: Kept, signal: AbortSignal): Promise<void> {
    const { clock, random, lastKnown, canWait, fail } = this.#host
    let backoff = this.#host.backoff
    let known = canWait(entry.id) ? await lastKnown.putOff(entry, signal) : undefined
    while (!signal.aborted) {
      const end = await this.#ask(entry, known, signal)
      known = undefined
      if (end === 'kept' || signal.aborted) return
      if (end === 'cut') continue
      const { error, goodMs } = end
      // What did not answer in time may have given a lease all the same.
      if (error.code === 'timeout' && this.#mints.has(entry.id)) this.#mints.note(entry.id)
      await lastKnown.recall(entry, error)
      if (signal.aborted) return
      fail(entry, error)
      // One that breaks soon after each reading is no better than one that gives none.
      if (goodMs >= backoff.ceilingMs) backoff = this.#host.backoff
      // Added, since a backend that is asked for too much tells everybody the same.
      const waitMs = backoff.durationMs(random) + (error.retryAfterMs ?? 0)
      backoff = backoff.next()
      await clock.sleep(waitMs, signal).catch(() => {})
    }
  }

  /** One watch, from its start to its end. */
  async #ask(entry: Kept, known: Reading | undefined, signal: AbortSignal): Promise<End> {
    const { clock } = this.#host
    let goodSinceMs: number | undefined
    let isEnough = false
    const cut = (entry.cut = new AbortController())
    const onStop = () => cut.abort(signal.reason)
    signal.addEventListener('abort', onStop, { once: true })
    try {
      for await (const reading of this.#readings(entry, known, cut.signal)) {
        entry.putOff = undefined
        if (reading.lease !== undefined) {
          isEnough = true
          cut.abort(ENOUGH)
          this.#mints.note(entry.id)
          await this.#host.take(entry, reading)
          return 'kept'
        }
        if (cut.signal.aborted) break
        goodSinceMs ??= clock.monotonicMs()
        if (entry.reading === undefined) await this.#host.lastKnown.compare(entry, reading)
        if (signal.aborted) return 'cut'
        this.#host.remember(entry, reading)
      }
      if (cut.signal.aborted) return 'cut'
      throw new ProviderError('unavailable', 'the watch ended')
    } catch (cause) {
      const isCut = cut.signal.aborted && !isEnough
      if (isCut && !(cut.signal.reason instanceof ProviderError)) return 'cut'
      const goodMs = goodSinceMs === undefined ? 0 : clock.monotonicMs() - goodSinceMs
      return { error: asProviderError(isCut ? cut.signal.reason : cause), goodMs }
    } finally {
      signal.removeEventListener('abort', onStop)
      cut.abort(ENOUGH)
    }
  }

  #readings({ id, dependency }: Kept, known: Reading | undefined, signal: AbortSignal): AsyncIterable<Reading> {
    const provider = this.#host.providers.get(dependency.provider)
    if (provider === undefined) throw unknownProvider(dependency)
    this.#mints.check(id, dependency)
    return provider.watch(dependency, signal, known)
  }
}

/** What ended a watch: a lease keeps what it read; it is to be read anew at once, or never; it failed, after so long with a reading. */
type End = 'kept' | 'cut' | { readonly error: ProviderError; readonly goodMs: number }

function unknownProvider({ provider }: Dependency): ProviderError {
  return new ProviderError('bad-config', `no provider is named "${provider}"`, { hint: 'add it under providers:' })
}
