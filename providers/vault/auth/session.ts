import { exponentialBackoff } from '../../../lib/base/backoff.ts'
import type { Clock, Random } from '../../../lib/base/clock.ts'
import { withDeadline } from '../../../lib/base/deadline.ts'
import { orAborted } from '../../../lib/base/or-aborted.ts'
import type { Log } from '../../../lib/base/log.ts'
import { formatDurationMs } from '../../../lib/base/duration.ts'
import type { Secret } from '../../../lib/base/secret.ts'
import { messageOf, ProviderError } from '../../../lib/errors.ts'
import type { Note } from '../../../lib/provider.ts'
import { jittered } from '../../poll.ts'
import { heldToken, type HeldToken } from './held-token.ts'
import { readTokens, writeTokens, type KeptToken } from './kept-token.ts'
import type { AuthMethod, Life, LoginWorld } from './method.ts'
import { ReplacedTokens } from './replaced-tokens.ts'
import type { Tokens } from './tokens.ts'

/** How many requests a login is at most, one after the other. */
const LOGIN_REQUESTS = 4
/** When a token is renewed or replaced, as a share of its life: a third is left for what may go wrong. */
const RENEWED_AT = 2 / 3
/** A token of which little is left is not asked about all the time. */
const WAIT_MS_MIN = 1_000
const FAILED_MS = { firstMs: 250, longestMs: 10_000 }
/** However long a server asks us to wait: whatever needs a token waits with it. */
const RETRY_AFTER_MS_MAX = 60_000
/** A token that has less than this part of what it was granted is renewed for a lease that would last longer. */
const FULL_PART = 0.9
/** How much longer a token is taken to be needed than the lease says that asks for it: so not each renewal writes the note. */
const NEEDED_LONGER = 2

/** What a session uses of the world around it. */
export interface SessionWorld {
  readonly clock: Clock
  readonly random: Random
  readonly note: Note
  readonly log: Log
}

/** The token that requests are sent with: kept alive, and replaced before it ends.
 *
 *  There is one login at a time, whoever needs it; and it belongs to nobody, so that a watch which ends does not end it for the
 *  others. A token that was got by a login is noted for the next process: the server ends leases with the token that they were
 *  made with, and a fleet that restarts need not log in. One that is replaced while leases hang on it is kept for these. */
export class Session {
  readonly #method: AuthMethod
  readonly #world: LoginWorld
  readonly #tokens: Tokens
  readonly #clock: Clock
  readonly #random: Random
  readonly #closed = new AbortController()
  readonly #note: Note
  readonly #log: Log
  readonly #replaced: ReplacedTokens
  readonly #accessors = new WeakMap<Secret, string>()
  readonly #listeners = new Set<() => void>()
  #held: HeldToken | undefined
  #isRecalled = false
  #loggingIn: Promise<HeldToken> | undefined
  /** Why the last login failed, and until when nobody tries another: hundreds of watches ask for a token at once. */
  #failure: { readonly error: unknown; readonly untilMs: number } | undefined
  #backoff = exponentialBackoff(FAILED_MS)

  constructor(method: AuthMethod, world: LoginWorld, tokens: Tokens, { clock, random, note, log }: SessionWorld) {
    this.#note = note
    this.#log = log
    this.#method = method
    this.#world = world
    this.#tokens = tokens
    this.#clock = clock
    this.#random = random
    this.#replaced = new ReplacedTokens(clock)
  }

  /** Whether the method can give another token than the one that is refused. */
  get isFresh(): boolean {
    return this.#method.isFresh
  }

  /** Whether the token of now is from before a restart: a login may give one that may do more. It stays one until a login succeeds. */
  get isKept(): boolean {
    return this.#held?.isKept === true
  }

  /** The accessor of a token that this gave; empty where it has none. */
  accessorOf(token: Secret): string {
    return this.#accessors.get(token) ?? ''
  }

  /** Told that the server does not know a token any more: what hangs on it has ended as well. */
  ended(token: Secret): void {
    this.#replaced.noteEnd(this.accessorOf(token), this.#clock.monotonicMs())
  }

