/** The life of a token, on a clock that the test owns. */
import { expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { Answer } from '../../../providers/vault/api.ts'
import type { AuthMethod, Life, LoginWorld } from '../../../providers/vault/auth/method.ts'
import { Session } from '../../../providers/vault/auth/session.ts'
import { Tokens } from '../../../providers/vault/auth/tokens.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'

const HOUR = 3_600_000
const never = new AbortController().signal

/** A server and a method that do as the test says, and what they were asked. */
class Scene {
  readonly clock = new FakeClock()
  readonly asked: string[] = []
  tries = 0
  life: Life | undefined = { durationMs: HOUR, renewable: true, usesLeft: 0 }
  /** What each renewal grants, in seconds; undefined refuses. */
  renewal: number | undefined = 3_600
  failure: ProviderError | undefined
  /** The token of a method that is given one. */
  given = 'given'
  readonly session: Session

  constructor(isFresh = true) {
    let count = 0
    const logIn = async () => {
      this.tries++
      if (this.failure !== undefined) throw this.failure
      const token = isFresh ? `token ${++count}` : this.given
      this.asked.push(`log in: ${token}`)
      return { token: new Secret(token), ...(this.life === undefined ? {} : { life: this.life }) }
    }
    const method: AuthMethod = { name: 'scripted', isFresh, logIn }
    const world = { settings: { timeoutMs: 30_000 } } as unknown as LoginWorld
    const tokens = new Tokens(async ({ path }, token) => this.#answer(path.replace('auth/token/', ''), token.reveal()))
    this.session = new Session(method, world, tokens, { clock: this.clock, random: () => 0.5 })
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

const outage = new ProviderError('unavailable', 'the server is away')

test('a token is renewed at two thirds of its life, again and again, and stays the same', async () => {
  const scene = new Scene()
  await scene.token()
  await scene.clock.advance(39 * 60_000)
  expect(scene.asked).toEqual(['log in: token 1'])
  await scene.clock.advance(60_000)
  expect(scene.asked).toEqual(['log in: token 1', 'renew-self: token 1'])
  await scene.clock.advance(10 * HOUR)
  expect(scene.asked.filter(text => text.startsWith('renew'))).toHaveLength(16)
  expect(await scene.token()).toBe('token 1')
})

test('a token of 32 days is not renewed before its time', async () => {
  const scene = new Scene()
  scene.life = { durationMs: 768 * HOUR, renewable: true, usesLeft: 0 }
  scene.renewal = 768 * 3_600
  await scene.token()
  await scene.clock.advance(511 * HOUR)
  expect(scene.asked).toEqual(['log in: token 1'])
  await scene.clock.advance(HOUR)
  expect(scene.asked).toEqual(['log in: token 1', 'renew-self: token 1'])
})

test('a token that nears the end of all renewals is replaced, and the other is in use at once', async () => {
  const scene = new Scene()
  await scene.token()
  scene.renewal = 600
  await scene.clock.advance(40 * 60_000)
  expect(scene.asked).toEqual(['log in: token 1', 'renew-self: token 1', 'log in: token 2'])
  expect(await scene.token()).toBe('token 2')
})

test.each([
  ['cannot be renewed, such as a batch token,', { renewable: false }, 3_600],
  ['is not renewed any more', { renewable: true }, undefined],
])('a token that %s is replaced before it ends', async (_, { renewable }, renewal) => {
  const scene = new Scene()
  scene.life = { durationMs: HOUR, renewable, usesLeft: 0 }
  scene.renewal = renewal
  await scene.token()
  await scene.clock.advance(40 * 60_000)
  expect(await scene.token()).toBe('token 2')
})

test('while no other can be had the token stays in use, and is not used after its end', async () => {
  const scene = new Scene()
  await scene.token()
  scene.failure = outage
  await scene.clock.advance(HOUR - 1)
  expect(await scene.token()).toBe('token 1')
  await scene.clock.advance(1)
  await expect(scene.token()).rejects.toBe(outage)
  scene.failure = undefined
  await scene.clock.advance(60_000)
  expect(await scene.token()).toBe('token 2')
})

test('a login that fails is not tried by everybody who needs one', async () => {
  const scene = new Scene()
  scene.failure = outage
  for (let i = 0; i < 100; i++) await expect(scene.token()).rejects.toBe(outage)
  expect(scene.tries).toBe(1)
  await scene.clock.advance(10_000)
  for (let i = 0; i < 100; i++) await expect(scene.token()).rejects.toBe(outage)
  expect(scene.tries).toBe(2)
})

test('a token that is refused is replaced once, whoever is told', async () => {
  const scene = new Scene()
  const refused = await scene.session.token(never)
  const next = await Promise.all(Array.from({ length: 50 }, () => scene.session.after(refused, never)))
  expect(new Set(next.map(token => token?.reveal()))).toEqual(new Set(['token 2']))
  expect(scene.asked).toEqual(['log in: token 1', 'log in: token 2'])
})

test('a token that is given is looked for again before it is renewed, and taken when there is another', async () => {
  const scene = new Scene(false)
  await scene.token()
  await scene.clock.advance(40 * 60_000)
  expect(scene.asked.at(-1)).toBe('renew-self: given')
  scene.given = 'another'
  await scene.clock.advance(40 * 60_000)
  expect(await scene.token()).toBe('another')
  expect(scene.asked).not.toContain('renew-self: another')
})

test('a token without an end is left alone', async () => {
  const scene = new Scene(false)
  scene.life = { durationMs: 0, renewable: false, usesLeft: 0 }
  await scene.token()
  expect(scene.clock.sleeping).toBe(0)
})

test('nothing is left when it is closed', async () => {
  const scene = new Scene()
  await scene.token()
  expect(scene.clock.sleeping).toBe(1)
  scene.session.close()
  await settled()
  expect(scene.clock.sleeping).toBe(0)
})
