import type { Secret } from '../../../lib/base/secret.ts'
import type { Answer } from '../answer.ts'
import { failureOf, saysUnknownToken } from '../failure.ts'
import { dataOf, mapOf, numberOf, secretOf, textOf, type Fields } from '../secret.ts'
import type { Life } from './method.ts'

/** What a token is asked with. */
export type Send = (
  ask: { readonly operation: 'read' | 'write'; readonly path: string },
  token: Secret,
  signal: AbortSignal,
) => Promise<Answer>

const UNKNOWN_LIFE: Life = { durationMs: 0, renewable: false, usesLeft: 0, accessor: '' }

/** What a token may do with itself. */
export class Tokens {
  readonly #send: Send

  constructor(send: Send) {
    this.#send = send
  }

  /** Rejects with a ProviderError for a token that the server does not know, and where it does not answer. */
  async lookUp(token: Secret, signal: AbortSignal): Promise<Life> {
    const answer = await this.#send({ operation: 'read', path: 'auth/token/lookup-self' }, token, signal)
    // A policy may hide it, and an old server says the same of an unknown token: its use will show.
    if (answer.status === 403 && !saysUnknownToken(answer)) return UNKNOWN_LIFE
    if (answer.status !== 200) throw failureOf('look up the token', answer, false)
    return lifeIn(dataOf(secretOf(answer.body)), 'ttl')
  }

  /** The life of now, or undefined when the server does not renew it any more. Rejects where it does not answer. */
  async renew(token: Secret, signal: AbortSignal): Promise<Life | undefined> {
    const answer = await this.#send({ operation: 'write', path: 'auth/token/renew-self' }, token, signal)
    if (answer.status === 400 || answer.status === 403) return undefined
    const auth = answer.status === 200 ? mapOf(mapOf(answer.body)?.get('auth')) : undefined
    if (auth === undefined) throw failureOf('renew the token', answer)
    return lifeIn(auth, 'lease_duration')
  }

  async revoke(token: Secret, signal: AbortSignal): Promise<void> {
    await this.#send({ operation: 'write', path: 'auth/token/revoke-self' }, token, signal)
  }
}

/** @param duration how the field is called */
export function lifeIn(fields: Fields, duration: 'ttl' | 'lease_duration'): Life {
  return {
    durationMs: numberOf(fields, duration) * 1_000,
    renewable: fields.get('renewable') === true,
    usesLeft: numberOf(fields, 'num_uses'),
    accessor: textOf(fields, 'accessor'),
  }
}
