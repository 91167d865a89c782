import { describe, expect, test } from 'vitest'
import type { Tree } from '../../../lib/base/value.ts'
import { absent } from '../../../lib/reading.ts'
import { hasExports, hasPeers, onConsul, whyNoConsul } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { proxyTo } from '../../support/fault-proxy.ts'
import { ConsulBench, question, startConsul, textOf } from './harness.ts'
import { valuesOf } from '../workbench.ts'

describe(`what templates get ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 120_000 }, () => {
  test('keys: one, whether it is there, or something else', async () => {
    const server = await startConsul()
    await server.client.put('app/url', 'db:1', '?flags=18446744073709551615')
    await server.client.put('app/empty', '')
    const bench = await ConsulBench.open({ address: server.url })
    const rows: readonly (readonly [string, string])[] = [
      ['{{ key "app/url" }} {{ ref "mine://app/url" }} {{ key "/app//url@dc1" }}', 'db:1 db:1 db:1'],
      ['{{ keyExists "app/url" }} {{ keyExists "app/empty" }} {{ keyExists "none" }}', 'true true false'],
      ['{{ keyOrDefault "app/url" "x" }} {{ keyOrDefault "app/empty" "x" }} {{ keyOrDefault "none" "x" }}', 'db:1 x x'],
      [
        '{{ with keyExistsGet "app/url" }}{{ .Exists }} {{ .Path }} {{ .Key }} {{ .Value }}{{ end }}',
        'true app/url app/url db:1',
      ],
      [
        '{{ with keyExistsGet "none@dc1" }}{{ .Exists }} {{ .Path }} {{ .Value }} {{ .Flags }}{{ end }}',
        'false none  0',
      ],
      [
        '{{ range tree "app/u" }}{{ .Key }}={{ .Value }} {{ .Flags }} {{ .LockIndex }} {{ .Session }}.{{ end }}',
        'rl=db:1 18446744073709551615 0 .',
      ],
      [
        '[{{ key "" }}{{ keyExists "" }}{{ keyOrDefault "" "x" }}{{ ls "" }}{{ tree "" }}{{ service "" }}{{ caLeaf "" }}]',
        '[falsex[][][]<no value>]',
      ],
    ]
    for (const [template, output] of rows) expect(await bench.rendered(template)).toBe(output)
    expect(bench.render('{{ key "none" }}')).toBeUndefined()
  })

  test('prefixes: as keys begin, in the order of their bytes, without what stands for a folder', async () => {
    const server = await startConsul()
    for (const key of ['app/b', 'app/a/x', 'app/', 'app/a/', 'apple', 'app/ä', 'app/Z']) {
      await server.client.put(key, `v:${key}`)
    }
    await server.client.put('marker/', '')
    const bench = await ConsulBench.open({ address: server.url })
    const keys = (name: string, prefix: string) => bench.rendered(`{{ range ${name} "${prefix}" }}{{ .Key }} {{ end }}`)
    expect(await keys('ls', 'app')).toBe('Z b ä le ')
    expect(await keys('ls', 'app/')).toBe('Z b ä ')
    expect(await keys('tree', 'app')).toBe('Z a/x b ä le ')
    expect(await keys('safeTree', 'app/a')).toBe('x ')
    expect(await keys('tree', '/')).toBe('app/Z app/a/x app/b app/ä apple ')
    expect(await keys('ls', 'marker')).toBe('')
    expect(await keys('tree', 'none')).toBe('')
    for (const name of ['safeLs', 'safeTree']) expect(bench.render(`{{ ${name} "marker" }}`)).toBeUndefined()
    expect(await bench.rendered('{{ range tree "app/a" }}{{ .Path }}={{ .Value }}{{ end }}')).toBe('app/a/x=v:app/a/x')
  })

  test('pairs go into byKey and explode', async () => {
    const server = await startConsul()
    await server.client.putAll({ 'app/web/port': '80', 'app/web/host': 'h', 'app/db/port': '5' })
    const bench = await ConsulBench.open({ address: server.url })
    const byKey = '{{ range $k, $p := tree "app" | byKey }}{{ $k }}:{{ range $n, $_ := $p }}{{ $n }},{{ end }}{{ end }}'
    expect(await bench.rendered(byKey)).toBe('db:port,web:host,port,')
    expect(await bench.rendered('{{ with tree "app" | explode }}{{ .web.port }} {{ .db.port }}{{ end }}')).toBe('80 5')
    expect(await bench.rendered('{{ tree "app" | explode | toJSON }}')).toBe(
      '{"db":{"port":"5"},"web":{"host":"h","port":"80"}}',
    )
  })

  test('a directory as files keeps what did not change the same object', async () => {
    const server = await startConsul()
    await server.client.putAll({ 'conf.d/a': '1', 'conf.d/b/c': '2', 'conf.d.old/x': 'not in it' })
    const bench = await ConsulBench.open({ address: server.url })
    const files = question('files')
    const watching = bench.watch('files', 'conf.d')
    const first = files.answer(await watching.first(), ['conf.d']) as Tree
    await server.client.put('conf.d/a', '3')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '3', 'b/c': '2' }))
    const second = files.answer(watching.latest, ['conf.d']) as Tree
    expect([...second.files.keys()]).toEqual(['a', 'b/c'])
    expect(second.files.get('b/c')).toBe(first.files.get('b/c'))
    expect(second.files.get('a')).not.toBe(first.files.get('a'))
  })

  test('two keys of one prefix that are written in one transaction never differ', async () => {
    const server = await startConsul()
    await server.client.putAll({ 'app/a': '0', 'app/b': '0' })
    const bench = await ConsulBench.open({ address: server.url })
    const watching = bench.watch('tree', 'app/')
    await watching.first()
    for (let i = 1; i <= 50; i++) await server.client.putAll({ 'app/a': String(i), 'app/b': String(i) })
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '50', b: '50' }))
    for (const reading of watching.readings) expect(valuesOf(reading).a).toBe(valuesOf(reading).b)
  })

  test('services: by tag and state, in the order of node and id, as byTag, byPort and byMeta take them', async () => {
    const server = await startConsul()
    const { client } = server
    await client.register({
      Name: 'web',
      ID: 'web2',
      Port: 82,
      Tags: ['b', 'a'],
      Meta: { zone: 'z1', rank: '7' },
      Address: '10.0.0.2',
    })
    await client.register({
      Name: 'web',
      ID: 'web1',
      Port: 81,
      Tags: ['b'],
      Meta: { zone: 'z2' },
      Weights: { Passing: 3, Warning: 2 },
    })
    await client.register({ Name: 'web', ID: 'bad', Port: 83, Check: { TTL: '1h', Status: 'critical', Notes: 'n' } })
    await client.register({ Name: 'web', ID: 'odd', Port: 84, Check: { TTL: '1h', Status: 'warning' } })
    await client.must('PUT', 'agent/service/maintenance/odd?enable=true')
    await client.registerNode({
      Node: 'alpha',
      Address: '10.0.0.9',
      NodeMeta: { m: '1' },
      Service: { Service: 'web', ID: 'far', Port: 85, Tags: ['b'] },
    })
    const bench = await ConsulBench.open({ address: server.url })
    const ids = (name: string) => bench.rendered(`{{ range service ${name} }}{{ .Node }}/{{ .ID }} {{ end }}`)
    expect(await ids('"web"')).toBe('alpha/far one/web1 one/web2 ')
    expect(await ids('"a.web@dc1~_agent"')).toBe('one/web2 ')
    expect(await ids('"b.web|passing,warning"')).toBe('alpha/far one/web1 one/web2 ')
    expect(await ids('"web" "critical"')).toBe('one/bad ')
    expect(await ids('"web" "critical,maintenance"')).toBe('one/bad one/odd ')
    expect(await ids('"web|any"')).toBe('alpha/far one/bad one/odd one/web1 one/web2 ')
    expect(await ids('"none"')).toBe('')
    const fields =
      '{{ range service "a.web" }}{{ .Name }} {{ .Address }}:{{ .Port }} {{ .NodeAddress }} {{ .Tags }} {{ .Status }} {{ .Weights.Passing }} {{ .ServiceMeta.zone }} {{ .NodeTaggedAddresses.lan }}{{ range .Checks }} {{ .CheckID }}={{ .Status }}{{ end }}{{ end }}'
    expect(await bench.rendered(fields)).toBe(
      'web 10.0.0.2:82 127.0.0.1 [a b] passing 1 z1 127.0.0.1 serfHealth=passing',
    )
    expect(await bench.rendered('{{ range service "web" }}{{ .Address }} {{ end }}')).toBe(
      '10.0.0.9 127.0.0.1 10.0.0.2 ',
    )
    expect(
      await bench.rendered('{{ range service "web" }}{{ if .Tags | contains "a" }}{{ .ID }}{{ end }}{{ end }}'),
    ).toBe('web2')
    const groups = (text: string) =>
      bench.rendered(`{{ range $k, $s := ${text} }}{{ $k }}:{{ range $s }}{{ .ID }} {{ end }}{{ end }}`)
    expect(await groups('service "web" | byTag')).toBe('a:web2 b:far web1 web2 ')
    expect(await groups('service "web" | byPort')).toBe('81:web1 82:web2 85:far ')
    expect(await groups('service "web" | byMeta "zone,rank|int"')).toBe(
      '_no_zone__00000:far z1_00007:web2 z2_00000:web1 ',
    )
    expect(await bench.rendered('{{ range services }}{{ .Name }}{{ .Tags }} {{ end }}')).toBe('consul[] web[a b] ')
    expect(await bench.rendered('{{ range $t, $s := services | byTag }}{{ $t }} {{ end }}')).toBe('a b ')
    expect(
      await bench.rendered(
        '{{ range nodes "@dc1" }}{{ .Node }} {{ .Address }} {{ .Datacenter }} {{ index .Meta "m" }},{{ end }}',
      ),
    ).toMatch(/^alpha 10\.0\.0\.9 dc1 1,one 127\.0\.0\.1 dc1 /)
    expect(
      await bench.rendered(
        '{{ with node }}{{ .Node.Node }}:{{ range .Services }}{{ .Service }}/{{ .ID }} {{ end }}{{ end }}',
      ),
    ).toBe('one:consul/consul web/bad web/odd web/web1 web/web2 ')
    expect(
      await bench.rendered(
        '{{ with node "alpha@dc1" }}{{ .Node.Address }}{{ range .Services }} {{ .Port }} {{ .Tags }}{{ end }}{{ end }}',
      ),
    ).toBe('10.0.0.9 85 [b]')
    expect(await bench.rendered('{{ with node "none" }}{{ len .Services }}{{ if .Node }}there{{ end }}{{ end }}')).toBe(
      '0',
    )
  })

  test('a service that comes, fails and goes is seen', async () => {
    const server = await startConsul()
    const bench = await ConsulBench.open({ address: server.url })
    const shows = (output: string) =>
      eventually(() => expect(bench.render('{{ range service "web" }}{{ .ID }} {{ end }}')).toBe(output))
    await shows('')
    await server.client.register({ Name: 'web', ID: 'a', Check: { CheckID: 'c', TTL: '1h', Status: 'passing' } })
    await shows('a ')
    await server.client.must('PUT', 'agent/check/fail/c')
    await shows('')
    await server.client.must('PUT', 'agent/check/pass/c')
    await shows('a ')
    await server.client.must('PUT', 'agent/service/deregister/a')
    await shows('')
  })

  test('the mesh: its roots, a certificate with its key, and what is reached through it', async () => {
    const server = await startConsul()
    await server.client.register({ Name: 'web', Port: 80, Connect: { SidecarService: {} } })
    const bench = await ConsulBench.open({ address: server.url, wait: '500ms' })
    expect((await bench.watch('caRoots').first()).sensitive).toBe(false)
    expect(
      await bench.rendered('{{ range caRoots }}{{ .Name }} {{ .Active }} {{ .RootCertPEM | trimSpace }}{{ end }}'),
    ).toMatch(/^Consul CA (?:Root|Primary) Cert true -----BEGIN CERT.*-----$/s)
    const leaf = bench.watch('caLeaf', 'web')
    expect((await leaf.first()).sensitive).toBe(true)
    expect(
      await bench.rendered('{{ with caLeaf "web" }}{{ .Service }} {{ .PrivateKeyPEM }}{{ .CertPEM }}{{ end }}'),
    ).toMatch(/^web -----BEGIN EC PRIVATE KEY.*BEGIN CERTIFICATE/s)
    await eventually(() =>
      expect(bench.render('{{ range connect "web|any" }}{{ .Name }} {{ .Port }}{{ end }}')).toMatch(
        /^web-sidecar-proxy \d+$/,
      ),
    )
    // What the agent answers says of no leader, and is waited for all the same.
    await new Promise(resolve => setTimeout(resolve, 1_200))
    expect(leaf.readings).toHaveLength(1)
    expect(leaf.ends).toEqual([])
  })

  test('datacenters are read again now and then, and what an old Consul has not is said', async () => {
    const server = await startConsul()
    const bench = await ConsulBench.open({ address: server.url, poll: '100ms' })
    const watching = bench.watch('datacenters')
    await eventually(() => expect(watching.readings.length).toBeGreaterThan(2))
    expect(await bench.rendered('{{ datacenters }} {{ datacenters true }}')).toBe('[dc1] [dc1]')
    const lacking: readonly (readonly [string, ...string[]])[] = [
      ['partitions'],
      ...(hasPeers ? [] : [['peerings'] as const]),
      ...(hasExports ? [] : [['exportedServices'] as const, ['importedServices', 'p'] as const]),
    ]
    for (const [name, ...args] of lacking) {
      expect(await bench.failure(name, ...args)).toMatchObject({
        code: 'unsupported',
        hint: expect.stringMatching(/newer/) as string,
      })
    }
    expect(await bench.failure('key', 'a?ns=team')).toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/Enterprise/) as string,
    })
    expect(await bench.failure('key', 'a@nowhere')).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/datacenter/) as string,
    })
  })

  test('check() says whether there is a leader', async () => {
    const server = await startConsul()
    const bench = await ConsulBench.open({ address: server.url, timeout: '500ms' })
    const { signal } = new AbortController()
    expect(await bench.provider.check?.(signal)).toMatchObject({
      ok: true,
      message: expect.stringMatching(/leader/) as string,
    })
    await server.kill()
    expect(await bench.provider.check?.(signal)).toMatchObject({ ok: false })
  })
})

describe(`how keys share queries ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 120_000 }, () => {
  test('10,000 keys of one folder are one connection, and a change tells only who asked for it', async () => {
    const server = await startConsul()
    for (let i = 0; i < 10_000; i += 64) {
      const keys = Array.from({ length: Math.min(64, 10_000 - i) }, (_, j) => [`app/${i + j}`, '0'] as const)
      await server.client.putAll(Object.fromEntries(keys))
    }
    const proxy = await proxyTo(server)
    const bench = await ConsulBench.open({ address: `http://127.0.0.1:${proxy.port}`, timeout: '30s' })
    const watchings = Array.from({ length: 10_000 }, (_, i) => bench.watch('key', `app/${i}`))
    await eventually(() => expect(watchings.every(({ readings }) => readings.length > 0)).toBe(true), {
      withinMs: 60_000,
      everyMs: 100,
    })
    expect(proxy.connections).toBeLessThanOrEqual(2)
    await server.client.put('app/77', '1')
    await eventually(() => expect(textOf(watchings[77]?.latest as never)).toBe('1'))
    expect(watchings.filter(({ readings }) => readings.length > 1)).toHaveLength(1)
    await server.client.remove('app/78')
    await eventually(() => expect(textOf(watchings[78]?.latest as never)).toBe(absent))
    expect(watchings.flatMap(({ ends }) => ends)).toEqual([])
  })

  test('keys that come one by one end up in one query, and nothing is told twice or lost', async () => {
    const server = await startConsul()
    for (let i = 0; i < 8; i++) await server.client.put(`app/${i}`, '0')
    const proxy = await proxyTo(server)
    const bench = await ConsulBench.open({ address: `http://127.0.0.1:${proxy.port}` })
    const watchings = []
    for (let i = 0; i < 8; i++) {
      const watching = bench.watch('key', `app/${i}`)
      watchings.push(watching)
      await watching.first()
    }
    // Four that were alone, one for what is answered at once, and the folder's.
    expect(proxy.connections).toBeLessThanOrEqual(6)
    for (let i = 0; i < 8; i++) await server.client.put(`app/${i}`, '1')
    for (const watching of watchings) {
      await eventually(() => expect(textOf(watching.latest)).toBe('1'))
      expect(watching.readings.map(textOf)).toEqual(['0', '1'])
    }
    await Promise.all(watchings.map(watching => watching.stop()))
  })

  test('keys below a prefix that is asked for, or configured, are told by its query', async () => {
    const server = await startConsul()
    await server.client.putAll({ 'app/a': '1', 'app/b/c': '2', 'other/x': '3' })
    const proxy = await proxyTo(server)
    const bench = await ConsulBench.open({ address: `http://127.0.0.1:${proxy.port}`, prefixes: ['other/'] })
    const watchings = [
      bench.watch('tree', 'app/'),
      bench.watch('ls', 'app/b'),
      bench.watch('key', 'app/a'),
      bench.watch('key', 'other/x'),
      bench.watch('key', 'other/y'),
    ]
    await Promise.all(watchings.map(watching => watching.first()))
    // Two wait, and one asked whether the key that is not there may be read.
    expect(proxy.connections).toBeLessThanOrEqual(4)
    await server.client.put('app/b/c', '4')
    await eventually(() => expect(valuesOf(watchings[1]?.latest as never)).toEqual({ c: '4' }))
    await server.client.put('other/y', '5')
    await eventually(() => expect(textOf(watchings[4]?.latest as never)).toBe('5'))
    expect(watchings[2]?.readings).toHaveLength(1)
  })
})
