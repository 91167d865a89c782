import { Mailbox } from '../base/mailbox.ts'
import { dependencyId, type Dependency, type DependencyId } from '../dependency.ts'
import type { ProviderError } from '../errors.ts'
import type { Reading } from '../reading.ts'

/** What one bundle wants, and the sign that some of it changed. */
export class Subscription {
  /** The bundle, where it publishes. */
  readonly bundle: string | undefined
  /** Full when a wanted dependency has changed since it was last emptied. */
  readonly changed = new Mailbox<undefined>()
  readonly #store: StoreSide
  #wanted: ReadonlyMap<DependencyId, Dependency> = new Map()
  #given: readonly Dependency[] = []
  #inUse: ReadonlySet<string> | undefined
  #isUnhurried = false

  constructor(bundle: string | undefined, store: StoreSide) {
    this.bundle = bundle
    this.#store = store
  }

  get wanted(): ReadonlyMap<DependencyId, Dependency> {
    return this.#wanted
  }

  /** The leases that something visible, staged, or fit to go back to may have been rendered from; undefined while nobody knows. */
  get inUse(): ReadonlySet<string> | undefined {
    return this.#inUse
  }

  /** Whether what was kept from before a restart will do for a while. */
  get isUnhurried(): boolean {
    return this.#isUnhurried
  }

  /** Nothing waits for what is wanted here: what was kept from before a restart will do, until `hurry` is called. */
  unhurried(): void {
    this.#isUnhurried = true
  }

  /** What was kept will not do: all that is wanted is read at once, and until then it is not there. Tells whether any of it was only what
   *  was kept. */
  hurry(): boolean {
    this.#isUnhurried = false
    return this.#store.hurry(this.#wanted.keys())
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

  /** Asks for all that is wanted once more, at once, and resolves when each has been answered since, by a reading or an error. What is
   *  there is served until then, and what a lease keeps is not asked for. Rejects with the signal's reason. */
  refresh(signal: AbortSignal): Promise<void> {
    return this.#store.refresh(this.#wanted.keys(), signal)
  }

  /** Resolves when each that is wanted has been answered at least once; a first reading that was put off comes now. Rejects with the
   *  signal's reason. */
  answered(signal: AbortSignal): Promise<void> {
    return this.#store.answered(this.#wanted.keys(), signal)
  }

  /** What could not be read, and what has not been answered since it was asked for. */
  unread(): readonly Unread[] {
    return [...this.#wanted].flatMap(([id, dependency]) => {
      const unread = this.#store.unread(id)
      return unread === undefined ? [] : { dependency, ...unread }
    })
  }

  /** The leases behind what is wanted, as it is read now: in the turn of a render, those that it was made from. */
  leases(): ReadonlySet<string> {
    return this.#store.leases(this.#wanted.keys())
  }

  /** What was rendered from these leases may be seen once this resolves: then a restart finds nothing that is older than what there was to
   *  render from. */
  publishing(leases: ReadonlySet<string>): Promise<void> {
    if (this.#inUse !== undefined && leases.size > 0) this.#inUse = new Set([...this.#inUse, ...leases])
    return this.#store.forgetOlder()
  }

  /** The application has confirmed what was rendered from these leases, and it is what would be gone back to: other leases are
   *  not in use here any more. */
  confirmed(leases: ReadonlySet<string>): void {
    this.#inUse = leases
    this.#store.confirmed()
  }

  /** Wants nothing any more. */
  close(): void {
    this.#given = []
    this.#wanted = new Map()
    this.#store.closed(this)
    this.#store.wanted()
  }
}

/** A dependency that could not be read, or that has not been yet. */
export interface Unread {
  readonly dependency: Dependency
  /** Why it could not be read, until it is. */
  readonly error: ProviderError | undefined
  /** Whether somebody waits for an answer that is still to come. */
  readonly isAsked: boolean
}

/** The store, as a subscription needs it. */
export interface StoreSide {
  wanted(): void
  newest(id: DependencyId): Reading | undefined
  why(id: DependencyId): string
  settled(id: DependencyId): boolean
  refresh(ids: Iterable<DependencyId>, signal: AbortSignal): Promise<void>
  answered(ids: Iterable<DependencyId>, signal: AbortSignal): Promise<void>
  unread(id: DependencyId): Omit<Unread, 'dependency'> | undefined
  leases(ids: Iterable<DependencyId>): ReadonlySet<string>
  hurry(ids: Iterable<DependencyId>): boolean
  forgetOlder(): Promise<void>
  confirmed(): void
  closed(subscription: Subscription): void
}
