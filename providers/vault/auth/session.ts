import { exponentialBackoff } from '../../../lib/base/backoff.ts'
import type { Clock, Random } from '../../../lib/base/clock.ts'
import { withDeadline } from '../../../lib/base/deadline.ts'
import { orAborted } from '../../../lib/base/or-aborted.ts'
import type { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import { jittered } from '../../poll.ts'
import type { AuthMethod, Life, LoginWorld } from './method.ts'
import type { Tokens } from './tokens.ts'

/** How many requests a login is at most, one after the other. */
const LOGIN_REQUESTS = 4
/** When a token is renewed or replaced, as a share of its life: a third is left for what may go wrong. */
const RENEWED_AT = 2 / 3
/** A token of which little is left is not asked about all the time. */
const WAIT_MS_MIN = 1_000
const FAILED_MS = { firstMs: 250, longestMs: 10_000 }

/** The token of now. */
interface Held {
  readonly token: Secret
  /** What it was granted at first; 0 for one without an end. */
  readonly grantedMs: number
  renewable: boolean
  /** On the monotonic clock. */
  endsMs: number
  /** Ends what keeps it alive. */
  readonly over: AbortController
}

/** The token that requests are sent with: kept alive, and replaced before it ends.
 *
 *  There is one login at a time, whoever needs it; and it belongs to nobody, so that a watch which ends does not end it for the
 *  others. */
export class Session {
  readonly #method: AuthMethod
  readonly #world: LoginWorld
  readonly #tokens: Tokens
  readonly #clock: Clock
  readonly #random: Random
  readonly #closed = new AbortController()
  #held: Held | undefined
  #loggingIn: Promise<Held> | undefined
  /** Why the last login failed, and until when nobody tries another: wrong credentials in hundreds of watches would lock a user out. */
  #failure: { readonly error: unknown; readonly untilMs: number } | undefined
  #backoff = exponentialBackoff(FAILED_MS)

  constructor(
    method: AuthMethod,
    world: LoginWorld,
    tokens: Tokens,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#method = method
    this.#world = world
    this.#tokens = tokens
    this.#clock = clock
    this.#random = random
  }

  /** Whether the method can give another token than the one that is refused. */
  get isFresh(): boolean {
    return this.#method.isFresh
  }

  /** The token of now; logs in when there is none. Rejects with a ProviderError, or the signal's reason. */
  async token(signal: AbortSignal): Promise<Secret> {
    const held = this.#held
    if (held !== undefined && this.#clock.monotonicMs() < held.endsMs) return held.token
    return (await orAborted(this.#logIn(), signal)).token
  }

  /** Told that a token was refused: gives another one to try with, or undefined when there is no other. */
  async after(refused: Secret, signal: AbortSignal): Promise<Secret | undefined> {
    const current = await this.token(signal)
    // Somebody else was refused before us, and it has been replaced.
    if (current.reveal() !== refused.reveal()) return current
    const { token } = await orAborted(this.#logIn(), signal)
    return token.reveal() === refused.reveal() ? undefined : token
  }

  close(): void {
    this.#closed.abort(new Error('the provider is closed'))
    this.#hold(undefined)
  }

  #logIn(): Promise<Held> {
    this.#loggingIn ??= this.#tryToLogIn().finally(() => (this.#loggingIn = undefined))
    // Whoever waits for it may be gone by then.
    this.#loggingIn.catch(() => {})
    return this.#loggingIn
  }

  async #tryToLogIn(): Promise<Held> {
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
      this.#hold(held)
      return held
    } catch (error) {
      const untilMs = this.#clock.monotonicMs() + this.#backoff.durationMs(this.#random)
      this.#failure = { error, untilMs }
      this.#backoff = this.#backoff.next()
      throw error
    }
  }

  async #loggedIn(signal: AbortSignal): Promise<Held> {
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
    const { durationMs, renewable } = life
    return {
      token,
      grantedMs: durationMs,
      renewable,
      endsMs: durationMs === 0 ? Infinity : startMs + durationMs,
      over: new AbortController(),
    }
  }

  #hold(held: Held | undefined): void {
    this.#held?.over.abort(new Error('another token has taken its place'))
    this.#held = held
    if (held === undefined || held.endsMs === Infinity) return
    // It ends with its signal, and has nobody to tell.
    this.#keep(held, held.over.signal).catch(() => {})
  }

  /** Renews the token for as long as it can be, and then gets another. The one that there is stays in use meanwhile. */
  async #keep(held: Held, signal: AbortSignal): Promise<void> {
    let backoff = exponentialBackoff()
    let waitMs = this.#untilRenewal(held)
    for (;;) {
      await this.#clock.sleep(waitMs, signal)
      try {
        await this.#prolong(held, signal)
        backoff = exponentialBackoff()
        waitMs = this.#untilRenewal(held)
      } catch {
        signal.throwIfAborted()
        // Whoever uses the provider is told when there is no token any more.
        waitMs = backoff.durationMs(this.#random) + 1
        backoff = backoff.next()
      }
    }
  }

  #untilRenewal({ endsMs }: Held): number {
    const leftMs = endsMs - this.#clock.monotonicMs()
    return Math.max(WAIT_MS_MIN, jittered(leftMs * RENEWED_AT, this.#random))
  }

  async #prolong(held: Held, signal: AbortSignal): Promise<void> {
    if (!this.isFresh) {
      const { token } = await this.#method.logIn(this.#world, signal)
      if (token.reveal() !== held.token.reveal()) return void (await this.#logIn())
    }
    const isOver = this.#clock.monotonicMs() >= held.endsMs
    const life = held.renewable && !isOver ? await this.#renewed(held, signal) : undefined
    // A token that nears the end of all renewals gets less each time.
    const isEnding = life === undefined || (life.durationMs > 0 && life.durationMs < held.grantedMs / 2)
    if (isEnding && this.isFresh) await this.#logIn()
  }

  async #renewed(held: Held, signal: AbortSignal): Promise<Life | undefined> {
    const startMs = this.#clock.monotonicMs()
    const life = await this.#tokens.renew(held.token, signal)
    held.renewable = life?.renewable === true
    if (life !== undefined) held.endsMs = life.durationMs === 0 ? Infinity : startMs + life.durationMs
    return life
  }
}
