import { describe, expect, onTestFinished, test } from 'vitest'
import { jsonLog } from '../../lib/base/json-log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import { Store, type Subscription } from '../../lib/store/store.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { AWAY, LeaseBackend, type LeaseOptions } from '../support/lease-backend.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { sequence } from '../support/sequence.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const db: Dependency = { provider: 'one', kind: 'value', path: 'db', params: {} }

/** A store on a backend that gives leases at `db`, and one bundle that wants it. */
async function setup(options: LeaseOptions, { seed = 1, bundle = 'web' } = {}) {
  const clock = new FakeClock()
  const provider = new ScriptedProvider(clock)
  const backend = new LeaseBackend(clock)
  backend.serve(provider, 'db', options)
  const redactor = new Redactor()
  const lines: string[] = []
  const store = new Store({
    providers: new Map([['one', provider]]),
    clock,
    random: sequence(seed),
    log: jsonLog({ level: 'debug', redactor, write: line => lines.push(line) }),
    redactor,
  })
  onTestFinished(() => store.close())
  const web = store.subscribe(bundle)
  web.want([db])
  await settled()
  const said = () => lines.join('')
  const status = () => store.status(new Map([['one', 'scripted']]))[0]
  return { clock, provider, backend, store, web, said, status }
}

function user(subscription: Subscription): string | undefined {
  const value = subscription.get(db)?.value
  return value instanceof Map ? String(value.get('user')) : undefined
}

/** What the reconciler does when a bundle has been published and confirmed. */
function confirm(subscription: Subscription): void {
  const leases = subscription.leases()
  void subscription.publishing(leases)
  subscription.confirmed(leases)
}

describe('a reading with a lease', () => {
  test('is the last of its watch: no watch runs while the lease keeps it', async () => {
    const { provider, web } = await setup({ durationMs: HOUR })

    expect(user(web)).toBe('db/lease-1')
    expect(provider.started()).toBe(1)
    expect(provider.active()).toBe(0)
  })

  test('is renewed at two thirds of its time, or up to a tenth of that earlier', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { clock, provider } = await setup({ durationMs: HOUR }, { seed })
      await clock.advance(36 * MINUTE - 1)
      expect(provider.renewed).toHaveLength(0)
      await clock.advance(4 * MINUTE + 1)
      expect(provider.renewed).toHaveLength(1)
    }
  })

  test('is kept for as long as it can be renewed, and never read again', async () => {
    const { clock, provider, backend, web } = await setup({ durationMs: HOUR })
    await clock.advance(30 * DAY)

    expect(backend.minted('db')).toBe(1)
    expect(provider.renewed.length).toBeGreaterThan(1_000)
    expect(user(web)).toBe('db/lease-1')
  })

  test('may last longer than a timer can', async () => {
    const { clock, provider, backend } = await setup({ durationMs: 90 * DAY })
    await clock.advance(59 * DAY)
    expect(provider.renewed.length).toBeLessThanOrEqual(1)
    await clock.advance(2 * DAY)
    expect(provider.renewed.length).toBe(1)
    expect(backend.minted('db')).toBe(1)
  })

  test('fails when it has ended before it came', async () => {
    const { status, web } = await setup({ durationMs: 0 })

    expect(web.get(db)).toBeUndefined()
    expect(status()?.error).toBe('its lease had ended when it came')
  })
})

