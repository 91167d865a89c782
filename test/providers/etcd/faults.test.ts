import { describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { onEtcd, whyNoEtcd, type EtcdServer } from '../../support/etcd-server.ts'
import type { Fault, FaultProxy } from '../../support/fault-proxy.ts'
import { sequence } from '../../support/random.ts'
import { EtcdBench, proxyTo, startEtcd, valuesOf } from './harness.ts'

const SOON = { withinMs: 15_000 }
/** Faults are noticed fast here, and the slow look is far away unless a test is about it. */
const IMPATIENT = { heartbeat: '300ms', timeout: '300ms', poll: '1h' }

describe(`what goes wrong ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  test.each<Fault>(['hang', 'half-open'])(
    'a connection that is %s is noticed, and read anew over another',
    async fault => {
      const server = await startEtcd()
      const proxy = await proxyTo(server)
      await server.client.put('a/b', '1')
      const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, ...IMPATIENT })
      const watching = bench.prefix('a')
      await watching.first()

      proxy.fault = fault
      await server.client.put('a/b', '2')
      await eventually(() => expect(watching.ends).not.toEqual([]), SOON)
      expect(watching.ends).toMatchObject(watching.ends.map(() => ({ code: 'timeout' })))
      expect(valuesOf(watching.latest)).toEqual({ b: '1' })
      proxy.fault = 'pass'

      await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
    },
  )

  test('a connection that is cut is no error, and misses nothing', async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    await server.client.put('a/b', '0')
    const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, ...IMPATIENT })
    const watching = bench.prefix('a')
    await watching.first()
    proxy.cut()
    await server.client.put('a/b', '1')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '1' }), SOON)
    expect(watching.ends).toEqual([])
  })

  test('a slow line gives the newest', async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    proxy.fault = 'slow'
    const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, poll: '1h' })
    const watching = bench.prefix('a')
    await watching.first()
    for (let i = 1; i <= 30; i++) await server.client.put('a/b', String(i))
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '30' }), SOON)
    expect(watching.ends).toEqual([])
  })

  test('a server that is killed and started again is read anew', async () => {
    const server = await startEtcd()
    await server.client.put('a/b', '1')
    const bench = await EtcdBench.open({ endpoints: server.url, ...IMPATIENT })
    const watching = bench.prefix('a')
    await watching.first()

    await server.kill()
    await eventually(() => expect(watching.ends).not.toEqual([]), SOON)
    await server.resume()
    await server.client.put('a/b', '2')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
    // It may listen for a while before it answers.
    for (const end of watching.ends) expect(['unavailable', 'timeout']).toContain((end as { code?: string }).code)
  })

  test('a server that has lost everything and counts from one again is believed', async () => {
    const server = await startEtcd()
    for (let i = 0; i < 20; i++) await server.client.put('a/b', 'old')
    const bench = await EtcdBench.open({ endpoints: server.url, ...IMPATIENT })
    const [watching, key] = [bench.prefix('a'), bench.key('a/b')]
    await Promise.all([watching.first(), key.first()])
    const before = key.latest.revision

    await server.kill()
    await server.forget()
    await server.resume()
    // The same revision, and another value.
    for (let i = 0; i < 20; i++) await server.client.put('a/b', 'new')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: 'new' }), SOON)
    await eventually(() => expect(key.latest.revision.split('.')[0]).toBe(before.split('.')[0]), SOON)
    expect(key.latest.value).toBe('new')
    expect(key.latest.revision).not.toBe(before)
  })

  test('what was compacted while nobody could be told is read anew', async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    await server.client.put('a/b', '0')
    const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, ...IMPATIENT })
    const watching = bench.prefix('a')
    await watching.first()

    proxy.fault = 'refuse'
    let revision = 0
    for (let i = 1; i <= 20; i++) revision = await server.client.put('a/b', String(i))
    await server.client.compact(revision)
    proxy.fault = 'pass'

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '20' }), SOON)
  })

  test('an endpoint that fails is left for the next one, and comes last from then on', async () => {
    const server = await startEtcd()
    const [bad, good] = [await proxyTo(server), await proxyTo(server)]
    const endpoints = [bad, good].map(({ port }) => `http://127.0.0.1:${port}`)
    await server.client.put('a/b', '0')
    const bench = await EtcdBench.open({ endpoints, ...IMPATIENT })
    const watching = bench.prefix('a')
    await watching.first()
    expect(good.connections).toBe(0)

    bad.fault = 'refuse'
    await server.client.put('a/b', '1')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '1' }), SOON)
    bad.fault = 'pass'
    const turned = bad.connections
    good.fault = 'refuse'
    await server.client.put('a/b', '2')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
    expect(bad.connections).toBeGreaterThan(turned)
  })

  test.each([1, 2, 3, 4])('no final state is missed, whatever happens (schedule %i)', async seed => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, ...IMPATIENT })
    const watching = bench.prefix('a')
    const random = sequence(seed)
    const state: Record<string, string> = {}
    for (let round = 0; round < 25; round++) {
      await act(server, proxy, state, random)
      if (random() < 0.3) continue
      proxy.fault = 'pass'
      await eventually(() => expect(valuesOf(watching.latest)).toEqual(state), { withinMs: 20_000 })
    }
    expect(watching.readings.every(({ revision }) => revision !== '')).toBe(true)
  })
})

/** One thing that happens to the keys or to the line. */
async function act(
  server: EtcdServer,
  proxy: FaultProxy,
  state: Record<string, string>,
  random: () => number,
): Promise<void> {
  const key = `k${Math.floor(random() * 4)}`
  switch (Math.floor(random() * 7)) {
    case 0:
      delete state[key]
      await server.client.remove(`a/${key}`)
      break
    case 1:
      proxy.cut()
      break
    case 2:
      proxy.fault = (['hang', 'half-open', 'refuse', 'slow'] as const)[Math.floor(random() * 4)] ?? 'hang'
      break
    case 3:
      await server.client.compact(await server.client.put('elsewhere', String(random())))
      break
    case 4:
      if (random() < 0.3) {
        await server.kill()
        await server.resume()
      }
      break
    default:
      state[key] = String(random())
      await server.client.put(`a/${key}`, state[key])
  }
}
