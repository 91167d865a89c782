import { Mailbox } from '../../lib/base/mailbox.ts'
import { escapePath, type Ask } from './api.ts'
import { covers, type Cover, type Want } from './cover.ts'
import { follow, type Following } from './follow.ts'
import { Pairs, type Pair } from './pairs.ts'

export type Params = Readonly<Record<string, string>>

/** One watch of keys: what it wants, and what it has been told. */
export class Follower {
  readonly want: Want
  /** What wakes who waits. */
  readonly bell = new Mailbox<true>()
  /** The query that tells it, once there is one. */
  query: SharedQuery | undefined
  #pairs: readonly (Pair | undefined)[] | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(want: Want) {
    this.want = want
  }

  /** The pairs of now, once the bell has rung. Throws what the query failed with. */
  take(): readonly Pair[] {
    if (this.#failure !== undefined) throw this.#failure.error
    return (this.#pairs ?? []).filter(pair => pair !== undefined)
  }

  /** Rings when something that is wanted differs from what was told before. */
  tell(pairs: Pairs): void {
    const { path, isPrefix } = this.want
    const before = this.#pairs
    const now = isPrefix ? pairs.below(path) : [pairs.get(path)]
    if (before !== undefined && now.length === before.length && now.every((pair, i) => samePair(pair, before[i])))
      return
    this.#pairs = now
    this.bell.put(true)
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.bell.put(true)
  }
}

/** Two queries make two objects of the same pair. */
function samePair(a: Pair | undefined, b: Pair | undefined): boolean {
  return a === b || (a?.key === b?.key && a?.hash === b?.hash)
}

export interface SharedQueryOptions extends Following {
  readonly cover: Cover
  readonly params: Params
  readonly hashKey: Uint8Array | undefined
  /** Whether others have answered before: then what it is answered must not be older. */
  readonly isFresh: boolean
  /** It has failed, and has told nobody. */
  readonly failed: (query: SharedQuery, error: unknown) => void
}

/** One blocking query on keys, for all who want something of what it answers. */
export class SharedQuery {
  readonly cover: Cover
  readonly followers = new Set<Follower>()
  readonly #options: SharedQueryOptions
  readonly #end = new AbortController()
  /** Ends the wait that is under way. */
  #round = new AbortController()
  #pairs: Pairs | undefined
  #answeredMs = 0

  constructor(options: SharedQueryOptions) {
    this.cover = options.cover
    this.#options = options
  }

  start(): void {
    this.#run(this.#end.signal).catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#options.failed(this, error)
    })
  }

  covers(want: Want): boolean {
    return covers(this.cover, want)
  }

  join(follower: Follower): void {
    follower.query?.followers.delete(follower)
    follower.query = this
    this.followers.add(follower)
    if (this.#pairs === undefined) return
    if (this.#options.clock.monotonicMs() - this.#answeredMs < NEW_MS) follower.tell(this.#pairs)
    else this.#round.abort(new Error('to be read anew'))
  }

  /** Ends it; nobody is told any more. May be called again. */
  stop(): void {
    this.#end.abort(new Error('the query is not wanted any more'))
  }

  async #run(end: AbortSignal): Promise<void> {
    for (;;) {
      this.#round = new AbortController()
      const round = this.#round.signal
      try {
        await this.#tellAll(AbortSignal.any([end, round]))
      } catch (error) {
        if (end.aborted || !round.aborted) throw error
      }
    }
  }

  async #tellAll(signal: AbortSignal): Promise<void> {
    const { clock, cover, params, hashKey, isFresh } = this.#options
    for await (const answer of follow(this.#options, askFor(cover, params), signal, { isFresh })) {
      this.#pairs = Pairs.of(answer, this.#pairs, hashKey)
      this.#answeredMs = clock.monotonicMs()
      for (const follower of this.followers) follower.tell(this.#pairs)
    }
  }
}

/** For how long an answer is taken for the newest by who comes later. After that, a line that has died meanwhile would give them what
 *  is old: so it is asked anew, at once and for all. */
const NEW_MS = 1_000

export function askFor({ path, isPrefix }: Cover, params: Params): Ask {
  return {
    path: `kv/${escapePath(path)}`,
    params: isPrefix ? { ...params, recurse: '' } : params,
    mayBeNothing: true,
  }
}