describe('a renewal that fails', () => {
  test('is tried again and never mints while the lease has time, and the status says so', async () => {
    const { clock, provider, backend, web, status } = await setup({ durationMs: HOUR })
    backend.outage = { renew: AWAY }
    await clock.advance(53 * MINUTE)

    expect(provider.renewed.length).toBeGreaterThan(10)
    expect(backend.minted('db')).toBe(1)
    expect(user(web)).toBe('db/lease-1')
    expect(status()?.error).toBe('connection refused')

    backend.outage = {}
    await clock.advance(MINUTE)
    expect(status()?.error).toBeUndefined()
    await clock.advance(DAY)
    expect(backend.minted('db')).toBe(1)
  })

  test('is heard of once, and once more when the story changes', async () => {
    const { clock, backend, said } = await setup({ durationMs: HOUR })
    backend.outage = { renew: AWAY }
    await clock.advance(50 * MINUTE)
    backend.outage = { renew: new ProviderError('forbidden', 'permission denied') }
    await clock.advance(5 * MINUTE)

    expect(said().match(/"level":"warn"[^\n]*cannot renew/g)).toHaveLength(2)
  })

  test('until the last part of its time makes it read again, once, in time', async () => {
    const { clock, backend, web } = await setup({ durationMs: HOUR })
    backend.outage = { renew: AWAY }
    await clock.advance(58 * MINUTE)
    expect(backend.minted('db')).toBe(1)
    await clock.advance(2 * MINUTE - 1)

    expect(backend.minted('db')).toBe(2)
    expect(user(web)).toBe('db/lease-2')
  })

  test('without an answer is given up in time to try again', async () => {
    const { clock, provider, backend } = await setup({ durationMs: MINUTE })
    const { onRenew } = provider
    provider.onRenew = () => new Promise(() => {})
    await clock.advance(48_000)
    expect(provider.renewed.length).toBeGreaterThan(1)

    provider.onRenew = onRenew
    await clock.advance(HOUR)
    expect(backend.minted('db')).toBe(1)
  })

  test('waits as long as the backend asks, but never until it is too late', async () => {
    const { clock, provider, backend } = await setup({ durationMs: HOUR })
    backend.outage = { renew: new ProviderError('rate-limited', 'slow down', { retryAfterMs: 5 * MINUTE }) }
    await clock.advance(48 * MINUTE)
    expect(provider.renewed.length).toBeLessThanOrEqual(4)

    backend.outage = { renew: new ProviderError('rate-limited', 'slow down', { retryAfterMs: DAY }) }
    await clock.advance(5 * MINUTE)
    backend.outage = {}
    await clock.advance(7 * MINUTE)
    expect(backend.minted('db')).toBe(1)
  })
})

describe('a lease that cannot be renewed', () => {
  test('is replaced once, before its end, while its reading is served', async () => {
    const { clock, backend, web, provider } = await setup({ durationMs: HOUR, renewable: false })
    await clock.advance(48 * MINUTE - 1)
    expect(backend.minted('db')).toBe(1)
    expect(user(web)).toBe('db/lease-1')
    await clock.advance(6 * MINUTE + 1)

    expect(backend.minted('db')).toBe(2)
    expect(user(web)).toBe('db/lease-2')
    expect(provider.renewed).toEqual([])
  })

  test('because its longest time is near is replaced once, before that', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { clock, backend, web } = await setup({ durationMs: HOUR, maxMs: 90 * MINUTE }, { seed })
      for (let minute = 0; minute < 90; minute++) {
        expect(backend.isAlive(user(web) ?? '')).toBe(true)
        await clock.advance(MINUTE)
      }
      expect(backend.minted('db')).toBe(2)
      expect(user(web)).toBe('db/lease-2')
    }
  })

  test('because it is granted less than at first is one that can be: while its end moves it is renewed', async () => {
    const { clock, backend, provider } = await setup({ durationMs: HOUR })
    const { onRenew } = provider
    provider.onRenew = async (lease, signal) =>
      onRenew({ ...lease, durationMs: Math.min(lease.durationMs, 30 * MINUTE) }, signal)
    await clock.advance(DAY)

    expect(backend.minted('db')).toBe(1)
  })

  test('because the backend knows it no more is over at once, and read again', async () => {
    const { clock, backend, web, said } = await setup({ durationMs: HOUR })
    backend.end('db/lease-1')
    web.changed.clear()
    await clock.advance(40 * MINUTE)

    expect(said()).toContain('the backend knows its lease no more')
    expect(backend.minted('db')).toBe(2)
    expect(user(web)).toBe('db/lease-2')
    expect(web.changed.full).toBe(true)
  })

  test('because the provider cannot renew is replaced', async () => {
    const clock = new FakeClock()
    const scripted = new ScriptedProvider(clock)
    const backend = new LeaseBackend(clock)
    backend.serve(scripted, 'db', { durationMs: HOUR })
    const provider = {
      watch: (dependency: Dependency, signal: AbortSignal) => scripted.watch(dependency, signal),
      close: async () => {},
    }
    const redactor = new Redactor()
    const log = jsonLog({ level: 'silent', redactor, write: () => {} })
    const store = new Store({ providers: new Map([['one', provider]]), clock, random: () => 0.5, log, redactor })
    const web = store.subscribe('web')
    web.want([db])
    await clock.advance(55 * MINUTE)

    expect(backend.minted('db')).toBe(2)
    confirm(web)
    await clock.advance(2 * MINUTE)
    expect(store.handOver()).toHaveLength(1)
    await store.close()
  })
})

