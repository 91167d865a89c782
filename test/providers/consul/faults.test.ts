import { describe, expect, test } from 'vitest'
import { onConsul, whyNoConsul } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { proxyTo } from '../../support/fault-proxy.ts'
import { ConsulBench, startConsul, textOf } from './harness.ts'
import { valuesOf } from '../workbench.ts'
import { lineFaults } from '../faults.ts'

const SOON = { withinMs: 20_000 }
/** Faults are noticed fast here. */
const IMPATIENT = { wait: '1s', timeout: '300ms' }

function at({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`
}

describe(`what goes wrong ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 120_000 }, () => {
  lineFaults(async () => {
    const server = await startConsul({ persistent: true })
    const proxy = await proxyTo(server)
    return {
      server,
      proxy,
      open: async manner => {
        const options = manner === 'impatient' ? IMPATIENT : {}
        const bench = await ConsulBench.open({ address: at(proxy), ...options })
        return { tree: () => bench.watch('tree', 'a/'), key: name => bench.watch('key', `a/${name}`), textOf }
      },
      elsewhere: text => server.client.put('elsewhere', text),
    }
  })

  test('a connection that is dead at our end only is no error once there is another, and misses nothing', async () => {
    const server = await startConsul()
    const proxy = await proxyTo(server)
    await server.client.put('a/b', '1')
    const bench = await ConsulBench.open({ address: at(proxy), wait: '2s', timeout: '300ms' })
    const watching = bench.watch('tree', 'a/')
    await watching.first()
    // As after a suspend: what there was is dead, and what is new passes.
    await eventually(() => expect(proxy.connections).toBe(2))
    proxy.fault = 'hang'
    proxy.fault = 'pass'
    await server.client.put('a/b', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
  })

  test('a wait that is cut off after a while is no error, and misses nothing', async () => {
    const server = await startConsul()
    const proxy = await proxyTo(server)
    await server.client.put('a/b', '0')
    const bench = await ConsulBench.open({ address: at(proxy), wait: '30s' })
    const watching = bench.watch('tree', 'a/')
    await watching.first()
    await new Promise(resolve => setTimeout(resolve, 1_200))
    proxy.cut()
    await server.client.put('a/b', '1')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '1' }), SOON)
    expect(watching.ends).toEqual([])
  })

  test('a server that hangs is noticed, and read anew when it goes on', async () => {
    const server = await startConsul()
    await server.client.put('a/b', '1')
    const bench = await ConsulBench.open({ address: server.url, ...IMPATIENT })
    const watching = bench.watch('key', 'a/b')
    await watching.first()
    server.pause()
    await eventually(() => expect(watching.ends[0]).toMatchObject({ code: 'timeout' }), SOON)
    server.unpause()
    await server.client.put('a/b', '2')
    await eventually(() => expect(textOf(watching.latest)).toBe('2'), SOON)
  })

  test('a server that is killed and started again on what it held is read anew, and nothing goes blank', async () => {
    const server = await startConsul({ persistent: true })
    await server.client.put('a/b', '1')
    const bench = await ConsulBench.open({ address: server.url, ...IMPATIENT })
    const [watching, service] = [bench.watch('tree', 'a/'), bench.watch('services')]
    await Promise.all([watching.first(), service.first()])

    await server.kill()
    await eventually(() => expect(watching.ends).not.toEqual([]), SOON)
    // It answers before it has elected itself, and has no leader then.
    await server.resume()
    await server.client.put('a/b', '2')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }), SOON)
    for (const reading of watching.readings) expect(valuesOf(reading)).not.toEqual({})
    for (const reading of service.readings) expect(reading.value).not.toEqual([])
    for (const end of [...watching.ends, ...service.ends]) {
      expect(['unavailable', 'timeout']).toContain((end as { code?: string }).code)
    }
  })

  test('a server that has lost everything and counts from one again is believed', async () => {
    const server = await startConsul()
    for (let i = 0; i < 50; i++) await server.client.put('a/b', `old ${i}`)
    const bench = await ConsulBench.open({ address: server.url, ...IMPATIENT })
    const [watching, key] = [bench.watch('tree', 'a/'), bench.watch('key', 'other/key')]
    await Promise.all([watching.first(), key.first()])
    const { revision } = watching.latest

    await server.kill()
    await server.resume()
    await server.client.put('a/b', 'new')

    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: 'new' }), SOON)
    expect(Number.parseInt(watching.latest.revision, 10)).toBeLessThan(Number.parseInt(revision, 10))
    await server.client.put('other/key', 'there')
    await eventually(() => expect(textOf(key.latest)).toBe('there'), SOON)
  })

  test('a restart between two queries, behind a proxy that hides it, is noticed by its smaller index', async () => {
    const server = await startConsul()
    const proxy = await proxyTo(server)
    for (let i = 0; i < 50; i++) await server.client.put('a/b', `old ${i}`)
    const bench = await ConsulBench.open({ address: at(proxy), wait: '3s' })
    const watching = bench.watch('tree', 'a/')
    await watching.first()
    await new Promise(resolve => setTimeout(resolve, 1_200))
    await server.kill()
    await server.resume()
    await server.client.put('a/b', 'new')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: 'new' }), SOON)
  })
})