  /** For how long a token lasts, in milliseconds; undefined for one of which nothing is known. One that is ours is renewed before, if
   *  it lasts less than is wanted and a renewal may help, and is taken to be needed for so long. Rejects where that is not answered.
   *  @param wantedMs for how long a lease that hangs on it would last */
  async lasting(accessor: string, wantedMs: number, signal: AbortSignal): Promise<number | undefined> {
    const held = this.#find(accessor)
    if (held !== undefined) {
      this.#need(held, wantedMs)
      if (this.#isWorthRenewing(held, wantedMs)) await this.#prolongedAtMost(held, signal)
    }
    const endsMs = this.#replaced.endOf(accessor) ?? this.#find(accessor)?.endsMs
    return endsMs === undefined ? undefined : endsMs - this.#clock.monotonicMs()
  }

  /** The token of now; logs in when there is none. Rejects with a ProviderError, or the signal's reason. */
  async token(signal: AbortSignal): Promise<Secret> {
    const held = this.#held
    if (held !== undefined && this.#clock.monotonicMs() < held.endsMs) return held.token
    return (await orAborted(this.#logIn(), signal)).token
  }

  /** As `token`, for something that will hang on it: so a token that can be renewed is renewed before, and one that nears its end is
   *  replaced, as far as either can be had. What was made with one that ends would have to be made once more. */
  async tokenToHangOn(signal: AbortSignal): Promise<Secret> {
    const held = this.#held
    if (held !== undefined && this.isFresh && this.#isToBeProlonged(held)) {
      await orAborted(this.#prolonged(held), signal).catch(() => signal.throwIfAborted())
    }
    return await this.token(signal)
  }

  #isToBeProlonged(held: HeldToken): boolean {
    return held.renewable ? this.#isWorthRenewing(held, Infinity) : this.#left(held) < held.grantedMs * (1 - RENEWED_AT)
  }

  /** Told that a token was refused: gives another one to try with, or undefined when there is no other. */
  async after(refused: Secret, signal: AbortSignal): Promise<Secret | undefined> {
    const current = await this.token(signal)
    // Somebody else was refused before us, and it has been replaced.
    if (current.reveal() !== refused.reveal()) return current
    const { token } = await orAborted(this.#logIn(), signal)
    return token.reveal() === refused.reveal() ? undefined : token
  }

  /** How long the token of now is good still; Infinity for one without an end. */
  get leftMs(): number {
    return this.#held === undefined ? 0 : Math.max(0, this.#held.endsMs - this.#clock.monotonicMs())
  }

  /** The next who needs a token tries to log in, however soon after a login that failed. */
  forgetFailure(): void {
    this.#failure = undefined
  }

  /** Has the listener called for each token that takes the place of another. Gives what ends that. */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    // The wall clock may have leapt since it was noted, and it is all that the next process has.
    this.#write()
    const reason = new Error('the provider is closed')
    this.#closed.abort(reason)
    this.#held?.over.abort(reason)
    this.#held = undefined
    this.#replaced.close()
  }

  #logIn(): Promise<HeldToken> {
    this.#loggingIn ??= this.#tryToLogIn().finally(() => (this.#loggingIn = undefined))
    // Whoever waits for it may be gone by then.
    this.#loggingIn.catch(() => {})
    return this.#loggingIn
  }

  async #tryToLogIn(): Promise<HeldToken> {
    const failed = this.#failure
    if (failed !== undefined && this.#clock.monotonicMs() < failed.untilMs) throw failed.error
    const { signal } = this.#closed
    const deadline = {
      timeoutMs: this.#world.settings.timeoutMs * LOGIN_REQUESTS,
      timeoutError: () => new ProviderError('timeout', `${this.#method.name}: no login in time`),
    }
    try {
      const held = await withDeadline(deadline, cut => this.#loggedIn(cut), this.#clock, signal)
      signal.throwIfAborted()
      this.#failure = undefined
      this.#backoff = exponentialBackoff(FAILED_MS)
      const before = this.#held
      this.#hold(held)
      if (before?.token.reveal() !== held.token.reveal()) for (const listener of this.#listeners) listener()
      return held
    } catch (error) {
      const askedMs = error instanceof ProviderError ? (error.retryAfterMs ?? 0) : 0
      const waitMs = Math.min(askedMs, RETRY_AFTER_MS_MAX) + this.#backoff.durationMs(this.#random)
      const untilMs = this.#clock.monotonicMs() + waitMs
      this.#failure = { error, untilMs }
      this.#backoff = this.#backoff.next()
      throw error
    }
  }

  async #loggedIn(signal: AbortSignal): Promise<HeldToken> {
    const account = await this.#account()
    const kept = await this.#recall(account)
    if (kept !== undefined) return heldToken(kept, true)
    // What the server grants counts from when it was asked.
    const startMs = this.#clock.monotonicMs()
    const { token, life: granted } = await this.#method.logIn(this.#world, signal)
    const life = granted ?? (await this.#tokens.lookUp(token, signal))
    if (life.usesLeft > 0) {
      // Of a token that is ours alone nothing is left behind; of one that cannot be revoked its own end is.
      if (this.isFresh) await this.#tokens.revoke(token, signal).catch(() => {})
      throw new ProviderError('unauthenticated', 'the token may be used a few times only', {
        hint: 'give one without a limit of uses: num_uses=0, or token_num_uses=0 of the role',
      })
    }
    const { durationMs, renewable, accessor } = life
    const endsMs = durationMs === 0 ? Infinity : startMs + durationMs
    const given = { account, token, accessor, grantedMs: durationMs, renewable, endsMs, neededUntilMs: startMs }
    return heldToken(given, false)
  }

  /** Whom and where a token is got for; undefined where that is not known. */
  async #account(): Promise<string | undefined> {
    if (!this.isFresh) return undefined
    const { shown, namespace } = this.#world.settings
    const account = await this.#method.account?.(this.#world).catch(() => undefined)
    return account === undefined ? undefined : JSON.stringify([shown, namespace, this.#method.name, account])
  }

  /** The token of before a restart; once. Whether the server still knows it, its first use will show. Those that had been replaced
   *  before are taken up with it. */
  async #recall(account: string | undefined): Promise<KeptToken | undefined> {
    if (this.#isRecalled || account === undefined) return undefined
    this.#isRecalled = true
    const note = await this.#note.read()
    if (note === undefined) return undefined
    const { current, replaced } = readTokens(note, account, this.#clock)
    for (const kept of replaced) this.#replaced.keep(heldToken(kept, true))
    return current
  }

  #hold(held: HeldToken): void {
    const before = this.#held
    before?.over.abort(new Error('another token has taken its place'))
    if (before !== undefined && before.accessor !== held.accessor) {
      // A token that is given is somebody else's to keep.
      if (this.isFresh) this.#replaced.keep(before)
      else this.#replaced.noteEnd(before.accessor, before.endsMs)
    }
    this.#held = held
    this.#replaced.forget(held.accessor)
    this.#accessors.set(held.token, held.accessor)
    this.#write()
    if (held.endsMs === Infinity) return
    // It ends with its signal, and has nobody to tell.
    this.#keep(held, held.over.signal).catch(() => {})
  }

  /** A token that is ours: that of now, or one that leases hang on. */
  #find(accessor: string): HeldToken | undefined {
    return this.#held?.accessor === accessor ? this.#held : this.#replaced.find(accessor)
  }

  #need(held: HeldToken, wantedMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs + wantedMs <= held.neededUntilMs) return
    held.neededUntilMs = nowMs + wantedMs * NEEDED_LONGER
    this.#write()
  }

  #write(): void {
    // Nothing is held after the end: by then the note is the next configuration's.
    if (!isKnown(this.#held)) return
    this.#note.write(writeTokens(this.#held, this.#replaced.needed.filter(isKnown), this.#clock))
  }

  /** Renews the token for as long as it can be, and then gets another. The one that there is stays in use meanwhile. */
  async #keep(held: HeldToken, signal: AbortSignal): Promise<void> {
    let told: string | undefined
    let backoff = exponentialBackoff()
    let waitMs = this.#untilRenewal(held)
    for (;;) {
      const { endsMs } = held
      await this.#clock.sleep(waitMs, signal)
      try {
        // A lease may have had it renewed meanwhile.
        if (held.endsMs <= endsMs) await this.#prolonged(held)
        told = undefined
        backoff = exponentialBackoff()
        waitMs = this.#untilRenewal(held)
      } catch (error) {
        signal.throwIfAborted()
        // Whoever uses the provider is told when there is no token any more: this is the time to do something about it.
        if (messageOf(error) !== told && this.#left(held) > 0) this.#tellOf(error, held)
        told = messageOf(error)
        waitMs = backoff.durationMs(this.#random) + 1
        backoff = backoff.next()
      }
    }
  }

  #tellOf(error: unknown, held: HeldToken): void {
    const hint = error instanceof ProviderError ? error.hint : undefined
    const goodFor = formatDurationMs(Math.round(this.#left(held) / 1_000) * 1_000)
    const data = { error: messageOf(error), goodFor, ...(hint === undefined ? {} : { hint }) }
    this.#log.warn('cannot renew or replace the token, which is good still', data)
  }

  #left({ endsMs }: HeldToken): number {
    return endsMs - this.#clock.monotonicMs()
  }

  #untilRenewal(held: HeldToken): number {
    return Math.max(WAIT_MS_MIN, jittered(this.#left(held) * RENEWED_AT, this.#random))
  }

  #isWorthRenewing({ renewable, endsMs, grantedMs }: HeldToken, wantedMs: number): boolean {
    const leftMs = endsMs - this.#clock.monotonicMs()
    return renewable && leftMs > 0 && leftMs < wantedMs && leftMs < grantedMs * FULL_PART
  }

  #prolonged(held: HeldToken): Promise<void> {
    const { signal } = held.over
    // What another has taken the place of is renewed, and never replaced.
    const prolong = async () =>
      void (await (held === this.#held ? this.#prolong(held, signal) : this.#renewed(held, signal)))
    held.prolonging ??= prolong().finally(() => (held.prolonging = undefined))
    // Whoever waits for it may be gone by then.
    held.prolonging.catch(() => {})
    return held.prolonging
  }

  /** As `#prolonged`, for a lease that will do with what is left of the token. */
  async #prolongedAtMost(held: HeldToken, signal: AbortSignal): Promise<void> {
    try {
      await orAborted(this.#prolonged(held), signal)
    } catch (error) {
      signal.throwIfAborted()
      // It was renewed as far as it goes; that no other can be had takes nothing from it.
      if (!held.isEnding) throw error
    }
  }

  async #prolong(held: HeldToken, signal: AbortSignal): Promise<void> {
    if (!this.isFresh) {
      const { token } = await this.#method.logIn(this.#world, signal)
      if (token.reveal() !== held.token.reveal()) return void (await this.#logIn())
    }
    const isOver = this.#clock.monotonicMs() >= held.endsMs
    const life = held.renewable && !isOver ? await this.#renewed(held, signal) : undefined
    // A token that nears the end of all renewals gets less each time.
    held.isEnding = life === undefined || (life.durationMs > 0 && life.durationMs < held.grantedMs / 2)
    if (held.isEnding && this.isFresh) await this.#logIn()
  }

  async #renewed(held: HeldToken, signal: AbortSignal): Promise<Life | undefined> {
    const startMs = this.#clock.monotonicMs()
    const life = await this.#tokens.renew(held.token, signal)
    held.renewable = life?.renewable === true
    if (life !== undefined) held.endsMs = life.durationMs === 0 ? Infinity : startMs + life.durationMs
    this.#write()
    return life
  }
}

/** Whether it is known whom a token was got for, so that it can be kept. */
function isKnown(held: HeldToken | undefined): held is HeldToken & KeptToken {
  return held?.account !== undefined
}