describe('the end of a lease', () => {
  test('ends its reading, with the reason, when it cannot be replaced in time', async () => {
    const { clock, provider, web, backend } = await setup({ durationMs: HOUR, renewable: false })
    provider.breakAll(AWAY)
    await clock.advance(HOUR - 1)
    expect(user(web)).toBe('db/lease-1')
    web.changed.clear()
    await clock.advance(1)

    expect(web.get(db)).toBeUndefined()
    expect(web.changed.full).toBe(true)
    expect(web.why(db)).toBe('its lease has ended, and it cannot be read again: connection refused')

    provider.mend()
    await clock.advance(MINUTE)
    expect(user(web)).toBe('db/lease-2')
    expect(backend.minted('db')).toBe(2)
  })

  test('is not passed by a timer that comes late', async () => {
    const { clock, web, provider } = await setup({ durationMs: HOUR, renewable: false })
    provider.breakAll(AWAY)
    clock.monotonicMs = () => HOUR

    expect(web.get(db)).toBeUndefined()
  })

  test.each([-DAY, -HOUR, HOUR, 400 * DAY])('does not move with a wall clock that leaps by %d ms', async leapMs => {
    const { clock, backend, web } = await setup({ durationMs: HOUR })
    await clock.advance(10 * MINUTE)
    clock.leap(leapMs)
    await clock.advance(DAY)

    expect(backend.minted('db')).toBe(1)
    expect(user(web)).toBe('db/lease-1')
  })
})

describe('no more than six leases of a dependency are taken within a minute', () => {
  test('when they are too short, and the error says so', async () => {
    const { clock, backend, status } = await setup({ durationMs: 2_000, renewable: false })
    await clock.advance(58_000)
    expect(backend.minted('db')).toBe(6)
    expect(status()?.error).toMatch(/^one:\/\/db has given 6 leases within a minute/)

    await clock.advance(10 * MINUTE)
    expect(backend.minted('db')).toBeLessThanOrEqual(6 * 11)
    expect(backend.minted('db')).toBeGreaterThan(6 * 9)
  })

  test('when the backend ends each at once', async () => {
    const { clock, backend, provider } = await setup({ durationMs: HOUR })
    provider.onRenew = async () => undefined
    backend.end('db/lease-1')
    await clock.advance(DAY)

    // Each is found gone when it is renewed, not before.
    expect(backend.minted('db')).toBeLessThanOrEqual(1 + (24 * 60) / 36)
  })

  test('also when reading it takes too long: it may have been given all the same', async () => {
    const { clock, provider } = await setup({ durationMs: 20_000, renewable: false })
    provider.breakAll(new ProviderError('timeout', 'no answer'))
    await clock.advance(20_000 + MINUTE)

    expect(provider.started()).toBeLessThanOrEqual(1 + 6 + 1)
  })
})

