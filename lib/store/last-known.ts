import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ProviderError, ProviderErrorCode } from '../errors.ts'
import type { Provider } from '../provider.ts'
import type { Reading } from '../reading.ts'
import type { Kept } from './kept.ts'
import type { Recalled } from './keeper.ts'
import type { ShrinkGuard } from './shrink-guard.ts'

/** With these the backend is away and has said nothing about us: what was kept from before a restart is served. */
const AWAY: ReadonlySet<ProviderErrorCode> = new Set(['unavailable', 'timeout', 'rate-limited'])
/** No first reading is put off for longer, however seldom its provider looks; and after so long no start goes on. */
const PUT_OFF_MS_MAX = 60_000

export interface LastKnownHost {
  readonly providers: ReadonlyMap<string, Provider>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly guard: ShrinkGuard
  /** Takes what was kept as the reading that is served. */
  readonly serve: (entry: Kept, reading: Reading) => void
}

/** What was kept from before a restart, and when it is served: while the backend is away, while a first reading has lost too much
 *  to be believed, and until a first reading that can wait.
 *
 *  The last is for who restarts together with ten thousand others. A restart cuts off the wait between two looks at the backend, and
 *  any part of that wait was still to come: so what was kept is served for any part of a wait, and then the look is taken that
 *  would have been taken anyway. The backend sees the same rate as before, and nobody a change later than one wait after the start. */
export class LastKnown {
  readonly #host: LastKnownHost
  #recalled: Recalled | undefined
  /** Until when first readings are put off, on the monotonic clock. */
  #startEndsMs = -Infinity
  /** Until when the log says so. */
  #saidMs = -Infinity

  constructor(host: LastKnownHost) {
    this.#host = host
  }

  open(recalled: Recalled | undefined): void {
    this.#recalled = recalled
  }

  /** A start begins that may put first readings off. */
  restarted(): void {
    this.#startEndsMs = this.#host.clock.monotonicMs() + PUT_OFF_MS_MAX
  }

  /** Serves what was kept while the backend is away and there is nothing else; before the error is shown, which may quote it. */
  async recall(entry: Kept, error: ProviderError): Promise<void> {
    const isAway = AWAY.has(error.code)
    // It was served since it would do until the first reading, and there is none. While the backend is away it still will.
    if (entry.putOff !== undefined && !isAway) this.forget(entry)
    entry.putOff = undefined
    if (entry.reading !== undefined || !isAway) return
    const reading = await this.#keptBefore(entry)
    if (reading !== undefined) this.#host.serve(entry, reading)
  }

  /** Serves what there was before a reload or a restart, where the first reading after it has lost too much of that. */
  async compare(entry: Kept, reading: Reading): Promise<void> {
    const { guard, serve } = this.#host
    if (!guard.isSmall(entry.dependency, reading)) return
    const kept = guard.servedBefore(entry) ?? (await this.#keptBefore(entry))
    if (kept !== undefined && guard.isTooMuch(entry.dependency, kept, reading)) serve(entry, kept)
  }

  /** Puts the first reading off, and serves what was kept until then. Gives what was kept when it is time to look; undefined where
   *  nothing was kept or the provider looks at once, and when something could not wait.
   *  @param signal aborts when nobody wants it any more */
  async putOff(entry: Kept, signal: AbortSignal): Promise<Reading | undefined> {
    const { providers, clock, random, serve } = this.#host
    const provider = providers.get(entry.dependency.provider)
    if (provider?.everyMs === undefined || entry.reading !== undefined || clock.monotonicMs() > this.#startEndsMs) {
      return undefined
    }
    const putOff = (entry.putOff = { endsAtMs: -Infinity, over: new AbortController() })
    const cut = AbortSignal.any([signal, putOff.over.signal])
    const kept = await this.#keptBefore(entry)
    const everyMs = kept === undefined ? 0 : provider.everyMs(entry.dependency, kept)
    const isOver = signal.aborted || entry.putOff !== putOff
    if (kept === undefined || everyMs <= 0 || isOver) {
      if (!isOver) this.forget(entry)
      return undefined
    }
    const waitMs = Math.min(everyMs, PUT_OFF_MS_MAX) * random()
    putOff.endsAtMs = clock.monotonicMs() + waitMs
    entry.settled = true
    serve(entry, kept)
    await clock.sleep(waitMs, cut).catch(() => {})
    return cut.aborted ? undefined : kept
  }

  /** Has all of these read at once, as if nothing had been kept; tells whether that is any change. */
  hurry(entries: Iterable<Kept>): boolean {
    const putOff = [...entries].filter(entry => entry.putOff !== undefined)
    for (const entry of putOff) this.forget(entry)
    return putOff.length > 0
  }

  /** Puts its first reading off no more; what was kept is served until it is there. */
  lookNow({ putOff }: Kept): void {
    putOff?.over.abort(new Error('somebody asks for it'))
  }

  /** Serves it no more for its first reading being put off. */
  forget(entry: Kept): void {
    entry.putOff?.over.abort(new Error('it is put off no more'))
    entry.putOff = entry.reading = undefined
    entry.settled = false
    entry.isRecalled = false
  }

  /** Says once until when first readings are put off, when all that are wanted are known. */
  say(entries: Iterable<Kept>): void {
    const { clock, log } = this.#host
    const putOff = [...entries].flatMap(entry => entry.putOff?.endsAtMs ?? [])
    const endsMs = putOff.reduce((latest, each) => Math.max(latest, each), -Infinity)
    if (endsMs <= Math.max(this.#saidMs, clock.monotonicMs())) return
    this.#saidMs = endsMs
    const until = new Date(clock.nowMs() + endsMs - clock.monotonicMs()).toISOString()
    log.info('nothing to do, first readings are spread', { readings: putOff.length, until })
  }

  /** What was kept from before a restart, asked for once. */
  async #keptBefore(entry: Kept): Promise<Reading | undefined> {
    if (this.#recalled === undefined || entry.isRecalled) return undefined
    entry.isRecalled = true
    const reading = await this.#recalled.reading(entry.dependency)
    return entry.stop.signal.aborted ? undefined : reading
  }
}
