/** The life of a token, on a clock that the test owns. */
import { expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { Answer } from '../../../providers/vault/answer.ts'
import type { AuthMethod, Life, LoginWorld } from '../../../providers/vault/auth/method.ts'
import { Session } from '../../../providers/vault/auth/session.ts'
import { Tokens } from '../../../providers/vault/auth/tokens.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { noteIn } from '../../support/provider-host.ts'

const HOUR = 3_600_000
const never = new AbortController().signal

/** A server and a method that do as the test says, and what they were asked. */
class Scene {
  readonly clock: FakeClock
  readonly asked: string[] = []
  tries = 0
  life: Life | undefined = { durationMs: HOUR, renewable: true, usesLeft: 0, accessor: 'accessor' }
  /** What each renewal grants, in seconds; undefined refuses. */
  renewal: number | undefined = 3_600
  failure: ProviderError | undefined
  /** The token of a method that is given one. */
  given = 'given'
  /** What is kept for the next process. */
  readonly note: Map<string, string>
  readonly session: Session

  /** @param before the process that this one comes after */
  constructor(isFresh = true, before?: Scene, account = 'web') {
    this.clock = before?.clock ?? new FakeClock()
    this.note = before?.note ?? new Map()
    let count = 0
    const logIn = async () => {
      this.tries++
      if (this.failure !== undefined) throw this.failure
      const token = isFresh ? `token ${++count}` : this.given
      this.asked.push(`log in: ${token}`)
      return { token: new Secret(token), ...(this.life === undefined ? {} : { life: this.life }) }
    }
    const method: AuthMethod = { name: 'scripted', isFresh, logIn, account: async () => account }
    const world = { settings: { timeoutMs: 30_000, shown: 'https://vault', namespace: '' } } as unknown as LoginWorld
    const tokens = new Tokens(async ({ path }, token) => this.#answer(path.replace('auth/token/', ''), token.reveal()))
    this.session = new Session(method, world, tokens, {
      clock: this.clock,
      random: () => 0.5,
      note: noteIn(this.note),
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
  scene.life = { durationMs: 768 * HOUR, renewable: true, usesLeft: 0, accessor: 'accessor' }
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
  scene.life = { durationMs: HOUR, renewable, usesLeft: 0, accessor: 'accessor' }
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

test('a login that is turned away for a while is not tried again before that, whoever needs one', async () => {
  const scene = new Scene()
  scene.failure = new ProviderError('rate-limited', 'slow down', { retryAfterMs: 5_000 })
  await expect(scene.token()).rejects.toThrow('slow down')
  scene.failure = undefined
  await scene.clock.advance(5_000)
  await expect(scene.token()).rejects.toThrow('slow down')
  expect(scene.tries).toBe(1)
  await scene.clock.advance(250)
  expect(await scene.token()).toBe('token 1')
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

test('who listens is told of each token that takes the place of another, and of no renewal', async () => {
  const scene = new Scene()
  const told: string[] = []
  const stop = scene.session.onReplaced(() => void told.push(`after ${scene.asked.length}`))
  await scene.token()
  expect(told).toEqual(['after 1'])
  await scene.clock.advance(40 * 60_000)
  expect(scene.asked).toHaveLength(2)
  expect(told).toEqual(['after 1'])
  scene.renewal = 600
  await scene.clock.advance(40 * 60_000)
  expect(scene.asked.at(-1)).toBe('log in: token 2')
  expect(told).toHaveLength(2)
  expect(scene.session.leftMs).toBeGreaterThan(0)
  stop()
  await scene.session.after(new Secret('token 2'), never)
  expect(told).toHaveLength(2)
})

test('a token without an end is left alone', async () => {
  const scene = new Scene(false)
  scene.life = { durationMs: 0, renewable: false, usesLeft: 0, accessor: 'accessor' }
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

test('a token that was got by a login is used by the next process, and renewed, without another login', async () => {
  const before = new Scene()
  await before.token()
  before.session.close()
  await before.clock.advance(30 * 60_000)
  const scene = new Scene(true, before)
  expect(await scene.token()).toBe('token 1')
  await scene.clock.advance(10 * HOUR)

  expect(await scene.token()).toBe('token 1')
  expect(new Set(scene.asked)).toEqual(new Set(['renew-self: token 1']))
})

test.each<[string, (before: Scene) => Scene | Promise<Scene>]>([
  ['that has ended meanwhile', async before => before.clock.advance(HOUR).then(() => new Scene(true, before))],
  ['of another account', before => new Scene(true, before, 'db')],
])('a token %s is not used by the next process', async (_, next) => {
  const before = new Scene()
  await before.token()
  before.session.close()
  const scene = await next(before)
  await scene.token()

  expect(scene.asked).toEqual(['log in: token 1'])
})

test.each(['hvs.never', '{"token":"hvs.never', 'null'])(
  'a note that is none, such as %s, is as no note',
  async note => {
    const before = new Scene()
    before.note.set('', note)
    const scene = new Scene(true, before)
    expect(await scene.token()).toBe('token 1')
  },
)

test('a token whose wall clock went back is not used for longer than it had', async () => {
  const before = new Scene()
  await before.token()
  before.session.close()
  before.clock.leap(-24 * HOUR)
  const scene = new Scene(true, before)
  scene.renewal = undefined
  scene.failure = outage
  expect(await scene.token()).toBe('token 1')
  await scene.clock.advance(HOUR)
  await expect(scene.token()).rejects.toBe(outage)
})

test('a token that is given is not kept', async () => {
  const scene = new Scene(false)
  await scene.token()
  expect(scene.note.size).toBe(0)
})

test('a token is renewed for a lease that would last longer, once for many, and not when it is full', async () => {
  const scene = new Scene()
  await scene.token()
  const ask = () => scene.session.lasting('accessor', 2 * HOUR, never)
  expect(await ask()).toBe(HOUR)
  await scene.clock.advance(30 * 60_000)
  expect(await scene.session.lasting('accessor', HOUR / 4, never)).toBe(HOUR / 2)
  expect(await Promise.all(Array.from({ length: 50 }, ask))).toEqual(Array.from({ length: 50 }, () => HOUR))
  expect(scene.asked).toEqual(['log in: token 1', 'renew-self: token 1'])
  await scene.clock.advance(39 * 60_000)
  expect(scene.asked).toHaveLength(2)
})

test('of a token that was replaced it is known when it ends, and of one that was refused that it has', async () => {
  const scene = new Scene()
  const first = await scene.session.token(never)
  scene.renewal = 600
  scene.life = { durationMs: HOUR, renewable: true, usesLeft: 0, accessor: 'another' }
  await scene.clock.advance(40 * 60_000)
  expect(await scene.token()).toBe('token 2')
  expect(await scene.session.lasting('accessor', HOUR, never)).toBe(600_000)
  const second = await scene.session.token(never)
  scene.session.ended(second)
  expect(await scene.session.lasting('another', HOUR, never)).toBe(0)
  expect(await scene.session.lasting('unheard of', HOUR, never)).toBeUndefined()
  expect(first.reveal()).toBe('token 1')
})
