import { describe, expect, test } from 'vitest'
import type { Struct, Value } from '../../../lib/base/value.ts'
import { Tree } from '../../../lib/base/value.ts'
import { absent, type Reading } from '../../../lib/reading.ts'
import { etcd } from '../../../providers/etcd/plugin.ts'
import { eventually } from '../../support/eventually.ts'
import { proxyTo } from '../../support/fault-proxy.ts'
import { onEtcd, whyNoEtcd } from '../../support/etcd-server.ts'
import { EtcdBench, question, startEtcd } from './harness.ts'
import { valuesOf } from '../workbench.ts'

function pairsOf(reading: Reading, name = 'etcdTree', path = 'app'): readonly Readonly<Record<string, Value>>[] {
  const pairs = question(name).answer(reading, [path]) as readonly Struct[]
  return pairs.map(({ fields }) => Object.fromEntries(fields))
}

describe(`what is read ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  test('a directory is the pairs below it, in the order of their keys, with what etcd says of them', async () => {
    const server = await startEtcd()
    await server.client.put('app/b', '1')
    const created = await server.client.put('app/a/x', '2')
    const lease = await server.client.grant(3_600)
    const modified = await server.client.put('app/a/x', '3', lease)
    await server.client.put('apple', 'not in it')
    await server.client.put('app', 'not in it')
    const bench = await EtcdBench.open({ endpoints: server.url })

    const reading = await bench.prefix('app').first()

    const pair = { Path: 'app/a/x', Key: 'a/x', Value: '3', Version: 2, TTL: 3_600 }
    const numbers = { CreateRevision: created, ModRevision: modified, Lease: BigInt(lease) }
    expect(pairsOf(reading)).toMatchObject([
      { ...pair, ...numbers },
      { Key: 'b', Value: '1', Lease: 0, TTL: 0 },
    ])
    expect(pairsOf(reading, 'etcdLs')).toMatchObject([{ Key: 'b' }])
  })

  test('a prefix of the provider stands before every path, and is not seen', async () => {
    const server = await startEtcd()
    await server.client.put('team/app/x', '1')
    const bench = await EtcdBench.open({ endpoints: server.url, prefix: 'team/' })
    expect((await bench.key('app/x').first()).value).toBe('1')
    expect(pairsOf(await bench.prefix('app').first())).toMatchObject([{ Path: 'app/x', Key: 'x' }])
    expect(pairsOf(await bench.prefix('').first(), 'etcdTree', '')).toMatchObject([{ Path: 'app/x', Key: 'app/x' }])
  })

  test('a key goes when its lease ends, and a lease that changes is seen', async () => {
    const server = await startEtcd()
    const [short, long] = [await server.client.grant(60), await server.client.grant(120)]
    await server.client.put('app/x', '1', short)
    const bench = await EtcdBench.open({ endpoints: server.url })
    const watching = bench.prefix('app')
    expect(pairsOf(await watching.first())).toMatchObject([{ TTL: 60 }])
    await server.client.put('app/x', '1', long)
    await eventually(() => expect(pairsOf(watching.latest)).toMatchObject([{ TTL: 120 }]))
    await server.client.revoke(long)
    await eventually(() => expect(watching.latest.value).toBe(absent))
    expect(pairsOf(watching.latest)).toEqual([])
  })

  test('a directory as files keeps what did not change the same object', async () => {
    const server = await startEtcd()
    await server.client.putAll({ 'conf.d/a': '1', 'conf.d/b/c': '2' })
    const bench = await EtcdBench.open({ endpoints: server.url })
    const tree = etcd.tree ?? etcd.reference
    const watching = bench.watch(tree, 'conf.d')
    const first = tree.answer(await watching.first(), ['conf.d']) as Tree
    await server.client.put('conf.d/a', '3')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '3', 'b/c': '2' }))
    const second = tree.answer(watching.latest, ['conf.d']) as Tree
    expect([...second.files.keys()]).toEqual(['a', 'b/c'])
    expect(second.files.get('b/c')).toBe(first.files.get('b/c'))
    expect(second.files.get('a')).not.toBe(first.files.get('a'))
  })

  test('two keys that are written in one transaction never differ', async () => {
    const server = await startEtcd()
    await server.client.putAll({ 'app/a': '0', 'app/b': '0' })
    const bench = await EtcdBench.open({ endpoints: server.url })
    const watching = bench.prefix('app')
    await watching.first()
    for (let i = 1; i <= 2_000; i++) await server.client.putAll({ 'app/a': `${i}`, 'app/b': `${i}` })
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '2000', b: '2000' }))
    const mixed = watching.readings.map(valuesOf).filter(({ a, b }) => a !== b)
    expect(mixed).toEqual([])
    expect(watching.readings.length).toBeGreaterThan(100)
    expect(watching.ends).toEqual([])
  })

  test('10,000 keys come in pages of one revision, and a change leaves all other pairs as they are', async () => {
    const server = await startEtcd()
    for (let i = 0; i < 100; i++) {
      const keys = Array.from({ length: 100 }, (_, j) => [`app/${i * 100 + j}`, '0'])
      await server.client.putAll(Object.fromEntries(keys) as Record<string, string>)
    }
    const bench = await EtcdBench.open({ endpoints: server.url, poll: '1s' })
    const watching = bench.prefix('app')
    const before = (await watching.first()).value as readonly Struct[]
    expect(before).toHaveLength(10_000)
    await server.client.put('app/77', '1')
    await eventually(() => expect(valuesOf(watching.latest)['77']).toBe('1'))
    const known = new Set(before)
    expect((watching.latest.value as readonly Struct[]).filter(pair => !known.has(pair))).toHaveLength(1)
    // The look now and then finds the same state, and nothing is read anew.
    await new Promise(resolve => setTimeout(resolve, 1_500))
    expect((watching.latest.value as readonly Struct[]).filter(pair => !known.has(pair))).toHaveLength(1)
    expect(watching.ends).toEqual([])
  })

  test('a thousand dependencies are one stream and a few connections, which end with them', async () => {
    const server = await startEtcd()
    const proxy = await proxyTo(server)
    const bench = await EtcdBench.open({ endpoints: `http://127.0.0.1:${proxy.port}`, timeout: '5m' })
    const watchings = Array.from({ length: 1_000 }, (_, i) => bench.key(`app/${i}`))
    await Promise.all(watchings.map(watching => eventually(() => watching.latest, { withinMs: 60_000, everyMs: 100 })))
    await eventually(async () => expect(await server.client.metric('etcd_debugging_mvcc_watcher_total')).toBe(1_000))
    expect(await server.client.metric('etcd_debugging_mvcc_watch_stream_total')).toBe(1)
    expect(proxy.connections).toBeLessThanOrEqual(9)
    await server.client.put('app/999', 'late')
    await eventually(() => expect(watchings[999]?.latest.value).toBe('late'))
    await Promise.all(watchings.slice(1).map(watching => watching.stop()))
    await eventually(async () => expect(await server.client.metric('etcd_debugging_mvcc_watcher_total')).toBe(1))
    await watchings[0]?.stop()
    await eventually(async () => expect(await server.client.metric('etcd_debugging_mvcc_watch_stream_total')).toBe(0))
  })
})
