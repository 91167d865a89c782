import { hash } from 'node:crypto'
import type { Clock } from '../../../lib/base/clock.ts'
import { formatDurationMs } from '../../../lib/base/duration.ts'
import { ProviderError } from '../../../lib/errors.ts'
import { CredentialsRefused } from '../failure.ts'
import type { LoginWorld } from './method.ts'

/** For how long credentials are not sent again after they were refused once, twice, and so on.
 *
 *  A server locks a user or role out that is refused five times with less than a quarter of an hour between (`user_lockout_threshold`,
 *  `user_lockout_counter_reset`; https://developer.hashicorp.com/vault/docs/concepts/user-lockout): then not even the right password helps. */
const WAITS_MS = [10_000, 60_000, 300_000, 960_000]

interface Refusal {
  /** A hash of what was sent. */
  readonly of: string
  readonly times: number
  readonly untilMs: number
  readonly error: ProviderError
}

/** Keeps credentials that the server has refused from being sent again and again. Others are sent at once: those of a file that was
 *  changed meanwhile, say. */
export class RefusedLogins {
  readonly #clock: Clock
  #last: Refusal | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** As `post`, save that it rejects as the last time where the same would be refused once more. */
  guard(post: LoginWorld['post']): LoginWorld['post'] {
    return async (path, fields, signal, token) => {
      const of = hash('sha256', JSON.stringify([path, fields, token?.reveal()]))
      const last = this.#last?.of === of ? this.#last : undefined
      if (last !== undefined && this.#clock.monotonicMs() < last.untilMs) throw last.error
      try {
        const answer = await post(path, fields, signal, token)
        this.#last = undefined
        return answer
      } catch (error) {
        if (!(error instanceof CredentialsRefused)) throw error
        throw this.#refused(of, (last?.times ?? 0) + 1, error)
      }
    }
  }

  #refused(of: string, times: number, cause: CredentialsRefused): ProviderError {
    const waitMs = WAITS_MS[Math.min(times, WAITS_MS.length) - 1] as number
    const message = `${cause.message}; they are not sent again for ${formatDurationMs(waitMs)}, so that nobody is locked out`
    const hint = `${cause.hint === undefined ? '' : `${cause.hint}; `}changed ones are sent at once, and after SIGHUP the same, too`
    const error = new ProviderError('unauthenticated', message, { hint, cause })
    this.#last = { of, times, untilMs: this.#clock.monotonicMs() + waitMs, error }
    return error
  }
}
