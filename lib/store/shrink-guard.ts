import type { Clock } from '../base/clock.ts'
import { formatDurationMs } from '../base/duration.ts'
import type { Log } from '../base/log.ts'
import { Tree } from '../base/value.ts'
import { dependencyId, showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import { ProviderError } from '../errors.ts'
import { absent, type Reading, type ServedReading } from '../reading.ts'
import type { HeldBackStatus } from '../status.ts'
import type { HeldBack, Kept } from './kept.ts'

/** How long a reading anew may take: a provider has its own, shorter time, so this one is for what keeps to none. */
const ANEW_MS_MAX = 5 * 60_000

/** What the readings of a provider may lose at once. */
export interface ShrinkLimit {
  /** How long what has lost more is held back. */
  readonly holdMs: number
  /** The part of its entries that may go; to lose all of them is always too much. */
  readonly share: number
}

export interface ShrinkGuardHost {
  /** By provider; what has none is believed at once. */
  readonly limits: ReadonlyMap<string, ShrinkLimit>
  /** By provider, what it reads from. */
  readonly identities: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly log: Log
}

/** Holds back, for a while, what has become empty or lost too much at once.
 *
 *  A backend without its leader, or one that was restored from half a copy, answers "nothing" like any other; to believe that at
 *  once publishes blank files. What shrinks is compared with what is served, and when its time is over it is read anew: only
 *  a second reading that has lost too much is believed. Until one comes, whatever fails, what was there before is served. */
export class ShrinkGuard {
  readonly #host: ShrinkGuardHost
  /** What was served before a reload, until there is a reading that takes its place. */
  readonly #before = new Map<DependencyId, ServedReading>()

  constructor(host: ShrinkGuardHost) {
    this.#host = host
  }

  /** Whether a reading may take the place of what is served. For one that may not, the watch is cut when its time is over, and the
   *  next reading decides. */
  admits(entry: Kept, reading: Reading): boolean {
    const { dependency, heldBack, reading: before } = entry
    // A lease decides for itself how long its reading is served.
    const isTooMuch = entry.held === undefined && before !== undefined && this.isTooMuch(dependency, before, reading)
    if (isTooMuch && heldBack === undefined) {
      this.#holdBack(entry, reading)
      return false
    }
    if (isTooMuch && heldBack !== undefined && !heldBack.isOver) {
      heldBack.reading = reading
      return false
    }
    if (isTooMuch) this.#sayBelieved(entry, reading)
    else if (heldBack !== undefined)
      this.#host.log.info('not held back any more', { dependency: showDependency(dependency) })
    this.forget(entry)
    return true
  }

  /** Whether `after` has lost more of what `before` held than it may at once. */
  isTooMuch({ provider }: Dependency, before: Reading, after: Reading): boolean {
    const limit = this.#host.limits.get(provider)
    const [had, has] = [entriesIn(before), entriesIn(after)]
    if (limit === undefined || had === undefined || has === undefined || had === 0) return false
    return has === 0 || had - has > had * limit.share
  }

  /** Whether a first reading is so small that it takes a look at what there was before the start. */
  isSmall({ provider }: Dependency, reading: Reading): boolean {
    const limit = this.#host.limits.get(provider)
    const has = entriesIn(reading)
    return limit !== undefined && has !== undefined && (has === 0 || limit.share < 1)
  }

  /** Takes up what was served before a reload, as far as its provider still reads from the same. */
  restore(served: readonly ServedReading[]): void {
    for (const each of served) {
      const { dependency, identity } = each
      if (this.#host.identities.get(dependency.provider) === identity) this.#before.set(dependencyId(dependency), each)
    }
  }

  /** What was served of it before a reload. */
  servedBefore({ id }: Kept): Reading | undefined {
    return this.#before.get(id)?.reading
  }

  /** Keeps what is served and could shrink, for `handOver`. */
  keep(entries: Iterable<Kept>): void {
    for (const { id, dependency, reading, held, heldBack } of entries) {
      const identity = this.#host.identities.get(dependency.provider)
      if (identity === undefined || reading === undefined || held !== undefined) continue
      if (this.#host.limits.has(dependency.provider) && (entriesIn(reading) ?? 0) > 0)
        this.#before.set(id, { dependency, identity, reading, heldSinceMs: heldBack?.sinceMs })
    }
  }

  handOver(): readonly ServedReading[] {
    return [...this.#before.values()]
  }

  /** Nothing else is wanted: what was served of other dependencies can go. */
  retain(wanted: ReadonlyMap<DependencyId, unknown>): void {
    for (const id of this.#before.keys()) if (!wanted.has(id)) this.#before.delete(id)
  }

  /** Holds nothing of it back any more: nobody cares. */
  forget(entry: Kept): void {
    entry.heldBack?.stop.abort(new Error('it is not held back any more'))
    entry.heldBack = undefined
    this.#before.delete(entry.id)
  }

  /** What is held back of it, for people. */
  status({ dependency, reading, heldBack }: Kept): HeldBackStatus | undefined {
    if (heldBack === undefined || reading === undefined) return undefined
    const leftMs = Math.max(0, heldBack.endsAtMs - this.#host.clock.monotonicMs())
    return { dependency: showDependency(dependency), ...counts(reading, heldBack.reading), leftMs }
  }

  #holdBack(entry: Kept, reading: Reading): void {
    const { limits, clock, log } = this.#host
    const nowMs = clock.monotonicMs()
    // Its time began before a reload, or reloads that come often would hold it back for ever.
    const sinceMs = this.#before.get(entry.id)?.heldSinceMs ?? nowMs
    const endsAtMs = sinceMs + (limits.get(entry.dependency.provider)?.holdMs ?? 0)
    const leftMs = Math.max(0, endsAtMs - nowMs)
    const heldBack = { reading, sinceMs, endsAtMs, isOver: false, stop: new AbortController() }
    const before = entry.reading as Reading
    entry.heldBack = heldBack
    log.warn('held back, too much is gone at once', {
      dependency: showDependency(entry.dependency),
      ...counts(before, reading),
      for: formatDurationMs(leftMs),
      hint: 'if it is meant, wait, or set shrinkGuard at the provider',
    })
    this.#readAnew(entry, heldBack, leftMs).catch(() => {})
  }

  /** Reads anew when its time is over: a watch that says nothing may hang on a line that is dead. One that then says nothing
   *  is a failure, and tried again like any other. Rejects when that is not needed any more. */
  async #readAnew(entry: Kept, heldBack: HeldBack, leftMs: number): Promise<never> {
    const { clock } = this.#host
    const signal = AbortSignal.any([heldBack.stop.signal, entry.stop.signal])
    const cut = (reason: Error) => {
      // It may have been replaced in the turn in which its time was over.
      signal.throwIfAborted()
      heldBack.isOver = true
      entry.cut.abort(reason)
    }
    await clock.sleep(leftMs, signal)
    cut(new Error('what is held back is read anew'))
    for (;;) {
      await clock.sleep(ANEW_MS_MAX, signal)
      cut(new ProviderError('timeout', `no reading within ${formatDurationMs(ANEW_MS_MAX)} of being read anew`))
    }
  }

  #sayBelieved({ dependency, reading: before }: Kept, reading: Reading): void {
    this.#host.log.warn('still so, and believed from now on', {
      dependency: showDependency(dependency),
      ...counts(before as Reading, reading),
    })
  }
}

/** How many things a reading holds, or undefined where it is one thing. What is absent may be either, and is nothing. */
function entriesIn({ value }: Reading): number | undefined {
  if (value === absent) return 0
  if (value instanceof Tree) return value.files.size
  return Array.isArray(value) ? value.length : undefined
}

function counts(before: Reading, after: Reading): { readonly had: number; readonly has: number } {
  return { had: entriesIn(before) ?? 0, has: entriesIn(after) ?? 0 }
}