describe('an old lease', () => {
  test('is revoked after the bundle has confirmed what does not use it, and a moment more', async () => {
    const { clock, provider, web } = await setup({ durationMs: HOUR, renewable: false })
    confirm(web)
    await clock.advance(55 * MINUTE)
    expect(user(web)).toBe('db/lease-2')
    await clock.advance(MINUTE)
    expect(provider.revoked).toEqual([])

    confirm(web)
    await clock.advance(MINUTE - 1)
    expect(provider.revoked).toEqual([])
    await clock.advance(1)
    expect(provider.revoked).toEqual(['db/lease-1'])
  })

  test('is not revoked while any bundle may still use it', async () => {
    const { clock, provider, store, web } = await setup({ durationMs: DAY, renewable: false })
    const other = store.subscribe('other')
    other.want([db])
    confirm(web)
    confirm(other)
    await clock.advance(22 * HOUR)
    confirm(web)
    await clock.advance(HOUR)
    expect(provider.revoked).toEqual([])

    confirm(other)
    await clock.advance(MINUTE)
    expect(provider.revoked).toEqual(['db/lease-1'])
  })

  test('is not revoked while it is only known what was published, and not that it was taken well', async () => {
    const { clock, provider, web } = await setup({ durationMs: DAY, renewable: false })
    confirm(web)
    await clock.advance(22 * HOUR)
    await web.publishing(web.leases())
    await clock.advance(HOUR)

    expect(provider.revoked).toEqual([])
  })

  test('that was published on probation is not revoked by what another bundle confirms', async () => {
    const { clock, provider, store, web } = await setup({ durationMs: DAY, renewable: false })
    const other = store.subscribe('other')
    confirm(web)
    confirm(other)
    await clock.advance(22 * HOUR)
    await web.publishing(web.leases())
    for (let hour = 0; hour < 24 && user(web) === 'db/lease-2'; hour++) await clock.advance(HOUR)
    expect(user(web)).toBe('db/lease-3')
    confirm(other)
    await clock.advance(MINUTE)

    expect(provider.revoked).toEqual([])
  })

  test('that cannot be revoked is tried again until it ends by itself, and then forgotten', async () => {
    const { clock, provider, backend, web, store } = await setup({ durationMs: HOUR, renewable: false })
    await clock.advance(50 * MINUTE + 4 * MINUTE)
    backend.outage = { revoke: AWAY }
    confirm(web)
    await clock.advance(4 * MINUTE)
    expect(provider.revoked.length).toBeGreaterThan(2)
    expect(store.handOver()).toHaveLength(2)
    await clock.advance(3 * MINUTE)

    expect(store.handOver()).toHaveLength(1)
    const tries = provider.revoked.length
    await clock.advance(30 * MINUTE)
    expect(provider.revoked).toHaveLength(tries)
  })

  test('that nobody wants any more is renewed until that is confirmed, and then revoked', async () => {
    const { clock, provider, backend, web } = await setup({ durationMs: HOUR })
    confirm(web)
    web.want([])
    await clock.advance(DAY)
    expect(backend.isAlive('db/lease-1')).toBe(true)

    confirm(web)
    await clock.advance(MINUTE)
    expect(provider.revoked).toEqual(['db/lease-1'])
  })

  test('that is wanted again in time is used again, and not revoked', async () => {
    const { clock, provider, backend, web } = await setup({ durationMs: HOUR })
    confirm(web)
    web.want([])
    confirm(web)
    await clock.advance(MINUTE / 2)
    web.want([db])
    expect(user(web)).toBe('db/lease-1')
    await clock.advance(DAY)

    expect(provider.revoked).toEqual([])
    expect(backend.minted('db')).toBe(1)
  })

  test('of a bundle that is not configured any more is left to end by itself', async () => {
    const { store, web, clock, backend, provider } = await setup({ durationMs: HOUR })
    confirm(web)
    await store.close()
    const redactor = new Redactor()
    const log = jsonLog({ level: 'silent', redactor, write: () => {} })
    const next = new Store({ providers: new Map([['one', provider]]), clock, random: () => 0.5, log, redactor })
    onTestFinished(() => next.close())
    next.restore(undefined, store.handOver())
    const other = next.subscribe('other')
    other.want([])
    confirm(other)
    await clock.advance(2 * HOUR)

    expect(provider.revoked).toEqual([])
    expect(backend.minted('db')).toBe(1)
  })

  test('that was dropped because we may not have it any more is revoked, too', async () => {
    const { clock, provider, web } = await setup({ durationMs: HOUR, renewable: false })
    confirm(web)
    provider.fail('db', new ProviderError('forbidden', 'permission denied'))
    await clock.advance(55 * MINUTE)
    expect(web.get(db)).toBeUndefined()
    expect(web.why(db)).toBe('permission denied')

    web.want([])
    confirm(web)
    await clock.advance(MINUTE)
    expect(provider.revoked).toEqual(['db/lease-1'])
  })
})

describe('Store.close', () => {
  test('revokes nothing, leaves no timer, and hands over what is still good', async () => {
    const { clock, store, provider } = await setup({ durationMs: HOUR })
    await store.close()

    expect(clock.sleeping).toBe(0)
    expect(provider.revoked).toEqual([])
    expect(store.handOver()).toMatchObject([{ dependency: db, lease: { id: 'db/lease-1' }, users: ['web'] }])
  })

  test('ends at once while a renewal is not answered', async () => {
    const { clock, store, provider } = await setup({ durationMs: HOUR })
    provider.onRenew = () => new Promise(() => {})
    await clock.advance(40 * MINUTE)
    await store.close()

    expect(clock.sleeping).toBe(0)
  })

  test('revokes the leases of the providers that are asked to, and bounds the wait', async () => {
    const { store, provider } = await setup({ durationMs: HOUR })
    await store.close({ providers: new Set(['one']), withinMs: 5_000 })
    expect(provider.revoked).toEqual(['db/lease-1'])
    expect(store.handOver()).toEqual([])

    const slow = await setup({ durationMs: HOUR })
    slow.provider.onRevoke = () => new Promise(() => {})
    const closing = slow.store.close({ providers: new Set(['one']), withinMs: 5_000 })
    await slow.clock.advance(5_000)
    await closing
    expect(slow.said()).toContain('not revoked within 5000 ms')
  })
})
