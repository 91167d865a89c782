import { writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { absent } from '../../../lib/reading.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { grown, resources, settledResources } from '../../support/resources.ts'
import { scratch } from '../../support/scratch.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must, vaultServers } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'
import { logs, Scene, SLOW, TOKEN } from './events-scene.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const STREAM = '/v1/sys/events/subscribe/kv*?json=true'

afterEach(() => {
  const said = logs.flat().join('')
  logs.length = 0
  const [found] = /SENTINEL|"level":"(warn|error)".*/.exec(said) ?? []
  if (found !== undefined) throw new Error(`the log has ${found}`)
})

describe('a change is seen by the event that tells of it', () => {
  test.each([undefined, 'tls'] as const)('of a KV v2 secret (%s)', async tls => {
    const scene = await Scene.on('stream', tls === undefined ? {} : { tls })
    const asking = await scene.watching('secret/app')
    await scene.streaming()
    await must(scene.server, 'POST', 'secret/data/app', { data: { v: 'SENTINEL-2' } })

    expect(await scene.until(() => asking.answer === 'SENTINEL-2')).toBeLessThan(MINUTE)
  })

  test.each([
    ['DELETE', 'secret/data/app', undefined],
    ['DELETE', 'secret/metadata/app', undefined],
    ['POST', 'secret/delete/app', { versions: [1] }],
    ['POST', 'secret/destroy/app', { versions: [1] }],
  ])('of one that is gone: %s %s', async (method, path, body) => {
    const scene = await Scene.on()
    const asking = await scene.watching('secret/app')
    await scene.streaming()
    await must(scene.server, method, path, body)

    expect(await scene.until(() => asking.watching.latest.value === absent)).toBeLessThan(MINUTE)
  })

  test('of a KV v1 secret, a list, a path of the API, and in a namespace', async () => {
    const scene = await Scene.on()
    const { server, bench } = scene
    await must(server, 'POST', 'sys/mounts/team/old', { type: 'kv' })
    await must(server, 'POST', 'team/old/app', { v: '1' })
    await must(server, 'POST', 'sys/namespaces/ns')
    await must(server, 'POST', 'ns/sys/mounts/secret', { type: 'kv', options: { version: '2' } })
    await must(server, 'POST', 'secret/data/app', { data: { v: 'n1' } }, { namespace: 'ns' })
    const old = await scene.watching('team/old/app')
    const list = bench.watch('secrets', 'secret')
    await eventually(() => expect(list.answer).toEqual(['app']))
    const inNamespace = await scene.watching('secret/app?namespace=ns')
    const api = bench.watch('secret', 'secret/data/app')
    await eventually(() => expect(api.answer).toBeDefined())
    await scene.streaming(2)
    const first = api.watching.latest.revision

    await must(server, 'POST', 'team/old/app', { v: '2' })
    await scene.until(() => old.answer === '2')
    await must(server, 'POST', 'secret/data/deep/er', { data: {} })
    await scene.until(() => JSON.stringify(list.answer) === '["app","deep/"]')
    await must(server, 'POST', 'secret/data/app', { data: { v: 'n2' } }, { namespace: 'ns' })
    await scene.until(() => inNamespace.answer === 'n2')
    expect(api.watching.latest.revision).toBe(first)
    await must(server, 'POST', 'secret/data/app', { data: { v: '2' } })
    await scene.until(() => api.watching.latest.revision !== first)
    expect(inNamespace.answer).toBe('n2')
    expect(scene.clock.monotonicMs()).toBeLessThan(HOUR)
  })

  test('and by no other: not of what is named alike, and not by what is no event', async () => {
    const scene = await Scene.on()
    const { server } = scene
    await scene.watching('secret/app')
    await scene.streaming()
    for (const name of ['app2', 'ap', 'app/below', 'x/app', 'secret/app'])
      await must(server, 'POST', `secret/data/${name}`, { data: { v: '1' } })
    for (const text of ['', 'no JSON', '1', '{"data":{"event":[]}}', `{"data":${JSON.stringify('x'.repeat(9_999))}}`])
      server.events.send(text)
    const metadata = { path: 'secret/data/app', modified: 'true' }
    const plugin_info = { mount_path: 'secret/' }
    const data = { event: { metadata }, event_type: 'kv-v2/data-write', plugin_info }
    server.events.send(JSON.stringify({ data: { ...data, namespace: 'ns/' } }))
    await scene.until(() => true, 10_000)
    await scene.quiet()
    expect(scene.asked('/v1/secret/metadata/app')).toBe(0)
    server.events.send(JSON.stringify({ data }))
    await scene.until(() => scene.asked('/v1/secret/metadata/app') === 1)

    expect(server.events.subscribers).toBe(1)
  })

  test('where a policy lets the token have them, and of no others', async () => {
    const scene = await Scene.on()
    const { server } = scene
    const path = {
      'sys/events/subscribe/*': { capabilities: ['read'] },
      'secret/*': { capabilities: ['read', 'list', 'subscribe'], subscribe_event_types: ['kv*'] },
      'other/*': { capabilities: ['read', 'list'] },
    }
    await must(server, 'POST', 'sys/policies/acl/told', { policy: JSON.stringify({ path }) })
    await must(server, 'POST', 'sys/mounts/other', { type: 'kv', options: { version: '2' } })
    await must(server, 'POST', 'other/data/app', { data: { v: '1' } })
    await must(server, 'POST', 'auth/token/create', { id: `${TOKEN}-told`, policies: ['told'], ttl: '1000h' })
    const auth = { method: 'token', token: `${TOKEN}-told` }
    const bench = await Bench.open(server, { ...SLOW, auth }, { clock: scene.clock, random: () => 0.5 })
    logs.push(bench.logged)
    const told = bench.watch('ref', 'secret/app', 'v')
    const untold = bench.watch('ref', 'other/app', 'v')
    await eventually(() => expect([told.answer, untold.answer]).toEqual(['SENTINEL-1', '1']))
    await scene.streaming()
    await must(server, 'POST', 'other/data/app', { data: { v: '2' } })
    await must(server, 'POST', 'secret/data/app', { data: { v: '2' } })
    await scene.until(() => told.answer === '2')

    expect(untold.answer).toBe('1')
  })
})

describe('what happened while there was no stream', () => {
  test.each(['ended', 'silent'] as const)('is seen when there is one again (%s)', async how => {
    const scene = await Scene.on()
    const { events } = scene.server
    const asking = await scene.watching('secret/app')
    await scene.streaming()
    events.isSilent = true
    await must(scene.server, 'POST', 'secret/data/app', { data: { v: 'SENTINEL-2' } })
    if (how === 'ended') events.drop()
    const tookMs = await scene.until(() => events.tokens.length === 2, how === 'ended' ? 20 : 1_000)
    events.isSilent = false
    await scene.until(() => asking.answer === 'SENTINEL-2')

    expect(tookMs).toBeLessThan(2 * MINUTE)
    expect(events.subscribers).toBe(1)
  })

  test('is looked for by all, one after the other', async () => {
    const scene = await Scene.on()
    const { server } = scene
    for (let i = 0; i < 60; i++) await must(server, 'POST', `secret/data/${i}`, { data: { v: '1' } })
    await Promise.all(Array.from({ length: 60 }, (_, i) => scene.watching(`secret/${i}`)))
    server.seen.length = 0
    const looked = () => server.seen.filter(one => one.path.startsWith('/v1/secret/')).length
    await scene.until(() => server.events.subscribers === 1, 100)
    const startMs = scene.clock.monotonicMs()
    await scene.until(() => looked() >= 30, 5)
    expect(scene.clock.monotonicMs() - startMs).toBeGreaterThan(300)
    await scene.until(() => looked() >= 60, 5)
    await scene.until(() => true, 10_000)
    await scene.quiet()

    expect(looked()).toBe(60)
  })
})

test('what has a lease is not made anew when a stream is opened, or opened again', async () => {
  const scene = await Scene.on()
  const { server, bench } = scene
  await must(server, 'POST', 'sys/mounts/leased', { type: 'leased' })
  const leased = bench.watch('secret', 'leased/creds/app')
  await eventually(() => leased.answer)
  await scene.watching('secret/app')
  const made = scene.asked('/v1/leased/creds/app')
  await scene.streaming()
  expect(scene.asked('/v1/secret/metadata/app')).toBe(0)
  server.events.drop()
  await scene.until(() => scene.asked('/v1/secret/metadata/app') === 1)
  await scene.until(() => true, 10_000)
  await scene.quiet()

  expect([made, scene.asked('/v1/leased/creds/app')]).toEqual([1, 0])
  expect(leased.watching.readings).toHaveLength(1)
})

describe('a server that gives no stream', () => {
  test.each(['none', 'forbidden'] as const)('is polled, and asked again after an hour (%s)', async mode => {
    const scene = await Scene.on(mode, { poll: '10s' })
    const asking = await scene.watching('secret/app')
    await scene.until(() => scene.asked(STREAM) === 1, 100)
    await must(scene.server, 'POST', 'secret/data/app', { data: { v: 'SENTINEL-2' } })
    await scene.until(() => asking.answer === 'SENTINEL-2', 1_000)
    for (let i = 0; i < 40; i++) await scene.until(() => true, MINUTE)
    expect(scene.asked(STREAM)).toBe(1)
    await scene.until(() => scene.asked(STREAM) === 2, MINUTE)

    expect(scene.clock.monotonicMs()).toBeGreaterThan(50 * MINUTE)
    expect(scene.server.seen.some(one => one.method === 'UPGRADE')).toBe(false)
    expect(scene.said.match(/changes are polled for/g)).toHaveLength(2)
  })

  test('that it had, is polled as well', async () => {
    const scene = await Scene.on('stream', { poll: '10s' })
    const asking = await scene.watching('secret/app')
    await scene.streaming()
    scene.server.events.mode = 'forbidden'
    scene.server.events.drop()
    await scene.until(() => scene.asked(STREAM) === 1)
    await must(scene.server, 'POST', 'secret/data/app', { data: { v: 'SENTINEL-2' } })
    await scene.until(() => asking.answer === 'SENTINEL-2', 1_000)

    expect(scene.asked(STREAM)).toBe(1)
  })

  test('or does not answer, is tried again', async () => {
    const scene = await Scene.on('hang')
    await scene.watching('secret/app')
    await scene.until(() => scene.asked(STREAM) === 2, 100)
    await scene.until(() => scene.said.includes('no answer within 30s'), 1_000)
    scene.server.events.mode = 'stream'

    expect(await scene.until(() => scene.server.events.subscribers === 1, 1_000)).toBeLessThan(2 * MINUTE)
  })

  test.each(vaultServers())('is %s', { timeout: 60_000 }, async (_, start) => {
    const server = await start()
    onTestFinished(() => server.close())
    await eventually(() => must(server, 'POST', 'secret/data/app', { data: { v: 'one' } }))
    const clock = new FakeClock()
    const bench = await Bench.open(server, { poll: '10s' }, { clock })
    logs.push(bench.logged)
    const asking = bench.watch('ref', 'secret/app', 'v')
    await eventually(() => expect(asking.answer).toBe('one'))
    await eventually(async () => {
      await clock.advance(1_000)
      expect(bench.logged.join('')).toContain('no stream of events')
    })
    await must(server, 'POST', 'secret/data/app', { data: { v: 'two' } })
    await eventually(async () => {
      await clock.advance(1_000)
      expect(asking.answer).toBe('two')
    })

    expect(bench.logged.join('')).toMatch(/"level":"debug"[^\n]*\(40[345]\)/)
  })
})

describe('there is no stream', () => {
  test('before a watch has waited for two seconds, nor after it ended before', async () => {
    const scene = await Scene.on()
    const { clock, server } = scene
    await scene.bench.read('ref', 'secret/app', 'v')
    await clock.advance(MINUTE)
    await scene.watching('secret/app')
    await scene.quiet()
    await clock.advance(1_999)
    await scene.quiet()
    expect(scene.asked(STREAM)).toBe(0)
    await scene.until(() => server.events.subscribers === 1, 500)
  })

  test('where it is turned off', async () => {
    const scene = await Scene.on('stream', { events: false })
    await scene.watching('secret/app')
    for (let i = 0; i < 10; i++) await scene.until(() => true, 10_000)
    await scene.quiet()

    expect(scene.asked(STREAM)).toBe(0)
  })

  test('a minute after nobody listens any more', async () => {
    const scene = await Scene.on()
    const asking = await scene.watching('secret/app')
    await scene.streaming()
    await asking.watching.stop()
    await scene.clock.advance(50_000)
    await scene.quiet()
    expect(scene.server.events.subscribers).toBe(1)
    await scene.until(() => scene.server.events.subscribers === 0, 1_000)

    // That is the renewal of the token.
    expect(scene.clock.sleeping).toBe(1)
  })
})

test('another token is another stream', async () => {
  const server = await VaultDouble.start()
  onTestFinished(() => server.close())
  server.events.mode = 'stream'
  const ids = [`${TOKEN}-a`, `${TOKEN}-b`]
  for (const id of ids) await must(server, 'POST', 'auth/token/create', { id, policies: ['root'], ttl: '1000h' })
  await must(server, 'POST', 'secret/data/app', { data: { v: '1' } })
  const file = join(scratch(), 'token')
  writeFileSync(file, ids[0] ?? '')
  const clock = new FakeClock()
  const bench = await Bench.open(server, { ...SLOW, auth: { method: 'token', file } }, { clock, random: () => 0.5 })
  logs.push(bench.logged)
  const asking = bench.watch('ref', 'secret/app', 'v')
  await eventually(() => expect(asking.answer).toBe('1'))
  await eventually(async () => {
    await clock.advance(100)
    expect(server.events.tokens).toEqual([ids[0]])
  })
  writeFileSync(file, ids[1] ?? '')
  await must(server, 'POST', 'auth/token/revoke', { token: ids[0] })
  await must(server, 'POST', 'secret/data/app', { data: { v: '2' } })
  await eventually(async () => {
    await clock.advance(100)
    expect([asking.answer, ...server.events.tokens]).toEqual(['2', ...ids])
  })
  await eventually(() => expect(server.events.subscribers).toBe(1))
})

test.each(['stream', 'none', 'hang'] as const)('nothing is left behind (%s)', async mode => {
  const scene = await Scene.on(mode)
  const before = resources()
  const asking = await scene.watching('secret/app')
  await scene.until(() => scene.asked(STREAM) >= (mode === 'none' ? 1 : 2), 100)
  if (mode === 'stream') await scene.streaming()
  await scene.bench.provider.close()
  await asking.watching.stop()
  await eventually(async () => {
    await settledResources()
    expect([scene.clock.sleeping, scene.server.events.subscribers]).toEqual([0, 0])
    expect(grown(before, resources())).toEqual({})
  })
})

describe('the stream goes the way of every request', () => {
  test('over a Unix socket', async () => {
    const path = join(scratch(), 'a b.sock')
    const scene = await Scene.on('stream', { address: `unix://${path}` })
    await listening(
      createServer(socket => piped(socket, connect(Number(new URL(scene.server.url).port), '127.0.0.1'))),
      path,
    )
    await scene.watching('secret/app')
    await scene.streaming()

    expect(scene.server.events.subscribers).toBe(1)
  })

  test('through a proxy', async () => {
    let tunnels = 0
    const proxy = createHttpServer().on('connect', (request, socket) => {
      tunnels++
      const [host = '', port] = String(request.url).split(':')
      const server = connect(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      piped(socket, server)
    })
    await listening(proxy)
    const { port } = proxy.address() as AddressInfo
    const scene = await Scene.on('stream', { tls: 'tls', proxy: `http://127.0.0.1:${port}` })
    await scene.watching('secret/app')
    const before = tunnels
    await scene.streaming()

    expect(tunnels).toBe(before + 1)
  })
})

function piped(one: Duplex, other: Duplex): void {
  one.pipe(other).pipe(one)
  one.on('error', () => other.destroy()).on('close', () => other.destroy())
  other.on('error', () => one.destroy()).on('close', () => one.destroy())
}

async function listening(server: Server, path?: string): Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  await new Promise<void>(resolve => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
}
