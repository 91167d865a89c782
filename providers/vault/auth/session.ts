import type { Clock } from '../../../lib/base/clock.ts'
import { withDeadline } from '../../../lib/base/deadline.ts'
import { orAborted } from '../../../lib/base/or-aborted.ts'
import type { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { AuthMethod, Login, LoginWorld } from './method.ts'

/** The token that requests are sent with, and where the next one comes from.
 *
 *  There is one login at a time, whoever needs it; and it belongs to nobody, so that a watch which ends does not end it for the
 *  others. */
export class Session {
  readonly #method: AuthMethod
  readonly #world: LoginWorld
  readonly #clock: Clock
  readonly #closed = new AbortController()
  #login: Promise<Login> | undefined

  constructor(method: AuthMethod, world: LoginWorld, clock: Clock) {
    this.#method = method
    this.#world = world
    this.#clock = clock
  }

  /** Whether the method can give another token than the one that is refused. */
  get isFresh(): boolean {
    return this.#method.isFresh
  }

  /** The token of now; logs in when there is none. Rejects with a ProviderError, or the signal's reason. */
  async token(signal: AbortSignal): Promise<Secret> {
    const { token } = await orAborted(this.#current(), signal)
    return token
  }

  /** Told that a token was refused: gives another one to try with, or undefined when there is no other. */
  async after(refused: Secret, signal: AbortSignal): Promise<Secret | undefined> {
    const current = await this.token(signal)
    // Somebody else was refused before us, and it has been replaced.
    if (current.reveal() !== refused.reveal()) return current
    this.#login = undefined
    const next = await this.token(signal)
    return next.reveal() === refused.reveal() ? undefined : next
  }

  close(): void {
    this.#closed.abort(new Error('the provider is closed'))
    this.#login = undefined
  }

  #current(): Promise<Login> {
    this.#login ??= this.#logIn()
    return this.#login
  }

  #logIn(): Promise<Login> {
    const { signal } = this.#closed
    const timeoutMs = this.#world.settings.timeoutMs * LOGIN_REQUESTS
    const deadline = {
      timeoutMs,
      timeoutError: () => new ProviderError('timeout', `${this.#method.name}: no login in time`),
    }
    const login = withDeadline(deadline, cut => this.#method.logIn(this.#world, cut), this.#clock, signal)
    // One that failed is not kept: whoever asks next tries again.
    login.catch(() => {
      if (this.#login === login) this.#login = undefined
    })
    return login
  }
}

/** How many requests a login is at most, one after the other. */
const LOGIN_REQUESTS = 3
