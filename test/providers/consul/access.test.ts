import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { absent } from '../../../lib/reading.ts'
import { makeCertificates } from '../../support/certificates.ts'
import { ConsulClient } from '../../support/consul-client.ts'
import { ACLS, onConsul, ROOT_TOKEN, whyNoConsul, type ConsulServer } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { scratch } from '../../support/scratch.ts'
import { ConsulBench, startConsul, textOf } from './harness.ts'
import { valuesOf } from '../workbench.ts'

const UNKNOWN_TOKEN = 'SENTINEL-5f1c'

/** A server where nothing may be read without a token, and a client of who may do everything. */
async function startClosed(config: object = {}): Promise<{ server: ConsulServer; root: ConsulClient }> {
  const server = await startConsul({ config: { ...ACLS, ...config } })
  const root = new ConsulClient(server.url, { token: ROOT_TOKEN })
  onTestFinished(() => root.close())
  for (const key of ['open/a', 'open/b', 'closed/a']) await eventually(() => root.put(key, '1'))
  return { server, root }
}

const READER = 'key_prefix "open/" { policy = "read" }'

describe(`who may read ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 120_000 }, () => {
  test('a token reads what it may, and the rest is forbidden', async () => {
    const { server, root } = await startClosed()
    const bench = await ConsulBench.open({ address: server.url, token: await root.makeToken(READER) })
    const watching = bench.watch('tree', 'open/')
    expect(valuesOf(await watching.first())).toEqual({ a: '1', b: '1' })
    await root.put('open/a', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '2', b: '1' }))
    expect(await bench.failure('key', 'closed/a')).toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/^mine:\/\/closed\/a: .*denied/) as string,
    })
    expect(watching.ends).toEqual([])
  })

  test('no token and an unknown one are unauthenticated, and no message shows one', async () => {
    const { server } = await startClosed()
    for (const token of [{}, { token: UNKNOWN_TOKEN }]) {
      const bench = await ConsulBench.open({ address: server.url, ...token })
      const error = (await bench.failure('key', 'open/a')) as Error
      expect(error).toMatchObject({ code: 'unauthenticated' })
      expect(error.message + bench.logged.join('')).not.toContain(UNKNOWN_TOKEN)
    }
  })

  test('a key of a shared query that may not be read is forbidden, and not taken for one that is not there', async () => {
    const { server, root } = await startClosed()
    const rules = [1, 2, 3, 4, 5].map(i => `key "mixed/${i}" { policy = "read" }`).join('\n')
    for (let i = 1; i <= 6; i++) await root.put(`mixed/${i}`, String(i))
    const bench = await ConsulBench.open({ address: server.url, token: await root.makeToken(rules) })
    const watchings = [1, 2, 3, 4, 5, 6, 7].map(i => bench.watch('key', `mixed/${i}`))
    await eventually(() =>
      expect(watchings.slice(0, 5).map(({ latest }) => textOf(latest))).toEqual(['1', '2', '3', '4', '5']),
    )
    for (const watching of watchings.slice(5)) {
      await eventually(() => expect(watching.ends[0]).toMatchObject({ code: 'forbidden' }))
      expect(watching.readings).toEqual([])
    }
  })

  test('a folder that may not be listed is left to its keys', async () => {
    const { server, root } = await startClosed({ acl: { ...ACLS.acl, enable_key_list_policy: true } })
    for (let i = 1; i <= 6; i++) await root.put(`open/${i}`, String(i))
    const bench = await ConsulBench.open({ address: server.url, token: await root.makeToken(READER) })
    const watchings = [1, 2, 3, 4, 5, 6, 7].map(i => bench.watch('key', `open/${i}`))
    await eventually(() =>
      expect(watchings.map(({ latest }) => textOf(latest))).toEqual(['1', '2', '3', '4', '5', '6', absent]),
    )
    await root.put('open/7', '7')
    await eventually(() => expect(textOf(watchings[6]?.latest as never)).toBe('7'))
    expect(watchings.flatMap(({ ends }) => ends)).toEqual([])
    expect(await bench.failure('tree', 'open/')).toMatchObject({ code: 'forbidden' })
  })

  test('a token that is taken away ends the watch, and the one that the file has then begins it again', async () => {
    const { server, root } = await startClosed()
    const file = join(scratch(), 'token')
    const first = await root.makeToken(READER)
    writeFileSync(file, `${first}\n`)
    const bench = await ConsulBench.open({ address: server.url, token: `file:${file}`, wait: '1s' })
    const watching = bench.watch('key', 'open/a')
    await watching.first()

    const { AccessorID } = await new ConsulClient(server.url, { token: first }).must('GET', 'acl/token/self')
    await root.must('DELETE', `acl/token/${AccessorID}`)
    await eventually(() => expect(watching.ends[0]).toMatchObject({ code: 'unauthenticated' }))
    writeFileSync(file, await root.makeToken(READER))
    await root.put('open/a', 'after')
    await eventually(() => expect(textOf(watching.latest)).toBe('after'))

    const other = await ConsulBench.open({ address: server.url, token: `file:${file}.none` })
    expect(await other.failure('key', 'open/a')).toMatchObject({
      code: 'bad-config',
      message: expect.stringMatching(/ENOENT/) as string,
    })
  })

  test('the environment gives what the configuration does not', async () => {
    const { server, root } = await startClosed()
    const environment = {
      CONSUL_HTTP_ADDR: server.url.slice('http://'.length),
      CONSUL_HTTP_TOKEN: await root.makeToken(READER),
    }
    const bench = await ConsulBench.open({}, { environment })
    expect(textOf(await bench.watch('key', 'open/a').first())).toBe('1')
    const own = await ConsulBench.open({ token: ROOT_TOKEN }, { environment })
    expect(textOf(await own.watch('key', 'closed/a').first())).toBe('1')
  })

  test('over TLS, with certificates both ways, which may be rotated', async () => {
    const directory = scratch()
    const [good, other] = [makeCertificates(join(directory, 'good')), makeCertificates(join(directory, 'other'))]
    const tls = { ca: readFileSync(good.ca), cert: readFileSync(good.certificate), key: readFileSync(good.key) }
    const server = await startConsul({ tls: { ...good, clients: true }, client: { tls } })
    await server.client.put('a/b', '1')
    const files = { certificate: join(directory, 'own.pem'), key: join(directory, 'own-key.pem') }
    copyFileSync(other.certificate, files.certificate)
    copyFileSync(other.key, files.key)
    const bench = await ConsulBench.open({ address: server.url, tls: { ca: good.ca, ...files } })
    expect(await bench.failure('key', 'a/b')).toMatchObject({ code: 'unavailable' })

    copyFileSync(good.certificate, files.certificate)
    copyFileSync(good.key, files.key)
    const watching = bench.watch('tree', 'a/')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '1' }))
    await server.client.put('a/b', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }))

    const stranger = await ConsulBench.open({ address: server.url, tls: { ca: other.ca, ...files } })
    expect(await stranger.failure('key', 'a/b')).toMatchObject({
      code: 'unavailable',
      hint: expect.stringMatching(/CA/) as string,
    })
  })

  test('over a Unix socket', async () => {
    const socket = join(scratch(), 'consul.sock')
    const server = await startConsul({ socket })
    await server.client.put('a/b', '1')
    const bench = await ConsulBench.open({ address: `unix://${socket}` })
    const watching = bench.watch('key', 'a/b')
    expect(textOf(await watching.first())).toBe('1')
    await server.client.put('a/b', '2')
    await eventually(() => expect(textOf(watching.latest)).toBe('2'))
  })

  test('two clusters are two providers, which know nothing of each other', async () => {
    const [one, two] = [await startConsul(), await startConsul()]
    await one.client.put('a', 'one')
    await two.client.put('a', 'two')
    const benches = [await ConsulBench.open({ address: one.url }), await ConsulBench.open({ address: two.url })]
    const watchings = benches.map(bench => bench.watch('key', 'a'))
    await Promise.all(watchings.map(watching => watching.first()))
    await one.kill()
    await two.client.put('a', 'still')
    await eventually(() => expect(watchings.map(({ latest }) => textOf(latest))).toEqual(['one', 'still']))
    expect(watchings[1]?.ends).toEqual([])
  })
})
