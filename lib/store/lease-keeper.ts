import type { Backoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { Log } from '../base/log.ts'
import { dependencyId, showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import { asProviderError, ProviderError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import type { KeptLease, Lease, Reading } from '../reading.ts'
import { HeldLease, lastPartMs, renewalDelayMs, replacementDelayMs, type Given } from './held-lease.ts'
import type { Keeper } from './keeper.ts'

/** For one call to renew or revoke; less when the lease ends soon, so that there is time for another. */
const CALL_MS_MAX = 10_000
const CALL_PART_MAX = 1 / 4
/** A lease from before a restart is renewed within this time, to see that it is still one; spread, as a fleet starts together. */
const VERIFY_MS_MAX = 30_000
/** How long a lease stays after it is known that nothing needs it: who is told of a new credential takes a moment to use it. */
const REVOKE_AFTER_MS = 60_000
/** Between two tries, however soon a lease ends. */
const RETRY_MS_MIN = 250

export interface LeaseKeeperHost {
  readonly providers: ReadonlyMap<string, Provider>
  readonly identities: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly backoff: Backoff
  /** Where leases are written down, if anywhere. */
  readonly keeper: () => Keeper | undefined
  /** Is told when a lease must be replaced. */
  readonly due: (held: HeldLease) => void
  /** Is told that a lease is over, and its reading with it. */
  readonly over: (held: HeldLease, why: string) => void
}

/** Keeps leases: renews each while it can be, says when it must be replaced and when it is over, and revokes what is not needed.
 *
 *  A lease hangs on nothing but itself: not on a watch, a token, a template or a process. It never reads: a renewal that fails is
 *  tried again, and only what comes to the last part of its time without one is given up for a new reading. */
export class LeaseKeeper {
  readonly #host: LeaseKeeperHost
  readonly #held = new Map<string, HeldLease>()
  readonly #tasks = new Set<Promise<void>>()
  readonly #closing = new AbortController()
  #order = 0

  constructor(host: LeaseKeeperHost) {
    this.#host = host
  }

  /** Takes a reading with a lease into keeping; resolves when it has been written down, so that a crash after it is used does not
   *  make another. Until the caller has put it where it belongs it is `isArriving`. Throws when nothing is left of it. */
  async hold(dependency: Dependency, reading: Reading, users: Iterable<string>): Promise<HeldLease> {
    const { lease } = reading
    if (lease === undefined) throw new TypeError('a reading without a lease')
    const { clock } = this.#host
    const leftMs = Math.min(lease.durationMs, lease.endsAtMs - clock.nowMs())
    if (!(leftMs > 0)) throw new ProviderError('invalid-data', 'its lease had ended when it came')
    const endsAtMs = clock.monotonicMs() + leftMs
    const held = this.#add({ dependency, reading, lease, endsAtMs, users, order: ++this.#order })
    held.isArriving = true
    await this.write(held)
    this.#start(held, undefined)
    return held
  }

  /** Takes up what was kept by another process, or before a reload. What has ended is forgotten, and what was given by something
   *  that is not configured any more is left to end. Gives what it took. */
  restore(leases: readonly KeptLease[]): readonly HeldLease[] {
    const { clock, identities, random, keeper } = this.#host
    const newest = new Map<DependencyId, HeldLease>()
    for (const kept of leases.toSorted((a, b) => a.order - b.order)) {
      const { dependency, lease, reading, users, order } = kept
      this.#order = Math.max(this.#order, order)
      if (identities.get(dependency.provider) !== kept.identity) continue
      // A wall clock that went back would make it longer than it is.
      const leftMs = Math.min(lease.durationMs, lease.endsAtMs - Math.max(clock.nowMs(), kept.keptAtMs))
      if (!(leftMs > 0)) {
        void keeper()?.removeLease(kept)
        continue
      }
      const held = this.#add({ dependency, reading, lease, endsAtMs: clock.monotonicMs() + leftMs, users, order })
      if (reading === undefined) continue
      const before = newest.get(dependencyId(dependency))
      if (before !== undefined) before.reading = undefined
      newest.set(dependencyId(dependency), held)
    }
    for (const held of this.#held.values()) {
      const verifyMs = random() * Math.min(VERIFY_MS_MAX, renewalDelayMs(this.#leftMs(held), random))
      this.#start(held, verifyMs)
    }
    return [...this.#held.values()]
  }

  /** The newest lease of a dependency whose reading can be used. */
  current(id: DependencyId): HeldLease | undefined {
    return [...this.#held.values()].findLast(
      held => dependencyId(held.dependency) === id && held.reading !== undefined && this.isGood(held),
    )
  }

  /** Whether its reading may be used: it has time left, by a clock that never leaps. */
  isGood(held: HeldLease): boolean {
    return !held.isRevoking && this.#leftMs(held) > 0
  }

  /** Another reading has taken its place, or nobody may have it any more: what is left of it is to be revoked. */
  async supersede(held: HeldLease): Promise<void> {
    held.reading = undefined
    if (this.#held.get(held.key) === held) await this.write(held)
  }

  /** Revokes, after a moment and beside whatever else goes on, every lease that is not needed now and will not be then. */
  release(isNeeded: (held: HeldLease) => boolean): void {
    for (const held of this.#held.values()) {
      if (held.isArriving || held.isLeaving || this.#closing.signal.aborted || isNeeded(held)) continue
      held.isLeaving = true
      this.#run(() => this.#letGo(held, isNeeded, this.#closing.signal))
    }
  }

  /** Writes a lease down as it is now. */
  async write(held: HeldLease): Promise<void> {
    await this.#host.keeper()?.putLease(this.#kept(held))
  }

  /** The last error of each lease of a provider that could not be renewed or revoked. */
  errors(provider: string): readonly ProviderError[] {
    return [...this.#held.values()].flatMap(held => (held.dependency.provider === provider ? (held.error ?? []) : []))
  }

  /** All leases, for whoever takes them up. */
  handOver(): readonly KeptLease[] {
    return [...this.#held.values()].map(held => this.#kept(held))
  }

  /** Stops renewing and revoking; nothing is given back. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the store is closed'))
    for (const held of this.#held.values()) held.stop.abort(this.#closing.signal.reason)
    while (this.#tasks.size > 0) await Promise.all(this.#tasks)
    // The wall clock may have leapt since they were written down, and it is all that the next process has.
    await Promise.all([...this.#held.values()].map(held => this.write(held)))
  }

  /** Revokes every lease of these providers, once each; after `close`. */
  async revokeAll(providers: ReadonlySet<string>, withinMs: number): Promise<void> {
    const { clock } = this.#host
    const timeoutError = () => new ProviderError('timeout', `not revoked within ${withinMs} ms, it ends by itself`)
    const leases = [...this.#held.values()].filter(held => providers.has(held.dependency.provider))
    await withDeadline(
      { timeoutMs: withinMs, timeoutError },
      signal =>
        Promise.all(
          leases.map(async held => {
            if (await this.#tryToRevoke(held, signal)) await this.#forget(held)
          }),
        ),
      clock,
      new AbortController().signal,
    ).catch((error: unknown) => this.#host.log.warn('leases not revoked', { error: asProviderError(error).message }))
  }

  #add(given: Given): HeldLease {
    const { dependency, lease, order } = given
    // A lease without a name is told from the next one by its order.
    const key = JSON.stringify([dependencyId(dependency), lease.id, lease.id === '' ? order : 0])
    this.#held.get(key)?.stop.abort(new Error('it was given again'))
    // The newest is the last in the map.
    this.#held.delete(key)
    const held = new HeldLease(key, given)
    this.#held.set(key, held)
    return held
  }

  #start(held: HeldLease, firstMs: number | undefined): void {
    if (!this.#closing.signal.aborted) this.#run(() => this.#keep(held, firstMs))
  }

  #run(task: () => Promise<void>): void {
    const running = task().finally(() => this.#tasks.delete(running))
    this.#tasks.add(running)
  }

  async #keep(held: HeldLease, firstMs: number | undefined): Promise<void> {
    const { clock, random, due } = this.#host
    const { signal } = held.stop
    try {
      let delayMs = firstMs ?? renewalDelayMs(this.#leftMs(held), random)
      let result: Renewal = this.#canRenew(held) ? 'renewed' : 'last'
      while (result === 'renewed') {
        await clock.sleep(delayMs, signal)
        result = await this.#renew(held, signal)
        delayMs = renewalDelayMs(this.#leftMs(held), random)
      }
      if (result === 'gone') return await this.#end(held, 'the backend knows its lease no more')
      if (result === 'last') await clock.sleep(replacementDelayMs(this.#leftMs(held), random), signal)
      held.isDue = true
      due(held)
      await clock.sleep(Math.max(0, this.#leftMs(held)), signal)
      await this.#end(held, 'its lease has ended')
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #canRenew({ lease, dependency }: HeldLease): boolean {
    return lease.renewable && lease.id !== '' && this.#host.providers.get(dependency.provider)?.renew !== undefined
  }

  /** Renews a lease, for as long as it has time, and never reads. */
  async #renew(held: HeldLease, signal: AbortSignal): Promise<Renewal> {
    const { clock } = this.#host
    let backoff = this.#host.backoff
    while (this.#leftMs(held) > lastPartMs(held.lease)) {
      const askedAtMs = clock.monotonicMs()
      try {
        const renewed = await this.#call('renew', held, signal)
        signal.throwIfAborted()
        if (renewed === undefined || !(renewed.durationMs > clock.monotonicMs() - askedAtMs)) return 'gone'
        this.#succeed(held, 'renewing again')
        const hasMore = held.renewed(renewed, askedAtMs + renewed.durationMs)
        await this.write(held)
        return hasMore && this.#canRenew(held) ? 'renewed' : 'last'
      } catch (cause) {
        signal.throwIfAborted()
        const error = this.#fail(held, 'cannot renew', cause)
        const waitMs = backoff.durationMs(this.#host.random) + (error.retryAfterMs ?? 0)
        backoff = backoff.next()
        // However long we are asked to wait, there is a next try before the lease comes to its last part.
        await clock.sleep(Math.max(RETRY_MS_MIN, Math.min(waitMs, this.#leftMs(held) / 3)), signal)
      }
    }
    return 'late'
  }

  async #letGo(held: HeldLease, isNeeded: (held: HeldLease) => boolean, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#host
    try {
      await clock.sleep(REVOKE_AFTER_MS, signal)
      held.isLeaving = false
      // It may be needed again, have ended, or have been given again.
      if (isNeeded(held) || this.#held.get(held.key) !== held) return
      held.isLeaving = held.isRevoking = true
      held.stop.abort(new Error('it is revoked'))
      let backoff = this.#host.backoff
      while (!(await this.#tryToRevoke(held, signal))) {
        const waitMs = Math.max(RETRY_MS_MIN, backoff.durationMs(random) + (held.error?.retryAfterMs ?? 0))
        backoff = backoff.next()
        await clock.sleep(Math.min(waitMs, Math.max(0, this.#leftMs(held))), signal)
      }
      await this.#forget(held)
      log.debug('lease given back', { dependency: showDependency(held.dependency) })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Whether nothing is left to revoke. */
  async #tryToRevoke(held: HeldLease, signal: AbortSignal): Promise<boolean> {
    const { clock, providers } = this.#host
    const canRevoke = providers.get(held.dependency.provider)?.revoke !== undefined && held.lease.id !== ''
    if (!canRevoke || clock.monotonicMs() >= held.endsAtMs) return true
    try {
      await this.#call('revoke', held, signal)
      return true
    } catch (cause) {
      signal.throwIfAborted()
      this.#fail(held, 'cannot revoke', cause)
      return false
    }
  }

  #call(what: 'renew', held: HeldLease, signal: AbortSignal): Promise<Lease | undefined>
  #call(what: 'revoke', held: HeldLease, signal: AbortSignal): Promise<void>
  async #call(what: 'renew' | 'revoke', held: HeldLease, signal: AbortSignal): Promise<Lease | undefined | void> {
    const provider = this.#host.providers.get(held.dependency.provider)
    const timeoutMs = Math.max(RETRY_MS_MIN, Math.min(CALL_MS_MAX, this.#leftMs(held) * CALL_PART_MAX))
    const timeoutError = () => new ProviderError('timeout', `no answer to ${what} within ${Math.round(timeoutMs)} ms`)
    // The wall clock may have leapt since it was given; what is left of it does not change with that.
    const lease = { ...held.lease, endsAtMs: this.#host.clock.nowMs() + this.#leftMs(held) }
    const work = async (within: AbortSignal) => provider?.[what]?.(lease, within)
    return await withDeadline({ timeoutMs, timeoutError }, work, this.#host.clock, signal)
  }

  async #end(held: HeldLease, why: string): Promise<void> {
    held.endsAtMs = Math.min(held.endsAtMs, this.#host.clock.monotonicMs())
    this.#host.over(held, why)
    await this.#forget(held)
  }

  async #forget(held: HeldLease): Promise<void> {
    if (this.#held.get(held.key) !== held) return
    this.#held.delete(held.key)
    await this.#host.keeper()?.removeLease(this.#kept(held))
  }

  /** One line when the story changes, not one for each try. */
  #fail(held: HeldLease, message: string, cause: unknown): ProviderError {
    const error = asProviderError(cause)
    const data = { dependency: showDependency(held.dependency), code: error.code, error: error.message }
    if (held.error?.message === error.message) this.#host.log.debug(message, data)
    else this.#host.log.warn(message, error.hint === undefined ? data : { ...data, hint: error.hint })
    held.error = error
    return error
  }

  #succeed(held: HeldLease, message: string): void {
    if (held.error !== undefined) this.#host.log.info(message, { dependency: showDependency(held.dependency) })
    held.error = undefined
  }

  #leftMs(held: HeldLease): number {
    return held.endsAtMs - this.#host.clock.monotonicMs()
  }

  #kept(held: HeldLease): KeptLease {
    const { dependency, lease, reading, order } = held
    const nowMs = this.#host.clock.nowMs()
    return {
      dependency,
      identity: this.#host.identities.get(dependency.provider) ?? '',
      lease: { ...lease, endsAtMs: nowMs + Math.max(0, this.#leftMs(held)) },
      reading,
      users: [...held.users],
      order,
      keptAtMs: nowMs,
    }
  }
}

/** What came of renewing: it can be done again, or was the last, or the lease is gone, or it is too late for it. */
type Renewal = 'renewed' | 'last' | 'gone' | 'late'
