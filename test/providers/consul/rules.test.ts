import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Floor } from '../../../providers/consul/floor.ts'
import { ConsulDouble } from '../../support/consul-double.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { scratch } from '../../support/scratch.ts'
import { ConsulBench, textOf } from './harness.ts'

const LONG = { wait: '1m' }

describe('the rules of a blocking query', { timeout: 60_000 }, () => {
  test('it is asked at once the first time, and then with the index of the last answer', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('key', 'a')
    await watching.first()
    await eventually(() => expect(double.asked).toHaveLength(2))
    double.put('a', '2')
    await eventually(() => expect(double.asked).toHaveLength(3))
    expect(double.asked[0]).toBe('kv/a?stale')
    for (const [i, index] of [11, 12].entries()) {
      expect(double.asked[i + 1]).toMatch(new RegExp(String.raw`^kv/a\?stale&index=${index}&wait=\d+ms$`))
    }
    expect(watching.readings.map(textOf)).toEqual(['1', '2'])
  })

  test('each wait is spread by a tenth', async () => {
    for (const [random, wait] of [
      [0, 54_000],
      [0.5, 60_000],
      [0.999, 65_988],
    ] as const) {
      const double = await ConsulDouble.start()
      double.put('a', '1')
      const bench = await ConsulBench.open({ address: double.url, ...LONG }, { random: () => random })
      bench.watch('key', 'a')
      await eventually(() => expect(double.asked[1]).toContain(`wait=${wait}ms`))
    }
  })

  test('the same content is no news', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('tree', 'a')
    await watching.first()
    for (let i = 2; i < 6; i++) {
      await eventually(() => expect(double.asked).toHaveLength(i))
      double.wake()
    }
    expect(watching.readings).toHaveLength(1)
  })

  test('the same index with another content is news: it was counted anew meanwhile', async () => {
    const double = await ConsulDouble.start()
    double.put('a', 'old')
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('key', 'a')
    await watching.first()
    await eventually(() => expect(double.asked).toHaveLength(2))
    double.index--
    double.put('a', 'new')
    await eventually(() => expect(textOf(watching.latest)).toBe('new'))
  })

  test('a smaller index begins anew, at the leader', async () => {
    const double = await ConsulDouble.start()
    double.index = 100
    double.put('a', 'old')
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('key', 'a')
    await watching.first()
    await eventually(() => expect(double.asked).toHaveLength(2))
    double.index = 4
    double.put('a', 'new')
    await eventually(() => expect(textOf(watching.latest)).toBe('new'))
    await eventually(() => expect(double.asked).toHaveLength(4))
    expect(double.asked[2]).toBe('kv/a?consistent')
    expect(double.asked[3]).toMatch(/^kv\/a\?stale&index=5&/)
  })

  test('a watch that begins again is not given what is older than what the last one had', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    await bench.watch('key', 'a').first()
    double.asked.length = 0
    double.index = 4
    const again = bench.watch('tree', 'a')
    await again.first()
    expect(double.asked.filter(asked => !asked.includes('index='))).toEqual(['kv/a?recurse&consistent'])
    double.index = 3
    await bench.watch('tree', 'a').first()
  })

  test('an index of 0 is not waited for', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    double.headers = { 'x-consul-index': '0' }
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    await bench.watch('key', 'a').first()
    await eventually(() => expect(double.asked[1]).toContain('index=1&'))
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['knows no leader', { 'x-consul-knownleader': 'false' }],
    ['has not heard of its leader', { 'x-consul-lastcontact': '2001' }],
  ])('a server that %s does not answer for it', async (_, headers) => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    double.headers = headers
    double.leaderHeaders = {}
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    expect(textOf(await bench.watch('key', 'a').first())).toBe('1')
    expect(double.asked.slice(0, 2)).toEqual(['kv/a?stale', 'kv/a'])
  })

  test('without a leader nothing is read, and least of all nothing', async () => {
    const double = await ConsulDouble.start()
    double.headers = { 'x-consul-knownleader': 'false' }
    double.onAsked = () => {
      if (double.asked.at(-1) === 'kv/a/?recurse') double.faults.push({ status: 500, text: 'No cluster leader' })
    }
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('tree', 'a/')
    await eventually(() => expect(watching.ends.length + watching.readings.length).toBeGreaterThan(0))
    expect(watching.readings).toEqual([])
    expect(watching.ends[0]).toMatchObject({ code: 'unavailable' })
  })

  test('a first answer that holds nothing is asked for once more, and then believed', async () => {
    const double = await ConsulDouble.start()
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    double.set('catalog/services', {})
    await bench.watch('tree', 'a').first()
    await bench.watch('services').first()
    const asked = double.asked.filter(one => !one.includes('index='))
    expect(asked).toEqual([
      'kv/a?recurse&stale',
      'kv/a?recurse&consistent',
      'catalog/services?stale',
      'catalog/services?consistent',
    ])
  })

  test('consistent and the leader alone are asked for as such', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    for (const [options, query] of [
      [{ consistent: true }, '?consistent'],
      [{ maxStale: '0s' }, ''],
    ] as const) {
      double.asked.length = 0
      const bench = await ConsulBench.open({ address: double.url, ...LONG, ...options })
      await bench.watch('key', 'a').first()
      await eventually(() => expect(double.asked).toHaveLength(2))
      expect(double.asked[0]).toBe(`kv/a${query}`)
    }
  })

  test('too many requests are said with the time that Consul asks for', async () => {
    const double = await ConsulDouble.start()
    double.fault = { status: 429, headers: { 'retry-after': '7' } }
    const bench = await ConsulBench.open({ address: double.url })
    for (const [name, arg] of [
      ['key', 'a'],
      ['tree', 'a'],
      ['service', 'a'],
    ] as const) {
      expect(await bench.failure(name, arg)).toMatchObject({ code: 'rate-limited', retryAfterMs: 7_000 })
    }
  })

  test('a 404 that is not of Consul is no missing key, and no index is no Consul', async () => {
    const double = await ConsulDouble.start()
    double.fault = { status: 404, text: 'nothing here' }
    const bench = await ConsulBench.open({ address: double.url })
    expect(await bench.failure('key', 'a')).toMatchObject({ code: 'unsupported' })
    double.fault = { status: 200, text: '[]' }
    expect(await bench.failure('key', 'a')).toMatchObject({ code: 'invalid-data' })
    double.fault = { status: 200, text: '<html>', headers: { 'x-consul-index': '1' } }
    expect(await bench.failure('key', 'a')).toMatchObject({ code: 'invalid-data' })
  })

  test('a token that was replaced while a query was under way is used at once', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    const file = join(scratch(), 'token')
    writeFileSync(file, 'one')
    double.faults.push({ status: 403, text: 'ACL not found' })
    double.onAsked = () => writeFileSync(file, 'two')
    const bench = await ConsulBench.open({ address: double.url, token: `file:${file}` })
    const watching = bench.watch('key', 'a')
    expect(textOf(await watching.first())).toBe('1')
    expect(watching.ends).toEqual([])
  })

  test('steady, a folder of keys is one request for each wait', async () => {
    const double = await ConsulDouble.start()
    for (let i = 0; i < 100; i++) double.put(`app/${i}`, '1')
    const bench = await ConsulBench.open({ address: double.url, wait: '200ms' })
    const watchings = Array.from({ length: 100 }, (_, i) => bench.watch('key', `app/${i}`))
    await Promise.all(watchings.map(watching => watching.first()))
    const startMs = performance.now()
    await eventually(() => expect(double.asked.length).toBeGreaterThan(8))
    // Each wait is 180 ms at least.
    expect(double.asked.length - 1).toBeLessThanOrEqual((performance.now() - startMs) / 180 + 1)
    expect(new Set(double.asked.map(asked => asked.split('?')[0]))).toEqual(new Set(['kv/app/']))
  })

  test('150 wait at the same time, and more are read now and then', async () => {
    const double = await ConsulDouble.start()
    for (let i = 0; i < 155; i++) double.set(`health/service/s${i}`, [])
    const bench = await ConsulBench.open({ address: double.url, ...LONG, poll: '100ms' })
    const watchings = Array.from({ length: 155 }, (_, i) => bench.watch('service', `s${i}`))
    await Promise.all(watchings.map(watching => watching.first()))
    await eventually(() => expect(double.asked.filter(asked => asked.includes('index='))).toHaveLength(150))
    const entry = { Node: { Node: 'n', Address: '1.1.1.1' }, Service: { ID: 'x', Service: 'x' }, Checks: [] }
    for (let i = 0; i < 155; i++) double.set(`health/service/s${i}`, [entry])
    await eventually(() => expect(watchings.filter(({ latest }) => (latest.value as []).length === 0)).toEqual([]))
    expect(watchings.flatMap(({ ends }) => ends)).toEqual([])
  })

  test('wakes without a change are no news, and no reason to ask without end', async () => {
    const double = await ConsulDouble.start()
    const bench = await ConsulBench.open({ address: double.url, ...LONG })
    const watching = bench.watch('key', 'none')
    await watching.first()
    const startMs = performance.now()
    for (let i = 0; performance.now() - startMs < 1_000; i++) {
      double.put('elsewhere', String(i))
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    const seconds = (performance.now() - startMs) / 1_000
    expect(double.asked.length).toBeLessThanOrEqual(10 + 10 * seconds + 2)
    expect(watching.readings).toHaveLength(1)
    double.put('none', 'there')
    await eventually(() => expect(textOf(watching.latest)).toBe('there'))
  })
})

