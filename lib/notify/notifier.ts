import { exponentialBackoff } from '../base/backoff.ts'
import type { Clock, Random } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { messageOf, OperationalError } from '../errors.ts'
import type { Notice } from '../notice.ts'
import { HookError, type Hook } from './hook.ts'

export interface NotifierOptions {
  readonly hooks: readonly Hook[]
  /** Writes down that a hook was told; a hook counts as told once this has resolved. While it fails, it is called again, and
   *  the hook is not. */
  delivered(generation: number, hook: string): Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What comes of telling one notice. None of the promises ever rejects. */
export interface Delivery {
  /** Settles once each owed hook was tried once (told, failed or refused), or nobody waits for it any more because of a newer
   *  notice or the end. When the first round decides `result`, then `result` is settled before this. */
  readonly firstRound: Promise<void>
  readonly result: Promise<DeliveryResult>
  /** As `result`, but no refusal settles it: for the case that the generation has to stay. */
  readonly end: Promise<DeliveryResult>
}

export type DeliveryResult =
  /** Each owed hook was told, and that is written down. */
  | { readonly kind: 'told' }
  /** One refused the generation, and says why. The telling goes on, for the case that the generation has to stay. */
  | { readonly kind: 'refused'; readonly hook: string; readonly why: string }
  /** A newer notice took over, or the notifier was closed. */
  | { readonly kind: 'superseded' }

export interface OwedHook {
  readonly hook: string
  /** Why the last try failed; undefined before the first one ended. */
  readonly error: string | undefined
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 30_000
/** How long a call may take on when the notifier is closed: a reload is better not cut in the middle, nor told twice. */
const CLOSE_GRACE_MS = 5_000

/** Tells a bundle's hooks of its visible generation: each at least once, in its own retry loop, and the newest notice wins.
 *
 *  - The hooks do not wait for each other, and none is ever called while a call of it is still under way.
 *  - A new notice abandons what is still being told of an older one: calls are aborted, waits end, and a success that comes
 *    too late is not written down, since it is not one of the new generation.
 *  - A hook that was told of a generation is not called again for it, also when writing that down fails, or when the same
 *    generation is told once more.
 *  - Nothing here survives a restart: what is owed then comes from the journal. */
export class Notifier {
  readonly #options: NotifierOptions
  readonly #hooks: ReadonlyMap<string, Hook>
  #telling: Telling | undefined
  /** By hook: the end of what is or was being told, which the next telling waits for. */
  readonly #ended = new Map<string, Promise<void>>()
  #closed = false

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#hooks = new Map(options.hooks.map(hook => [hook.id, hook]))
    if (this.#hooks.size < options.hooks.length) throw new TypeError('two hooks with the same id')
  }

