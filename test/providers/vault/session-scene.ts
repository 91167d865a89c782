import { onTestFinished } from 'vitest'
import { silentLog } from '../../../lib/base/log.ts'
import { Secret } from '../../../lib/base/secret.ts'
import type { ProviderError } from '../../../lib/errors.ts'
import type { Answer } from '../../../providers/vault/answer.ts'
import type { AuthMethod, Life, LoginWorld } from '../../../providers/vault/auth/method.ts'
import { Session } from '../../../providers/vault/auth/session.ts'
import { Tokens } from '../../../providers/vault/auth/tokens.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { noteIn } from '../../support/provider-host.ts'

export const HOUR = 3_600_000
export const never = new AbortController().signal

/** A server and a method that do as the test says, and what they were asked. */
export class Scene {
  readonly clock: FakeClock
  readonly asked: string[] = []
  readonly warned: string[] = []
  tries = 0
  life: Life | undefined = { durationMs: HOUR, renewable: true, usesLeft: 0, accessor: 'accessor' }
  /** What each renewal grants, in seconds; undefined refuses. */
  renewal: number | undefined = 3_600
  failure: ProviderError | undefined
  /** Of logins alone. */
  loginFailure: ProviderError | undefined
  /** The token of a method that is given one. */
  given = 'given'
  /** Whether each token that a login gives has an accessor of its own, such as `of token 1`. */
  hasOwnAccessors = false
  /** What is kept for the next process. */
  readonly note: Map<string, string>
  readonly session: Session
  #count = 0

  /** @param before the process that this one comes after */
  constructor(isFresh = true, before?: Scene, account = 'web') {
    this.clock = before?.clock ?? new FakeClock()
    this.note = before?.note ?? new Map()
    this.hasOwnAccessors = before?.hasOwnAccessors ?? false
    this.#count = before === undefined ? 0 : before.#count
    const logIn = async () => {
      this.tries++
      const failure = this.failure ?? this.loginFailure
      if (failure !== undefined) throw failure
      const token = isFresh ? `token ${++this.#count}` : this.given
      this.asked.push(`log in: ${token}`)
      const life = this.hasOwnAccessors && this.life ? { ...this.life, accessor: `of ${token}` } : this.life
      return { token: new Secret(token), ...(life === undefined ? {} : { life }) }
    }
    const method: AuthMethod = { name: 'scripted', isFresh, logIn, account: async () => account }
    const world = { settings: { timeoutMs: 30_000, shown: 'https://vault', namespace: '' } } as unknown as LoginWorld
    const tokens = new Tokens(async ({ path }, token) => this.#answer(path.replace('auth/token/', ''), token.reveal()))
    this.session = new Session(method, world, tokens, {
      clock: this.clock,
      random: () => 0.5,
      note: noteIn(this.note),
      log: { ...silentLog, warn: (message, data) => void this.warned.push(`${message} ${JSON.stringify(data)}`) },
    })
    onTestFinished(() => this.session.close())
  }

  async token(): Promise<string> {
    return (await this.session.token(never)).reveal()
  }

  #answer(action: string, token: string): Answer {
    this.asked.push(`${action}: ${token}`)
    if (this.failure !== undefined) throw this.failure
    if (this.renewal === undefined)
      return { status: 403, headers: new Map(), body: new Map([['errors', ['permission denied']]]) }
    const auth = new Map<string, boolean | number>([
      ['lease_duration', this.renewal],
      ['renewable', true],
    ])
    return { status: 200, headers: new Map(), body: new Map([['auth', auth]]) }
  }
}
