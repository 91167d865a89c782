import { describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { proxyTo } from '../../support/fault-proxy.ts'
import { onEtcd, whyNoEtcd } from '../../support/etcd-server.ts'
import { EtcdBench, startEtcd } from './harness.ts'
import { valuesOf } from '../workbench.ts'
import { lineFaults } from '../faults.ts'

const SOON = { withinMs: 15_000 }
/** Faults are noticed fast here, and the slow look is far away unless a test is about it. */
const IMPATIENT = { heartbeat: '300ms', timeout: '300ms', poll: '1h' }

function at({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`
}

describe(`what goes wrong ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  lineFaults(async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    return {
      server,
      proxy,
      open: async manner => {
        const options = manner === 'impatient' ? IMPATIENT : { poll: '1h' }
        const bench = await EtcdBench.open({ endpoints: at(proxy), ...options })
        return { tree: () => bench.prefix('a'), key: name => bench.key(`a/${name}`), textOf: ({ value }) => value }
      },
      elsewhere: async text => server.client.compact(await server.client.put('elsewhere', text)),
    }
  })

  test('a connection that is cut is no error, and misses nothing', async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    await server.client.put('a/b', '0')
    const bench = await EtcdBench.open({ endpoints: at(proxy), ...IMPATIENT })
    const watching = bench.prefix('a')
    await watching.first()
    proxy.cut()
    await server.client.put('a/b', '1')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '1' }), SOON)
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
    const bench = await EtcdBench.open({ endpoints: at(proxy), ...IMPATIENT })
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
    const endpoints = [bad, good].map(at)
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
})