test('the floor lets ten through at once, then one each tenth of a second, and ten again after a second of quiet', async () => {
  const clock = new FakeClock()
  const floor = new Floor(clock)
  const { signal } = new AbortController()
  for (let i = 0; i < 10; i++) await floor.pass(signal)
  let passed = false
  const next = floor.pass(signal).then(() => (passed = true))
  await clock.advance(99)
  expect(passed).toBe(false)
  await clock.advance(1)
  await next
  await clock.advance(1_000)
  for (let i = 0; i < 10; i++) await floor.pass(signal)
})

describe('what only newer ones have', () => {
  test('partitions, peerings, exported and imported services', async () => {
    const double = await ConsulDouble.start()
    double.set('partitions', [{ Name: 'b' }, { Name: 'a', Description: 'first' }])
    double.set('peerings', [
      { ID: '2', Name: 'two', State: 'PENDING', Meta: { env: 'x' }, Remote: { Partition: 'p', Datacenter: 'd' } },
      {
        ID: '1',
        Name: 'one',
        State: 'ACTIVE',
        Partition: 'default',
        PeerServerAddresses: ['1.2.3.4:8502'],
        StreamStatus: { ImportedServices: ['api'], LastHeartbeat: '2026-01-01T00:00:00Z' },
      },
      { ID: '0', Name: 'a', State: 'PENDING' },
    ])
    double.set('exported-services', [
      { Service: 'web', Partition: 'default', Namespace: 'ns', Consumers: { Peers: ['two'] } },
      { Service: 'api' },
    ])
    double.set('imported-services', [{ Service: 'db', Namespace: 'n', SourcePartition: 'other' }])
    const bench = await ConsulBench.open({ address: double.url, ...LONG, poll: '100ms' })
    expect(await bench.rendered('{{ range partitions }}{{ .Name }}:{{ .Description }} {{ end }}')).toBe('a:first b: ')
    expect(await bench.rendered('{{ range peerings "?partition=p" }}{{ .PeeringState }}/{{ .Name }} {{ end }}')).toBe(
      'ACTIVE/one PENDING/a PENDING/two ',
    )
    expect(
      await bench.rendered(
        '{{ with index peerings 0 }}{{ .StreamStatus.ImportedServices }} {{ .StreamStatus.LastHeartbeat }} {{ .PeerServerAddresses }}{{ end }}',
      ),
    ).toBe('[api] 2026-01-01T00:00:00Z [1.2.3.4:8502]')
    expect(
      await bench.rendered(
        '{{ with index peerings 2 }}{{ .Remote.Partition }}{{ .Remote.Datacenter }}{{ .Meta.env }}{{ end }}',
      ),
    ).toBe('pdx')
    expect(
      await bench.rendered(
        '{{ range exportedServices "p" }}{{ .Service }} {{ .Partition }} {{ .Namespace }} {{ .Consumers.Peers }} {{ .Consumers.Partitions }},{{ end }}',
      ),
    ).toBe('api   [] [],web default ns [two] [],')
    expect(
      await bench.rendered(
        '{{ range importedServices "p" }}{{ .Service }} {{ .Namespace }} {{ .SourcePartition }}{{ end }}',
      ),
    ).toBe('db n other')
    expect(double.asked).toContain('exported-services?partition=p&stale')
    double.set('partitions', [{ Name: 'c' }])
    await eventually(() => expect(bench.render('{{ range partitions }}{{ .Name }}{{ end }}')).toBe('c'))
  })

  test('a namespace, a partition, a peer and a datacenter are asked for, those of the name before those of the provider', async () => {
    const double = await ConsulDouble.start()
    double.put('a', '1')
    double.set('health/service/web', [{}])
    const bench = await ConsulBench.open({
      address: double.url,
      ...LONG,
      namespace: 'n1',
      partition: 'p1',
      datacenter: 'd1',
    })
    await bench.watch('key', 'a').first()
    await bench.watch('key', 'a?ns=n2&partition=p2@d2').first()
    await bench.watch('service', 'x.web?peer=e&ns=n2@d2~_agent').first()
    const asked = double.asked.filter(one => !one.includes('index='))
    expect(asked.map(one => new Set(one.split(/[?&]/)))).toEqual([
      new Set(['kv/a', 'dc=d1', 'ns=n1', 'partition=p1', 'stale']),
      new Set(['kv/a', 'dc=d2', 'ns=n2', 'partition=p2', 'stale']),
      new Set([
        'health/service/web',
        'dc=d2',
        'ns=n2',
        'partition=p1',
        'peer=e',
        'near=_agent',
        'tag=x',
        'passing=1',
        'stale',
      ]),
    ])
  })
})
