import type { Backoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Dependency, DependencyId } from '../dependency.ts'
import { orAborted } from '../base/or-aborted.ts'
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

/** Why a watch is cut that gave a reading before. Made once: an error has a stack. */
const AGAIN = new Error('it is asked for again')

/** The watches of the store: one at most for each dependency. One that fails is started again with backoff and full jitter, for
 *  ever, or at once when somebody asks; one that gave a lease has ended. */
export class Watching {
  readonly #host: WatchingHost
  readonly #mints: Mints
  /** Those that run or are ending. */
  readonly #running = new Set<Promise<void>>()
  /** Are told of what has been answered. */
  readonly #listeners = new Set<(entry: Kept) => void>()

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
      this.#say(entry)
      // It may have been needed again before it had ended.
      if (entry.held === undefined || entry.held.isDue) this.start(entry)
    })
    this.#running.add(running)
  }

  /** Asks for all of these once more, at once, whatever their watches wait for; and resolves when each has been answered since, by a
   *  reading or an error. What is served stays until then. What a lease keeps is not asked for, nor what was made: each reading of it
   *  makes another.
   *
   *  One whose answer is on its way is asked for again after that: to cut it off could lose a lease that it brings, and who asks
   *  often enough would never be answered. Rejects with the signal's reason; what was begun goes on. */
  async refresh(entries: Iterable<Kept>, signal: AbortSignal): Promise<void> {
    const awaited = new Map<Kept, number>()
    for (const entry of entries) {
      if (this.#isMade(entry)) continue
      awaited.set(entry, entry.askAgain())
      this.#host.lastKnown.lookNow(entry)
      if (entry.answered === entry.asked) entry.cut.abort(AGAIN)
    }
    await this.#answered(awaited, signal)
  }

  /** Resolves when each of these has been answered at least once; a first reading that was put off comes now. Rejects with the
   *  signal's reason. */
  async answered(entries: Iterable<Kept>, signal: AbortSignal): Promise<void> {
    const awaited = new Map<Kept, number>()
    for (const entry of entries) {
      awaited.set(entry, 1)
      this.#host.lastKnown.lookNow(entry)
    }
    await this.#answered(awaited, signal)
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
    let isAskedFor = false
    while (!signal.aborted) {
      if (isAskedFor || entry.again.full) this.#host.providers.get(entry.dependency.provider)?.forgetFailure?.()
      const end = await this.#ask(entry, known, signal)
      known = undefined
      isAskedFor = false
      if (end === 'kept' || signal.aborted) return
      const { error, goodMs } = end
      // One that breaks soon after each reading is no better than one that gives none.
      if (goodMs >= backoff.ceilingMs) backoff = this.#host.backoff
      if (error === undefined) continue
      // What did not answer in time may have given a lease all the same.
      if (error.code === 'timeout' && this.#mints.has(entry.id)) this.#mints.note(entry.id)
      await lastKnown.recall(entry, error)
      if (signal.aborted) return
      fail(entry, error)
      entry.answered = entry.asked
      this.#say(entry)
      // Added, since a backend that is asked for too much tells everybody the same.
      const waitMs = backoff.durationMs(random) + (error.retryAfterMs ?? 0)
      isAskedFor = await entry.again.takenWithin(waitMs, clock, signal).catch(() => false)
      // A wait that was cut short says nothing of the backend.
      if (!isAskedFor) backoff = backoff.next()
    }
  }

  /** One watch, from its start to its end. */
  async #ask(entry: Kept, known: Reading | undefined, signal: AbortSignal): Promise<End> {
    const { clock } = this.#host
    entry.again.clear()
    const ask = ++entry.asked
    let goodSinceMs: number | undefined
    let isEnough = false
    const ended = (error?: ProviderError): End => ({
      error,
      goodMs: goodSinceMs === undefined ? 0 : clock.monotonicMs() - goodSinceMs,
    })
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
          entry.answered = ask
          // Who asks is content with what a lease keeps, so nobody asks for the next one.
          entry.askNoMore()
          return 'kept'
        }
        if (cut.signal.aborted) break
        goodSinceMs ??= clock.monotonicMs()
        if (entry.reading === undefined) await this.#host.lastKnown.compare(entry, reading)
        if (signal.aborted) return ended()
        this.#host.remember(entry, reading)
        entry.answered = ask
        this.#say(entry)
        if (this.#isMade(entry)) entry.askNoMore()
        else if (entry.again.full) return ended()
      }
      if (cut.signal.aborted) return ended()
      throw new ProviderError('unavailable', 'the watch ended')
    } catch (cause) {
      const isCut = cut.signal.aborted && !isEnough
      if (isCut && !(cut.signal.reason instanceof ProviderError)) return ended()
      return ended(asProviderError(isCut ? cut.signal.reason : cause))
    } finally {
      signal.removeEventListener('abort', onStop)
      cut.abort(ENOUGH)
    }
  }

  async #answered(awaited: Map<Kept, number>, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const listener = (entry: Kept) => {
      const ask = awaited.get(entry)
      if (ask === undefined) return
      if (entry.answered >= ask || this.#isMade(entry) || entry.stop.signal.aborted) awaited.delete(entry)
      if (awaited.size === 0) resolve()
    }
    this.#listeners.add(listener)
    for (const entry of awaited.keys()) listener(entry)
    try {
      if (awaited.size > 0) await orAborted(promise, signal)
    } finally {
      this.#listeners.delete(listener)
    }
  }

  /** Whether what is there was made for us and is good, so that to ask again would make another. */
  #isMade(entry: Kept): boolean {
    const { dependency, reading, error } = entry
    if (entry.isLeased) return true
    const isThere = reading !== undefined && error === undefined
    return isThere && this.#host.providers.get(dependency.provider)?.makes?.(dependency) === true
  }

  #say(entry: Kept): void {
    for (const listener of this.#listeners) listener(entry)
  }

  #readings({ id, dependency }: Kept, known: Reading | undefined, signal: AbortSignal): AsyncIterable<Reading> {
    const provider = this.#host.providers.get(dependency.provider)
    if (provider === undefined) throw unknownProvider(dependency)
    this.#mints.check(id, dependency)
    return provider.watch(dependency, signal, known)
  }
}

/** How a watch ended: a lease keeps what it read; or it failed, or was cut to be read anew at once, after so long with a reading. */
type End = 'kept' | { readonly error: ProviderError | undefined; readonly goodMs: number }

function unknownProvider({ provider }: Dependency): ProviderError {
  return new ProviderError('bad-config', `no provider is named "${provider}"`, { hint: 'add it under providers:' })
}
