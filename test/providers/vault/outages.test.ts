/** What becomes of secrets and leases while a server fails, on the double and on a real one behind a TCP proxy. The time is ours: an
 *  outage of ten minutes takes a moment. What was made is counted where it is made. */
import { describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { Fault } from '../../support/fault-proxy.ts'
import { call, must, vaultServers } from '../../support/vault-server.ts'
import { DB, KV, Scene } from './outage-scene.ts'

const MINUTE = 60_000
/** The store's longest wait before it asks again, which is drawn evenly from up to that. */
const BACKOFF_STEP_MS = MINUTE

describe.each(vaultServers())('%s', { timeout: 120_000 }, (_, start) => {
  test.each<[string, Fault]>([
    ['refuses every connection', 'refuse'],
    ['is silent', 'hang'],
    ['hears and does not answer', 'half-open'],
  ])('that %s for ten minutes, while lease and token are to be renewed', async (_name, fault) => {
    const scene = await Scene.on(start)
    await scene.time.pass(35 * MINUTE, 5_000)
    scene.proxy.fault = fault
    scene.time.isDead = fault !== 'refuse'
    for (let minute = 0; minute < 10; minute++) {
      await scene.time.pass(MINUTE)
      expect(scene.shown).toEqual(scene.first)
    }
    expect(scene.stored.error).toMatch(/no answer|ECONN/)
    await scene.write('changed')
    scene.proxy.fault = 'pass'
    scene.time.isDead = false
    // Whatever hung on a dead line ends with its own deadline first.
    if (fault !== 'refuse') scene.proxy.cut()

    await scene.time.until(() => scene.stored.value(KV) === 'changed', BACKOFF_STEP_MS)
    await scene.time.until(() => scene.stored.error === undefined, BACKOFF_STEP_MS)
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })

  test('that is sealed for ten minutes, and unsealed', async () => {
    const scene = await Scene.on(start)
    await scene.time.pass(35 * MINUTE, 5_000)
    await must(scene.server, 'POST', 'sys/seal')
    await scene.time.pass(10 * MINUTE)
    expect(scene.shown).toEqual(scene.first)
    expect(scene.stored.error).toContain('the server is sealed')
    await call(scene.server, 'POST', 'sys/unseal', { key: scene.server.unsealKey })
    await eventually(async () => expect((await call(scene.server, 'GET', 'sys/health')).status).toBe(200))
    await eventually(() => scene.write('changed'))

    await scene.time.until(() => scene.stored.value(KV) === 'changed', BACKOFF_STEP_MS)
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })

  test('that revokes the token: another is got at once, and what hung on it is made anew, once', async () => {
    const scene = await Scene.on(start)
    const mine = await scene.ownTokens()
    expect(mine).toHaveLength(1)
    await must(scene.server, 'POST', 'auth/token/revoke-accessor', { accessor: mine[0] })
    await scene.write('changed')

    await scene.time.until(() => scene.stored.value(KV) === 'changed', 15_000)
    await scene.time.until(() => scene.stored.value(DB) !== scene.first.db, 45 * MINUTE)
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(await scene.ownTokens()).toHaveLength(1)
    expect(scene.stored.error).toBeUndefined()
    expect(await scene.made()).toEqual({ made: 2, leases: 1, isGood: true })
  })

  test('that takes the policy away: what may not be read is dropped, what has a lease stays, and both come back', async () => {
    const scene = await Scene.on(start)
    await scene.leasing.permit('nothing/*')
    await scene.time.until(() => scene.stored.value(KV) === undefined, 15_000)
    await scene.time.pass(10 * MINUTE)
    expect(scene.stored.error).toContain('the token may')
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    await scene.leasing.permit('rabbit/creds/*', 'secret/*')

    await scene.time.until(() => scene.stored.value(KV) === 'first', BACKOFF_STEP_MS)
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    expect(await scene.ownTokens()).toHaveLength(1)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })

  test('that revokes the lease: another is made when that is seen, once', async () => {
    const scene = await Scene.on(start)
    const [name] = await scene.leasing.leases()
    await must(scene.server, 'POST', 'sys/leases/revoke', { lease_id: `rabbit/creds/app/${name}` })
    expect(scene.stored.value(DB)).toBe(scene.first.db)

    await scene.time.until(() => scene.stored.value(DB) !== scene.first.db, 45 * MINUTE)
    expect(scene.stored.said).toContain('the backend knows its lease no more')
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(await scene.made()).toEqual({ made: 2, leases: 1, isGood: true })
  })

  test('that answers slowly: all is seen, later', async () => {
    const scene = await Scene.on(start)
    scene.proxy.delayMs = 50
    scene.proxy.fault = 'slow'
    await scene.write('changed')

    await scene.time.until(() => scene.stored.value(KV) === 'changed', 15_000)
    scene.proxy.delayMs = 5
    await scene.time.pass(45 * MINUTE, 10_000)
    expect(scene.stored.error).toBeUndefined()
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })

  test('whose connections are cut again and again', async () => {
    const scene = await Scene.on(start)
    for (let i = 1; i <= 100; i++) {
      scene.proxy.cut()
      await scene.time.pass(30_000, 5_000)
      expect(scene.shown).toEqual(scene.first)
    }
    await scene.write('changed')

    await scene.time.until(() => scene.stored.value(KV) === 'changed', 15_000)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })

  test('that lets through one request a second, for ten minutes', async () => {
    const scene = await Scene.on(start)
    await scene.time.pass(35 * MINUTE, 5_000)
    await must(scene.server, 'POST', 'sys/quotas/rate-limit/storm', { path: '', rate: 1, interval: '1s' })
    await scene.time.pass(10 * MINUTE)
    expect(scene.shown).toEqual(scene.first)
    await eventually(() => must(scene.server, 'DELETE', 'sys/quotas/rate-limit/storm'))
    await scene.write('changed')

    await scene.time.until(() => scene.stored.value(KV) === 'changed', BACKOFF_STEP_MS)
    await scene.time.pass(90 * MINUTE, 5_000)
    expect(scene.stored.said).toContain('rate-limited')
    expect(scene.stored.value(DB)).toBe(scene.first.db)
    expect(await scene.made()).toEqual({ made: 1, leases: 1, isGood: true })
  })
})
