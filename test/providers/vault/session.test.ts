/** The life of a token, on a clock that the test owns. */
import { expect, test } from 'vitest'
import { Secret } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import { settled } from '../../support/fake-clock.ts'
import { HOUR, never, Scene } from './session-scene.ts'

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

  expect(scene.asked).toEqual(['log in: token 2'])
})

test.each(['hvs.never', '{"token":"hvs.never', 'null', '{"token":"hvs.never"}'])(
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

test('a token at the end of all renewals is good for its leases to the end, also while no other can be had', async () => {
  const scene = new Scene()
  await scene.token()
  await scene.clock.advance(39 * 60_000)
  scene.loginFailure = new ProviderError('unauthenticated', 'the credentials are not taken')
  scene.renewal = 1_700
  expect(await scene.session.lasting('accessor', 2 * HOUR, never)).toBe(1_700_000)
  await scene.clock.advance(60_000)
  scene.renewal = 1_640
  expect(await scene.session.lasting('accessor', 2 * HOUR, never)).toBe(1_640_000)
  scene.failure = outage
  await scene.clock.advance(1_640_000)
  await expect(scene.session.token(never)).rejects.toBe(outage)
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

/** A process after a restart with a kept token, and leases of 40 minutes on it, whose token another has taken the place of. */
async function replaced(): Promise<Scene> {
  const before = new Scene()
  before.hasOwnAccessors = true
  await before.token()
  expect(await before.session.lasting('of token 1', 40 * 60_000, never)).toBe(HOUR)
  before.session.close()
  const scene = new Scene(true, before)
  await scene.session.after(await scene.session.token(never), never)
  expect(await scene.token()).toBe('token 2')
  scene.asked.length = 0
  return scene
}

test('a token on which leases hang is renewed for them when another has taken its place, also after a restart', async () => {
  const scene = await replaced()
  await scene.clock.advance(30 * 60_000)
  expect(await scene.session.lasting('of token 1', 40 * 60_000, never)).toBe(HOUR)
  expect(scene.asked).toEqual(['renew-self: token 1'])
  scene.session.close()

  const next = new Scene(true, scene)
  expect(await next.token()).toBe('token 2')
  await next.clock.advance(30 * 60_000)
  next.asked.length = 0
  expect(await next.session.lasting('of token 1', 40 * 60_000, never)).toBe(HOUR)
  expect(next.asked).toEqual(['renew-self: token 1'])
})

test('a token that another has taken the place of is renewed for nothing but its leases, and dropped after them', async () => {
  const scene = await replaced()
  scene.renewal = 3 * 3_600
  await scene.session.lasting('of token 1', 2 * HOUR, never)
  expect(scene.note.get('')).toContain('token 1')
  scene.asked.length = 0
  await scene.clock.advance(10 * HOUR)
  expect(scene.asked).not.toContain('renew-self: token 1')
  expect(scene.note.get('')).not.toContain('token 1')
  expect(await scene.session.lasting('of token 1', HOUR, never)).toBeLessThan(0)
  expect(scene.asked).not.toContain('renew-self: token 1')
})

test('a token on which no lease hangs is not kept when another takes its place', async () => {
  const before = new Scene()
  await before.token()
  before.hasOwnAccessors = true
  await before.session.after(await before.session.token(never), never)
  expect(before.note.get('')).toContain('token 2')
  expect(before.note.get('')).not.toContain('token 1')
})

/** Lets the token come to its end in an outage. */
async function outlast(scene: Scene): Promise<void> {
  scene.failure = outage
  await scene.clock.advance(HOUR)
  scene.failure = undefined
  await scene.clock.advance(10_000)
}

test.each<[string, (scene: Scene) => void | Promise<void>]>([
  ['that has ended', scene => outlast(scene)],
  ['that the server does not know', async scene => scene.session.ended(await scene.session.token(never))],
])('a token %s is not renewed for its leases', async (_, end) => {
  const scene = new Scene()
  scene.hasOwnAccessors = true
  const first = await scene.session.token(never)
  await scene.session.lasting('of token 1', 100 * HOUR, never)
  await end(scene)
  await scene.session.after(first, never)
  expect(await scene.token()).not.toBe('token 1')
  scene.asked.length = 0
  expect(await scene.session.lasting('of token 1', HOUR, never)).toBeLessThanOrEqual(0)
  expect(scene.asked).toEqual([])
})

test('a token that ended after another had taken its place is not renewed for its leases', async () => {
  const scene = await replaced()
  scene.failure = outage
  await scene.clock.advance(HOUR)
  scene.failure = undefined
  scene.asked.length = 0
  expect(await scene.session.lasting('of token 1', 20 * 60_000, never)).toBeLessThanOrEqual(0)
  expect(scene.asked).toEqual([])
})

test('of the tokens that leases hang on the ten that are needed longest are kept', async () => {
  const scene = new Scene()
  scene.hasOwnAccessors = true
  for (let count = 1; count <= 13; count++) {
    const token = await scene.session.token(never)
    // Not in the order in which they are needed.
    await scene.session.lasting(`of token ${count}`, ((count * 5) % 13) * 60_000 + 60_000, never)
    await scene.session.after(token, never)
  }
  const { tokens } = JSON.parse(scene.note.get('') ?? '') as { tokens: readonly { token: string }[] }
  expect(tokens.map(({ token }) => token)).not.toContain('token 13')
  expect(tokens).toHaveLength(1 + 10)
})

test('a kept token stays one while no other can be had, so that a login is tried again', async () => {
  const before = new Scene()
  await before.token()
  before.session.close()
  const scene = new Scene(true, before)
  const kept = await scene.session.token(never)
  scene.failure = outage
  await expect(scene.session.after(kept, never)).rejects.toBe(outage)
  expect(scene.session.isKept).toBe(true)
  scene.failure = undefined
  await scene.clock.advance(10_000)
  expect((await scene.session.after(kept, never))?.reveal()).toBe('token 2')
  expect(scene.session.isKept).toBe(false)
})

test('a session that is closed writes no note, whatever is answered to it later', async () => {
  const scene = new Scene()
  await scene.token()
  await scene.clock.advance(30 * 60_000)
  const asked = scene.session.lasting('accessor', HOUR, never).catch(() => undefined)
  scene.session.close()
  scene.note.set('', 'of the next process')
  await asked
  await settled()
  expect(scene.note.get('')).toBe('of the next process')
})

test('a token that can be neither renewed nor replaced is told of while it is good still, once', async () => {
  const scene = new Scene()
  await scene.token()
  scene.renewal = undefined
  scene.loginFailure = new ProviderError('unauthenticated', 'the credentials are not taken', { hint: 'see auth' })
  await scene.clock.advance(HOUR * 0.9)
  expect(scene.warned).toEqual([expect.stringContaining('cannot renew or replace the token, which is good still')])
  expect(scene.warned[0]).toMatch(/"error":"[^"]*the credentials are not taken".*"goodFor":"\d+m/)
  await scene.clock.advance(HOUR)
  expect(scene.warned).toHaveLength(1)
})

test('what will hang on a token is made with one that is full, and not with one that nears its end', async () => {
  const scene = new Scene()
  const toHangOn = async () => (await scene.session.tokenToHangOn(never)).reveal()
  expect(await toHangOn()).toBe('token 1')
  await scene.clock.advance(HOUR * 0.05)
  expect(await toHangOn()).toBe('token 1')
  expect(scene.asked).toEqual(['log in: token 1'])
  await scene.clock.advance(HOUR * 0.2)
  expect(await toHangOn()).toBe('token 1')
  expect(scene.asked.slice(1)).toEqual(['renew-self: token 1'])
  await scene.clock.advance(HOUR * 0.2)
  scene.renewal = 600
  expect(await toHangOn()).toBe('token 2')
  // What can be neither renewed nor replaced is good still.
  await scene.clock.advance(HOUR * 0.2)
  scene.failure = outage
  expect(await toHangOn()).toBe('token 2')
})

test('what will hang on a token that cannot be renewed is made with the next one in its last third', async () => {
  const scene = new Scene()
  scene.life = { durationMs: HOUR, renewable: false, usesLeft: 0, accessor: 'accessor' }
  const toHangOn = async () => (await scene.session.tokenToHangOn(never)).reveal()
  await toHangOn()
  await scene.clock.advance(HOUR * 0.5)
  expect(await toHangOn()).toBe('token 1')
  scene.loginFailure = outage
  await scene.clock.advance(HOUR * 0.3)
  expect(await toHangOn()).toBe('token 1')
  scene.loginFailure = undefined
  await scene.clock.advance(30_000)
  expect(await toHangOn()).toBe('token 2')
})

test('after a login that failed nobody tries another for a moment, unless somebody may have mended it', async () => {
  const scene = new Scene()
  scene.loginFailure = outage
  for (let i = 0; i < 10; i++) {
    await expect(scene.token()).rejects.toBe(outage)
    scene.session.forgetFailure()
  }
  expect(scene.tries).toBe(10)
  await expect(scene.token()).rejects.toBe(outage)
  await expect(scene.token()).rejects.toBe(outage)
  expect(scene.tries).toBe(11)
  scene.loginFailure = undefined
  scene.session.forgetFailure()

  expect(await scene.token()).toBe('token 1')
})
