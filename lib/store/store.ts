import { exponentialBackoff, type Backoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { Mailbox } from '../base/mailbox.ts'
import type { Redactor } from '../base/secret.ts'
import { Float, sameValue, Struct, Tree, Uint, type Value } from '../base/value.ts'
import { dependencyId, showDependency, type Dependency, type DependencyId } from '../dependency.ts'
import { messageOf, ProviderError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import { absent, type Reading } from '../reading.ts'
import type { ProviderStatus } from '../status.ts'

/** The newest reading of each wanted dependency.
 *
 *  Keeps exactly one watch for each dependency that anyone wants, asks again with backoff and full jitter when a watch fails,
 *  for ever, and keeps serving the last reading meanwhile, unless the backend says that we may not have it (`forbidden`). */
export class Store {
  readonly #providers: ReadonlyMap<string, Provider>
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Log
  readonly #redactor: Redactor
  readonly #backoff: Backoff
  readonly #kept = new Map<DependencyId, Kept>()
  /** The watches that run or are ending. */
  readonly #watching = new Set<Promise<void>>()
  readonly #subscriptions = new Set<Subscription>()

  constructor(options: StoreOptions) {
    this.#providers = options.providers
    this.#clock = options.clock
    this.#random = options.random
    this.#log = options.log
    this.#redactor = options.redactor
    this.#backoff = options.backoff ?? exponentialBackoff()
  }

  /** A new subscription, which wants nothing yet. */
  subscribe(): Subscription {
    const subscription = new Subscription({
      wanted: () => this.#match(),
      newest: id => this.#kept.get(id)?.reading,
      why: id => this.#why(id),
      settled: id => this.#kept.get(id)?.settled ?? false,
      closed: closed => this.#subscriptions.delete(closed),
    })
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** How each provider stands, by its name. */
  status(types: ReadonlyMap<string, string>): readonly ProviderStatus[] {
    return [...types].map(([name, type]) => {
      const kept = [...this.#kept.values()].filter(({ dependency }) => dependency.provider === name)
      const failing = kept.filter(entry => entry.error !== undefined)
      const stale = failing.filter(entry => entry.reading !== undefined)
      const oldest = Math.max(...stale.map(entry => this.#clock.monotonicMs() - entry.failingSinceMs))
      return {
        name,
        type,
        watches: kept.length,
        error: failing.at(-1)?.error?.message,
        staleMs: stale.length > 0 ? oldest : undefined,
      }
    })
  }

  /** Ends every watch and waits for its end. */
  async close(): Promise<void> {
    this.#subscriptions.clear()
    this.#match()
    await Promise.all(this.#watching)
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
      if (!this.#kept.has(id)) this.#start(id, dependency)
    }
  }

  #start(id: DependencyId, dependency: Dependency): void {
    const entry = new Kept(id, dependency)
    this.#kept.set(id, entry)
    const watching = this.#watch(entry, entry.stop.signal).finally(() => this.#watching.delete(watching))
    this.#watching.add(watching)
  }

  async #watch(entry: Kept, signal: AbortSignal): Promise<void> {
    const { dependency } = entry
    let backoff = this.#backoff
    while (!signal.aborted) {
      let goodSinceMs: number | undefined
      try {
        const provider = this.#providers.get(dependency.provider)
        if (provider === undefined) throw unknownProvider(dependency.provider)
        for await (const reading of provider.watch(dependency, signal)) {
          if (signal.aborted) return
          goodSinceMs ??= this.#clock.monotonicMs()
          this.#remember(entry, reading)
        }
        throw new ProviderError('unavailable', 'the watch ended')
      } catch (cause) {
        if (signal.aborted) return
        const error = asProviderError(cause)
        this.#fail(entry, error)
        // One that breaks soon after each reading is no better than one that gives none.
        const goodMs = goodSinceMs === undefined ? 0 : this.#clock.monotonicMs() - goodSinceMs
        if (goodMs >= backoff.ceilingMs) backoff = this.#backoff
        const waitMs = Math.max(backoff.durationMs(this.#random), error.retryAfterMs ?? 0)
        backoff = backoff.next()
        await this.#clock.sleep(waitMs, signal).catch(() => {})
      }
    }
  }

  #remember(entry: Kept, reading: Reading): void {
    const before = entry.reading
    const wasFailing = entry.error !== undefined
    if (wasFailing) this.#log.info('reading again', { dependency: showDependency(entry.dependency) })
    entry.error = undefined
    if (before !== undefined && before.revision === reading.revision) {
      if (wasFailing && isMissing(before)) this.#announce(entry)
      return
    }
    if (reading.sensitive) hide(reading.value, this.#redactor)
    entry.reading = reading
    entry.settled = true
    if (before === undefined || !sameContent(before, reading)) this.#announce(entry)
  }

  #fail(entry: Kept, error: ProviderError): void {
    const said = entry.error?.message === error.message && entry.error.code === error.code
    if (entry.error === undefined) entry.failingSinceMs = this.#clock.monotonicMs()
    entry.error = error
    entry.settled = true
    const data = { dependency: showDependency(entry.dependency), code: error.code, error: error.message }
    // One line when the story changes, not one for each try.
    if (said) this.#log.debug('still cannot read', data)
    else this.#log.warn('cannot read', error.hint === undefined ? data : { ...data, hint: error.hint })
    if (error.code === 'forbidden') entry.reading = undefined
    // Who waits for it says why, and so must hear of another reason.
    if (isMissing(entry.reading) && !said) this.#announce(entry)
  }

  #announce(entry: Kept): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.wanted.has(entry.id)) subscription.changed.put(undefined)
    }
  }

  #why(id: DependencyId): string {
    const entry = this.#kept.get(id)
    if (entry?.error !== undefined) return entry.error.message
    if (entry?.reading?.value !== absent) return 'no answer yet'
    return entry.reading.why ?? 'the backend says there is nothing'
  }
}

export interface StoreOptions {
  readonly providers: ReadonlyMap<string, Provider>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Is told of every sensitive text that is read. */
  readonly redactor: Redactor
  /** Before a failed watch is tried again. @default from 250 ms to 60 s */
  readonly backoff?: Backoff
}

/** What one bundle wants, and the sign that some of it changed. */
export class Subscription {
  /** Full when a wanted dependency has changed since it was last emptied. */
  readonly changed = new Mailbox<undefined>()
  readonly #store: StoreSide
  #wanted: ReadonlyMap<DependencyId, Dependency> = new Map()
  #given: readonly Dependency[] = []

  constructor(store: StoreSide) {
    this.#store = store
  }

  get wanted(): ReadonlyMap<DependencyId, Dependency> {
    return this.#wanted
  }

  /** Wants exactly these from now on: not an addition. What nobody wants any more stops being watched. The same list once
   *  more, which nobody may change meanwhile, costs nothing. */
  want(dependencies: readonly Dependency[]): void {
    if (dependencies === this.#given) return
    this.#given = dependencies
    this.#wanted = new Map(dependencies.map(dependency => [dependencyId(dependency), dependency]))
    this.#store.wanted()
  }

  /** The newest reading, or undefined while there is none. */
  get(dependency: Dependency): Reading | undefined {
    return this.#store.newest(dependencyId(dependency))
  }

  /** Why there is no value of it: the provider's last error, or that the backend says there is nothing. No values. */
  why(dependency: Dependency): string {
    return this.#store.why(dependencyId(dependency))
  }

  /** Whether each was answered at least once, be it by an error. */
  settled(dependencies: Iterable<Dependency>): boolean {
    return [...dependencies].every(dependency => this.#store.settled(dependencyId(dependency)))
  }

  /** Wants nothing any more. */
  close(): void {
    this.#given = []
    this.#wanted = new Map()
    this.#store.closed(this)
    this.#store.wanted()
  }
}

interface StoreSide {
  wanted(): void
  newest(id: DependencyId): Reading | undefined
  why(id: DependencyId): string
  settled(id: DependencyId): boolean
  closed(subscription: Subscription): void
}

/** What the store keeps of one dependency. */
class Kept {
  readonly id: DependencyId
  readonly dependency: Dependency
  readonly stop = new AbortController()
  reading: Reading | undefined
  /** The last error, until the next reading. */
  error: ProviderError | undefined
  /** When the watch that `error` ended was still good, on the monotonic clock: what it had read before held until then. */
  failingSinceMs = 0
  /** Whether there was any answer, be it an error. */
  settled = false

  constructor(id: DependencyId, dependency: Dependency) {
    this.id = id
    this.dependency = dependency
  }
}

function isMissing(reading: Reading | undefined): boolean {
  return reading === undefined || reading.value === absent
}

function asProviderError(cause: unknown): ProviderError {
  if (cause instanceof ProviderError) return cause
  return new ProviderError('unavailable', messageOf(cause), { cause })
}

function unknownProvider(name: string): ProviderError {
  return new ProviderError('bad-config', `no provider is named "${name}"`, { hint: 'add it under providers:' })
}

/** Whether two readings differ in nothing but their revision. Trees are compared by their files' identity. */
function sameContent(a: Reading, b: Reading): boolean {
  if (a.value === b.value) return true
  if (a.value === absent || b.value === absent) return false
  if (a.value instanceof Tree || b.value instanceof Tree) {
    return a.value instanceof Tree && b.value instanceof Tree && sameTree(a.value, b.value)
  }
  return sameValue(a.value, b.value)
}

function sameTree(a: Tree, b: Tree): boolean {
  return a.files.size === b.files.size && [...a.files].every(([path, file]) => b.files.get(path) === file)
}

/** Tells the redactor of every text and number in a sensitive value. */
function hide(value: Reading['value'], redactor: Redactor): void {
  if (typeof value === 'string') redactor.add(value)
  else if (value instanceof Tree)
    for (const { content } of value.files.values()) redactor.add(Buffer.from(content).toString('utf8'))
  else if (value instanceof Struct) for (const field of value.fields.values()) hide(field, redactor)
  else if (value instanceof Map) for (const item of (value as ReadonlyMap<string, Value>).values()) hide(item, redactor)
  else if (Array.isArray(value)) for (const item of value as readonly Value[]) hide(item, redactor)
  else if (typeof value === 'number' || typeof value === 'bigint') redactor.add(String(value))
  else if (value instanceof Uint || value instanceof Float) redactor.add(String(value.value))
}
