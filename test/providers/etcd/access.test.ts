import { copyFileSync, writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../support/certificates.ts'
import { EtcdClient } from '../../support/etcd-client.ts'
import { onEtcd, whyNoEtcd, type EtcdServer } from '../../support/etcd-server.ts'
import { eventually } from '../../support/eventually.ts'
import { scratch } from '../../support/scratch.ts'
import { EtcdBench, startEtcd } from './harness.ts'
import { valuesOf } from '../workbench.ts'

const PASSWORD = 'SENTINEL-5f1c'

/** Users on a server: root, and one who may read what is below `open/`. Gives a client of root's. */
async function enableUsers(server: EtcdServer): Promise<EtcdClient> {
  const { client } = server
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  await client.request('/v3/auth/user/add', { name: 'root', password: 'root' })
  await client.request('/v3/auth/user/grant', { user: 'root', role: 'root' }).catch(async () => {
    await client.request('/v3/auth/role/add', { name: 'root' })
    await client.request('/v3/auth/user/grant', { user: 'root', role: 'root' })
  })
  await client.request('/v3/auth/role/add', { name: 'reader' })
  const perm = { permType: 'READ', key: base64('open/'), range_end: base64('open0') }
  await client.request('/v3/auth/role/grant', { name: 'reader', perm })
  await client.request('/v3/auth/user/add', { name: 'web', password: PASSWORD })
  await client.request('/v3/auth/user/grant', { user: 'web', role: 'reader' })
  await client.put('open/a', '1')
  await client.put('closed/a', '1')
  await client.request('/v3/auth/enable', {})
  return await rootOf(server)
}

async function rootOf(server: EtcdServer): Promise<EtcdClient> {
  return new EtcdClient(server.url, { token: await server.client.authenticate('root', 'root') })
}

describe(`who may read ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  test('a user reads what it may, and the rest is forbidden', async () => {
    const server = await startEtcd()
    const root = await enableUsers(server)
    const bench = await EtcdBench.open({ endpoints: server.url, username: 'web', password: PASSWORD })
    const watching = bench.prefix('open')
    expect(valuesOf(await watching.first())).toEqual({ a: '1' })
    await root.put('open/a', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '2' }))
    expect(await bench.failure('closed/a')).toMatchObject({
      code: 'forbidden',
      message: /^mine:\/\/closed\/a: .*denied/,
    })
    expect(watching.ends).toEqual([])
    root.close()
  })

  test('no user, an unknown one and a wrong password are unauthenticated', async () => {
    const server = await startEtcd()
    await enableUsers(server)
    for (const user of [
      {},
      { username: 'nobody', password: PASSWORD },
      { username: 'web', password: `${PASSWORD}x` },
    ]) {
      const bench = await EtcdBench.open({ endpoints: server.url, ...user })
      const error = (await bench.failure('open/a')) as Error
      expect(error).toMatchObject({ code: 'unauthenticated' })
      expect(error.message + bench.logged.join('')).not.toContain(PASSWORD)
    }
  })

  test('a token that the server has forgotten is replaced, and so is a password', async () => {
    const server = await startEtcd()
    await enableUsers(server)
    const password = join(scratch(), 'password')
    writeFileSync(password, PASSWORD)
    const bench = await EtcdBench.open({ endpoints: server.url, username: 'web', password: `file:${password}` })
    const watching = bench.prefix('open')
    await watching.first()

    // Tokens are in the server's memory, users are not.
    await server.kill()
    await server.resume()
    const root = await rootOf(server)
    await root.put('open/a', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ a: '2' }))

    writeFileSync(password, 'another')
    await root.request('/v3/auth/user/changepw', { name: 'web', password: 'another' })
    const key = bench.key('open/a')
    expect((await key.first()).value).toBe('2')
    expect(key.ends).toEqual([])
    root.close()
  })

  test('a user where none is asked for is said once and no harm', async () => {
    const server = await startEtcd()
    await server.client.put('open/a', '1')
    const bench = await EtcdBench.open({ endpoints: server.url, username: 'web', password: PASSWORD })
    expect((await bench.key('open/a').first()).value).toBe('1')
    expect(bench.logged.filter(line => line.includes('asks for no user'))).toHaveLength(1)
  })

  test('check() says whether it answers', async () => {
    const server = await startEtcd()
    const bench = await EtcdBench.open({ endpoints: server.url })
    const { signal } = new AbortController()
    expect(await bench.provider.check?.(signal)).toMatchObject({ ok: true })
    await server.kill()
    expect(await bench.provider.check?.(signal)).toMatchObject({ ok: false })
  })

  test('over TLS, with certificates both ways, which may be rotated', async () => {
    const directory = scratch()
    const [good, other] = [makeCertificates(join(directory, 'good')), makeCertificates(join(directory, 'other'))]
    const tls = { ca: readFileSync(good.ca), cert: readFileSync(good.certificate), key: readFileSync(good.key) }
    const server = await startEtcd({ tls: { ...good, clients: true }, client: { tls } })
    await server.client.put('a/b', '1')
    const files = { certificate: join(directory, 'own.pem'), key: join(directory, 'own-key.pem') }
    copyFileSync(other.certificate, files.certificate)
    copyFileSync(other.key, files.key)
    const bench = await EtcdBench.open({ endpoints: server.url, tls: { ca: good.ca, ...files } })
    expect(await bench.failure('a/b')).toMatchObject({ code: 'unavailable' })

    copyFileSync(good.certificate, files.certificate)
    copyFileSync(good.key, files.key)
    const watching = bench.prefix('a')
    expect(valuesOf(await watching.first())).toEqual({ b: '1' })
    await server.client.put('a/b', '2')
    await eventually(() => expect(valuesOf(watching.latest)).toEqual({ b: '2' }))

    const stranger = await EtcdBench.open({ endpoints: server.url, tls: { ca: other.ca, ...files } })
    expect(await stranger.failure('a/b')).toMatchObject({ code: 'unavailable', hint: /CA/ })
  })
})
