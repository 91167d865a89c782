import { exponentialBackoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Redactor } from '../base/secret.ts'
import { dependencyId, showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import type { ProviderError } from '../errors.ts'
import { absent, type KeptLease, type Reading, type ServedReading } from '../reading.ts'
import type { ProviderStatus } from '../status.ts'
import { hide, isMissing, sameContent } from './content.ts'
import { FailureLog } from './failure-log.ts'
import type { HeldLease } from './held-lease.ts'
import { Kept } from './kept.ts'
import type { Keeper, Recalled } from './keeper.ts'
import { LastKnown } from './last-known.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import { standingOf } from './standing.ts'
import { ShrinkGuard } from './shrink-guard.ts'
import type { StoreOptions } from './store-options.ts'
import { Subscription, type Unread } from './subscription.ts'
import { Watching } from './watching.ts'

export type { ShrinkLimit } from './shrink-guard.ts'
export type { Subscription } from './subscription.ts'

/** The newest reading of each wanted dependency.
 *
 *  Keeps at most one watch for each dependency that anyone wants (`watching.ts`), and keeps serving the last reading while it fails,
 *  unless the backend says that we may not have it (`forbidden`). So it does while a list or tree that has lost too much at once is
 *  held back. A reading with a lease needs no watch until it must be replaced: the lease keeper keeps it, and it is never served after
 *  its end. */
export class Store {
  readonly #clock: Clock
  readonly #log: Log
  readonly #redactor: Redactor
  readonly #kept = new Map<DependencyId, Kept>()
  readonly #subscriptions = new Set<Subscription>()
  readonly #leases: LeaseKeeper
  readonly #watching: Watching
  readonly #guard: ShrinkGuard
  readonly #lastKnown: LastKnown
  readonly #failures: FailureLog
  #keeper: Keeper | undefined

  constructor(options: StoreOptions) {
    this.#clock = options.clock
    this.#log = options.log
    this.#failures = new FailureLog(options)
    this.#redactor = options.redactor
    const backoff = options.backoff ?? exponentialBackoff()
    const identities = options.identities ?? new Map([...options.providers.keys()].map(name => [name, '']))
    this.#guard = new ShrinkGuard({ ...options, identities, limits: options.shrinkLimits ?? new Map() })
    this.#lastKnown = new LastKnown({
      ...options,
      guard: this.#guard,
      serve: (entry, reading) => this.#serveKept(entry, reading),
    })
    this.#watching = new Watching({
      ...options,
      backoff,
      lastKnown: this.#lastKnown,
      canWait: id => this.#canWait(id),
      take: (entry, reading) => this.#take(entry, reading),
      remember: (entry, reading) => this.#remember(entry, reading),
      fail: (entry, error) => this.#fail(entry, error),
    })
    this.#leases = new LeaseKeeper({
      ...options,
      identities,
      backoff,
      keeper: () => this.#keeper,
      due: held => this.#replace(held),
      over: (held, why) => this.#lose(held, why),
    })
  }

  /** Takes up what was kept before a restart or a reload, and keeps from now on; before anything is wanted, or not at all.
   *  @param served what was served before a reload, to compare the first readings with
   *  @param recalled what is served while a backend is away; by default what the keeper has */
  restore(
    keeper: Keeper | undefined,
    leases: readonly KeptLease[],
    served: readonly ServedReading[] = [],
    recalled: Recalled | undefined = keeper,
  ): void {
    this.#keeper = keeper
    this.#lastKnown.open(recalled)
    this.#guard.restore(served)
    // Before anything is done with them.
    for (const { reading } of leases) if (reading !== undefined) hide(reading, this.#redactor)
    const held = this.#leases.restore(leases)
    if (held.length > 0) this.#log.info('leases taken up', { leases: held.length })
  }

  /** Whoever is in no hurry may wait for the first readings, as far as what they gave before a restart was kept; before anything is
   *  wanted. */
  putOff(): void {
    this.#lastKnown.restarted()
  }

  /** A new subscription, which wants nothing yet.
   *  @param bundle who it is for, where what is read is published. */
  subscribe(bundle?: string): Subscription {
    const subscription = new Subscription(bundle, {
      wanted: () => this.#match(),
      newest: id => this.#newest(id),
      why: id => this.#kept.get(id)?.why() ?? 'no answer yet',
      settled: id => this.#kept.get(id)?.settled ?? false,
      leases: ids => new Set([...ids].flatMap(id => this.#kept.get(id)?.held?.key ?? [])),
      refresh: (ids, signal) => this.#watching.refresh(this.#entries(ids), signal),
      answered: (ids, signal) => this.#watching.answered(this.#entries(ids), signal),
      unread: id => this.#unread(id),
      hurry: wanted => this.#lastKnown.hurry(this.#entries(wanted)),
      forgetOlder: async () => this.#keeper?.forgetOlder(),
      confirmed: () => this.#release(),
      closed: closed => this.#subscriptions.delete(closed),
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** How each provider stands, by its name. */
  status(types: ReadonlyMap<string, string>): readonly ProviderStatus[] {
    return [...types].map(([name, type]) => {
      const kept = [...this.#kept.values()].filter(({ dependency }) => dependency.provider === name)
      return { name, type, ...standingOf(kept, this.#leases.errors(name), this.#guard, this.#clock) }
    })
  }

  /** Ends every watch and waits for its end. Leases go on: nothing is given back, unless the providers that are named here are
   *  asked to; that is tried once. */
  async close(revoking?: { readonly providers: ReadonlySet<string>; readonly withinMs: number }): Promise<void> {
    this.#subscriptions.clear()
    this.#guard.keep(this.#kept.values())
    this.#match()
    await this.#watching.ended()
    this.#failures.close()
    await this.#leases.close()
    if (revoking !== undefined && revoking.providers.size > 0)
      await this.#leases.revokeAll(revoking.providers, revoking.withinMs)
  }

  /** All leases, for the store that takes the place of this one; after `close`. */
  handOver(): readonly KeptLease[] {
    return this.#leases.handOver()
  }

  /** What was served and could shrink, for the store that takes the place of this one; after `close`. */
  handOverServed(): readonly ServedReading[] {
    return this.#guard.handOver()
  }

  /** Starts and stops watches by the difference between what is wanted and what is watched. */
  #match(): void {
    const wanted = new Map<DependencyId, Dependency>()
    for (const subscription of this.#subscriptions) {
      for (const [id, dependency] of subscription.wanted) wanted.set(id, dependency)
    }
    for (const [id, entry] of this.#kept) {
      if (wanted.has(id)) continue
      this.#kept.delete(id)
      entry.stop.abort(new Error(`${showDependency(entry.dependency)} is not wanted any more`))
    }
    for (const [id, dependency] of wanted) {
      const entry = this.#kept.get(id)
      if (entry === undefined) this.#start(id, dependency)
      else if (entry.held !== undefined) this.#noteUsers(entry.held, id)
      else if (entry.putOff !== undefined && !this.#canWait(id)) this.#lastKnown.hurry([entry])
    }
  }

  #start(id: DependencyId, dependency: Dependency): void {
    const entry = new Kept(id, dependency)
    this.#kept.set(id, entry)
    // What is still good is not read again, whoever read it.
    const held = this.#leases.current(id)
    if (held === undefined) return this.#watching.start(entry)
    this.#put(entry, held)
    this.#noteUsers(held, id)
    if (held.isDue) this.#watching.start(entry)
    this.#announce(entry)
  }

  /** Takes a reading with a lease, whose keeping needs no watch. The lease that it takes the place of is to be revoked. */
  async #take(entry: Kept, reading: Reading): Promise<void> {
    hide(reading, this.#redactor)
    const held = await this.#leases.hold(entry.dependency, reading, this.#usersOf(entry.id))
    // A reading that came when nobody wanted it any more may be wanted again, or is revoked.
    const place = this.#kept.get(entry.id) ?? entry
    const [before, old] = [place.reading, place.held]
    this.#recover(place)
    this.#put(place, held)
    held.isArriving = false
    if (before === undefined || !sameContent(before, reading)) this.#announce(place)
    if (!place.stop.signal.aborted) this.#noteUsers(held, entry.id)
    else if (this.#subscriptions.size > 0) this.#release()
    if (old !== undefined) await this.#leases.supersede(old)
  }

  #put(entry: Kept, held: HeldLease): void {
    this.#guard.forget(entry)
    entry.held = held
    entry.reading = held.reading
    entry.lost = undefined
    entry.settled = true
  }

  /** A lease must be replaced: the dependency is read again, while what there is of it is served. */
  #replace(held: HeldLease): void {
    const entry = this.#entryOf(held)
    if (entry !== undefined) this.#watching.start(entry)
  }

  /** A lease is over: its reading is not served any more. What is published stays published. */
  #lose(held: HeldLease, why: string): void {
    const entry = this.#entryOf(held)
    if (entry === undefined) return
    this.#log.warn('lease over', { dependency: showDependency(entry.dependency), why })
    entry.held = entry.reading = undefined
    entry.lost = why
    this.#announce(entry)
    this.#watching.start(entry)
  }

  #entryOf(held: HeldLease): Kept | undefined {
    const entry = this.#kept.get(dependencyId(held.dependency))
    return entry?.held === held ? entry : undefined
  }

  #serveKept(entry: Kept, reading: Reading): void {
    hide(reading, this.#redactor)
    entry.reading = { ...reading, lastKnownGood: true }
    this.#announce(entry)
  }

  #remember(entry: Kept, reading: Reading): void {
    const wasFailing = this.#recover(entry)
    entry.settled = true
    if (!this.#guard.admits(entry, reading)) return
    if (wasFailing && isMissing(entry.reading) && isMissing(reading)) this.#announce(entry)
    this.#accept(entry, reading)
  }

  #accept(entry: Kept, reading: Reading): void {
    const before = entry.reading
    if (before?.revision === reading.revision && before.lastKnownGood !== true) return
    hide(reading, this.#redactor)
    const old = entry.held
    entry.held = undefined
    entry.lost = undefined
    entry.reading = reading
    if (reading.value === absent) this.#keeper?.removeReading(entry.dependency)
    else this.#keeper?.putReading(entry.dependency, reading)
    if (before === undefined || !sameContent(before, reading)) this.#announce(entry)
    if (old !== undefined) void this.#leases.supersede(old)
  }

  /** Ends what failed before; tells whether anything did. */
  #recover(entry: Kept): boolean {
    const wasFailing = entry.error !== undefined
    if (wasFailing) this.#failures.recovered(entry.dependency)
    entry.error = undefined
    return wasFailing
  }

  #fail(entry: Kept, error: ProviderError): void {
    const said = entry.error?.message === error.message && entry.error.code === error.code
    if (entry.error === undefined) entry.failingSinceMs = this.#clock.monotonicMs()
    entry.error = error
    entry.settled = true
    if (error.code === 'forbidden') this.#drop(entry)
    // One line when the story changes, not one for each try.
    if (said) this.#failures.stillFailing(entry.dependency, error)
    else this.#failures.failing(entry.dependency, error, entry.reading?.lastKnownGood === true)
    // Who waits for it says why, and so must hear of another reason.
    if (isMissing(entry.reading) && !said) this.#announce(entry)
  }

  /** We may not have it: nothing of it is kept, here or on the disk. */
  #drop(entry: Kept): void {
    const { held } = entry
    this.#guard.forget(entry)
    entry.held = entry.reading = entry.lost = undefined
    this.#keeper?.removeReading(entry.dependency)
    if (held !== undefined) void this.#leases.supersede(held)
  }

  #announce(entry: Kept): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.wanted.has(entry.id)) subscription.changed.put(undefined)
    }
  }

  /** The reading that may be used now. Whatever holds up the timers, none is used after the end of its lease. */
  #newest(id: DependencyId): Reading | undefined {
    const entry = this.#kept.get(id)
    return entry?.held === undefined || this.#leases.isGood(entry.held) ? entry?.reading : undefined
  }

  #entries(ids: Iterable<DependencyId>): readonly Kept[] {
    return [...ids].flatMap(id => this.#kept.get(id) ?? [])
  }

  #unread(id: DependencyId): Omit<Unread, 'dependency'> | undefined {
    const entry = this.#kept.get(id)
    if (entry === undefined || entry.isLeased) return undefined
    const { error, isAsked } = entry
    return error === undefined && !isAsked ? undefined : { error, isAsked }
  }

  #usersOf(id: DependencyId): readonly string[] {
    return [...this.#subscriptions].flatMap(({ wanted, bundle }) => (wanted.has(id) ? (bundle ?? []) : []))
  }

  #noteUsers(held: HeldLease, id: DependencyId): void {
    const users = this.#usersOf(id).filter(user => !held.users.has(user))
    if (users.length === 0) return
    for (const user of users) held.users.add(user)
    void this.#leases.write(held)
  }

  /** Whether nobody who wants it is in a hurry. */
  #canWait(id: DependencyId): boolean {
    return [...this.#subscriptions].every(({ wanted, isUnhurried }) => isUnhurried || !wanted.has(id))
  }

  /** Gives back what no bundle needs: leases are revoked, readings forgotten. */
  #release(): void {
    this.#lastKnown.say(this.#kept.values())
    this.#leases.release(held => this.#isNeeded(held))
    const isKnown = [...this.#subscriptions].every(({ bundle, inUse }) => bundle === undefined || inUse !== undefined)
    if (!isKnown) return
    this.#guard.retain(this.#kept)
    this.#keeper?.retain([...this.#kept.values()].map(({ dependency }) => dependency))
  }

  /** Whether a lease is current, or its credential may still be in use. A bundle that is not configured any more never says that
   *  it is not: then the lease is left to end by itself. */
  #isNeeded(held: HeldLease): boolean {
    if (this.#entryOf(held) !== undefined) return true
    return [...held.users].some(user => {
      const subscription = [...this.#subscriptions].find(({ bundle }) => bundle === user)
      return subscription?.inUse === undefined || subscription.inUse.has(held.key)
    })
  }
}
