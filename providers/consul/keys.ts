import { OperationalError } from '../../lib/errors.ts'
import { coversOf, type Cover, type Want } from './cover.ts'
import type { Following } from './follow.ts'
import { Follower, SharedQuery, type Params } from './shared-query.ts'

export interface KeysOptions extends Following {
  /** The datacenter, namespace and partition. */
  readonly params: Params
  /** How what the configuration wants to be read as one begins. */
  readonly prefixes: readonly string[]
  /** Where the values are sensitive: keys the hashes that are shown. */
  readonly hashKey: Uint8Array | undefined
}

/** Whatever is wanted of the keys of one place, over as few queries as may be. */
export class Keys {
  readonly #options: KeysOptions
  readonly #followers = new Set<Follower>()
  readonly #queries = new Set<SharedQuery>()
  /** What was found to be better read as one. It stays so, since after a failure all come back one by one. */
  readonly #shared: Set<string>
  readonly #unshared = new Set<string>()
  /** Those that have no query yet. */
  #waiting: Follower[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(options: KeysOptions) {
    this.#options = options
    this.#shared = new Set(options.prefixes)
  }

  follow(want: Want): Follower {
    const follower = new Follower(want)
    this.#followers.add(follower)
    this.#assignLater(follower)
    return follower
  }

  leave(follower: Follower): void {
    this.#followers.delete(follower)
    const { query } = follower
    if (query === undefined) return
    query.followers.delete(follower)
    if (query.followers.size === 0) this.#stop(query)
  }

  close(): void {
    clearImmediate(this.#turn)
    for (const query of this.#queries) this.#stop(query)
  }

  /** A start brings all watches in one turn, and they must be seen together to be few queries. */
  #assignLater(follower: Follower): void {
    this.#waiting.push(follower)
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#assign()
    })
  }

  #assign(): void {
    const left = this.#waiting.filter(follower => this.#followers.has(follower) && !this.#joins(follower))
    this.#waiting = []
    if (left.length === 0) return
    const wants = [...this.#followers].map(({ want }) => want)
    const covers = coversOf(wants, { shared: this.#shared, unshared: this.#unshared })
    const before = [...this.#queries]
    for (const cover of covers) {
      const isAsked = wants.some(want => sameCover(want, cover))
      if (cover.isPrefix && !isAsked) this.#shared.add(cover.path)
      if (!before.some(query => sameCover(query.cover, cover))) this.#start(cover, before)
    }
    for (const follower of left) this.#joins(follower)
    for (const query of before) {
      if (covers.some(cover => sameCover(query.cover, cover))) continue
      for (const follower of query.followers) this.#joins(follower, query)
      this.#stop(query)
    }
  }

  /** Whether there is a query, other than the one that goes, that tells the follower. */
  #joins(follower: Follower, going?: SharedQuery): boolean {
    for (const query of this.#queries) {
      if (query === going || !query.covers(follower.want)) continue
      query.join(follower)
      return true
    }
    return false
  }

  #start(cover: Cover, before: readonly SharedQuery[]): void {
    const isFresh = before.length > 0
    const failed = (query: SharedQuery, error: unknown) => this.#fail(query, error)
    const query = new SharedQuery({ ...this.#options, cover, isFresh, failed })
    this.#queries.add(query)
    query.start()
  }

  #stop(query: SharedQuery): void {
    this.#queries.delete(query)
    query.stop()
  }

  /** What nobody wanted as one may be forbidden or too large as one, and fine in its parts. */
  #fail(query: SharedQuery, error: unknown): void {
    const { path, isPrefix } = query.cover
    const followers = [...query.followers]
    this.#stop(query)
    const isAsked = followers.some(({ want }) => want.isPrefix && want.path === path)
    const isOurs = isPrefix && !isAsked && error instanceof OperationalError && SPLITS.has(error.code)
    if (isOurs) {
      this.#shared.delete(path)
      this.#unshared.add(path)
    }
    for (const follower of followers) {
      follower.query = undefined
      if (isOurs) this.#assignLater(follower)
      else follower.fail(error)
    }
  }
}

/** Failures of a query that those of its parts may not have. */
const SPLITS: ReadonlySet<string> = new Set(['forbidden', 'invalid-data'])

function sameCover(a: Cover, b: Cover): boolean {
  return a.path === b.path && a.isPrefix === b.isPrefix
}