  /** Starts telling `owed` of the notice. Ids of hooks that are not configured any more are dropped. */
  tell(notice: Notice, owed: readonly string[]): Delivery {
    if (this.#closed) throw new TypeError('the notifier is closed')
    const before = this.#telling
    before?.abandon()
    const ids = [...new Set(owed)].filter(id => this.#hooks.has(id))
    const told = before?.notice.generation === notice.generation ? before.told : new Set<string>()
    const telling = new Telling(notice, ids, told)
    this.#telling = telling
    for (const id of ids) {
      const hook = this.#hooks.get(id) as Hook
      const previous = this.#ended.get(id) ?? Promise.resolve()
      this.#ended.set(
        id,
        previous.then(() => tellUntilTold(hook, telling, this.#options)),
      )
    }
    return telling
  }

  /** The hooks that have not been told of the newest notice, in the order they were given. */
  owed(): readonly OwedHook[] {
    return this.#telling?.owed() ?? []
  }

  /** Begins no call any more, gives those under way a few seconds to end and be written down, abandons the rest, and waits
   *  until no hook is being called. May be called again. */
  async close(): Promise<void> {
    this.#closed = true
    this.#telling?.stop()
    const ended = Promise.all(this.#ended.values())
    const over = new AbortController()
    await Promise.race([ended, this.#options.clock.sleep(CLOSE_GRACE_MS, over.signal).catch(() => {})])
    over.abort()
    this.#telling?.abandon()
    await ended
  }
}

/** One notice on its way to its hooks. */
class Telling implements Delivery {
  readonly notice: Notice
  /** The hooks that took the notice, whether or not that is written down. */
  readonly told: Set<string>
  readonly firstRound: Promise<void>
  readonly result: Promise<DeliveryResult>
  readonly end: Promise<DeliveryResult>
  /** Aborts the calls, and what is tried between them. */
  readonly #calls = new AbortController()
  readonly #tries = new AbortController()
  readonly #errors: Map<string, string | undefined>
  readonly #untried: Set<string>
  readonly #settleFirstRound: () => void
  readonly #settleResult: (result: DeliveryResult) => void
  readonly #settleEnd: (result: DeliveryResult) => void

  constructor(notice: Notice, owed: readonly string[], told: Set<string>) {
    const firstRound = Promise.withResolvers<void>()
    const result = Promise.withResolvers<DeliveryResult>()
    const end = Promise.withResolvers<DeliveryResult>()
    this.notice = notice
    this.told = told
    this.firstRound = firstRound.promise
    this.result = result.promise
    this.end = end.promise
    this.#errors = new Map(owed.map(id => [id, undefined]))
    this.#untried = new Set(owed)
    this.#settleFirstRound = firstRound.resolve
    this.#settleResult = result.resolve
    this.#settleEnd = end.resolve
    this.#settle()
  }

  /** Aborts when nobody asks any more whether a call succeeds. */
  get signal(): AbortSignal {
    return this.#calls.signal
  }

  /** Aborts when nothing more is to be tried. */
  get tries(): AbortSignal {
    return this.#tries.signal
  }

  owed(): readonly OwedHook[] {
    return [...this.#errors].map(([hook, error]) => ({ hook, error }))
  }

  /** Lets no further call begin. */
  stop(): void {
    this.#tries.abort(new Error('nothing more is told'))
  }

  abandon(): void {
    this.stop()
    this.#calls.abort(new Error('a newer notice took over'))
    this.#conclude({ kind: 'superseded' })
    this.#settleFirstRound()
  }

  /** A hook was told, and that is written down. */
  delivered(id: string): void {
    this.#errors.delete(id)
    this.#untried.delete(id)
    this.#settle()
  }

  /** A try of a hook ended badly; gives whether it is news. */
  failed(id: string, error: string, { refused = false } = {}): boolean {
    const isNews = this.#errors.get(id) !== error
    this.#errors.set(id, error)
    this.#untried.delete(id)
    if (refused) this.#settleResult({ kind: 'refused', hook: id, why: error })
    this.#settle()
    return isNews
  }

  #settle(): void {
    if (this.#errors.size === 0) this.#conclude({ kind: 'told' })
    if (this.#untried.size === 0) this.#settleFirstRound()
  }

  #conclude(result: DeliveryResult): void {
    this.#settleResult(result)
    this.#settleEnd(result)
  }
}

/** The retry loop of one hook and one notice. Ends when the hook is told and that is written down, or the telling is abandoned. */
async function tellUntilTold(hook: Hook, telling: Telling, options: NotifierOptions): Promise<void> {
  const { clock, random } = options
  let backoff = exponentialBackoff({ firstMs: FIRST_RETRY_MS, longestMs: LONGEST_RETRY_MS })
  while (!telling.tries.aborted && !(await tellOnce(hook, telling, options))) {
    await clock.sleep(backoff.durationMs(random), telling.tries).catch(() => {})
    backoff = backoff.next()
  }
}

/** Tells the hook, unless it was told already, and writes that down; gives whether both are done. */
async function tellOnce(hook: Hook, telling: Telling, options: NotifierOptions): Promise<boolean> {
  const { log } = options
  const { notice, signal, told } = telling
  // Hooks of two bundles may well be the same, but for whom they are told.
  const about = { bundle: notice.bundle, hook: hook.id, generation: notice.generation }
  try {
    if (!told.has(hook.id)) await hook.tell(notice, signal)
  } catch (error) {
    if (signal.aborted) return false
    const refused = error instanceof HookError && error.code === 'refused'
    const isNews = telling.failed(hook.id, messageOf(error), { refused })
    const hint = error instanceof OperationalError && error.hint !== undefined ? { hint: error.hint } : {}
    const [message, details] = [
      refused ? 'hook refused' : 'hook failed',
      { ...about, error: messageOf(error), ...hint },
    ]
    if (isNews) log.warn(message, details)
    else log.debug(message, details)
    return false
  }
  // Too late: this success is one of a generation that nobody asks about any more.
  if (signal.aborted) return false
  told.add(hook.id)
  try {
    await options.delivered(notice.generation, hook.id)
  } catch (error) {
    const why = `told, but that could not be written down: ${messageOf(error)}`
    if (telling.failed(hook.id, why) && !signal.aborted) log.warn('delivery not recorded', { ...about, error: why })
    return false
  }
  telling.delivered(hook.id)
  log.info('hook told', about)
  return true
}
