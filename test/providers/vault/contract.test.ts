/** What a server does that the provider relies on, through the provider, on the double and on a real one: a difference between the
 *  two fails here. */
import { randomBytes, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Float, Struct, type Value } from '../../../lib/base/value.ts'
import { absent } from '../../../lib/reading.ts'
import { eventually } from '../../support/eventually.ts'
import { call, must, namedVault, vaultServers, type Json, type VaultServer } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

/** So that nothing of another run is in the way, on a server that outlives it. */
const RUN = randomBytes(4).toString('hex')
let count = 0

describe.each([...vaultServers(), ...namedVault()])('%s', (name, start) => {
  let server: VaultServer
  beforeAll(async () => void (server = await start()))
  afterAll(async () => await server?.close())

  const post = (path: string, body: Json, options?: object) => must(server, 'POST', path, body, options)

  async function mounted(type: string, options?: Json): Promise<string> {
    const mount = `m-${RUN}-${count++}`
    await post(`sys/mounts/${mount}`, { type, options })
    // A KV engine of version 2 prepares itself for a moment.
    if (options?.version === '2') await eventually(() => post(`${mount}/data/ready`, { data: { a: '1' } }))
    return mount
  }

  async function tokenFor(rules: Readonly<Record<string, readonly string[]>>): Promise<string> {
    const name = `p-${RUN}-${count++}`
    const path = Object.fromEntries(Object.entries(rules).map(([path, capabilities]) => [path, { capabilities }]))
    await post(`sys/policies/acl/${name}`, { policy: JSON.stringify({ path }) })
    const { auth } = await post('auth/token/create', { policies: [name], ttl: '1h' })
    return auth.client_token
  }

  async function failure(promise: Promise<unknown>) {
    return await promise.then(
      () => expect.unreachable(),
      (error: unknown) => error as Error & { code: string },
    )
  }

  test('KV v2: a secret is read by its own path and by that of the API', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/data/app/db`, { data: { user: 'u', port: 5432, ratio: 0.5, big: '1' } })
    const bench = await Bench.open(server)

    expect(await bench.ask('ref', `${mount}/app/db`, 'user')).toBe('u')
    expect(await bench.ask('ref', `${mount}/app/db`, 'port')).toBe(5432)
    expect(await bench.ask('ref', `${mount}/app/db`, 'ratio')).toEqual(new Float(0.5))
    for (const path of [`${mount}/app/db`, `${mount}/data/app/db`, `/${mount}//app/db/`]) {
      expect(plain(await bench.ask('secret', path))).toMatchObject({
        Data: { data: { user: 'u' }, metadata: { version: 1, destroyed: false } },
        Renewable: false,
        LeaseID: '',
        Auth: null,
      })
    }
    expect(plain(await bench.ask('secret', `${mount}/metadata/app/db`))).toMatchObject({ Data: { current_version: 1 } })
  })

  test('KV v2: integers keep all their digits', async () => {
    const mount = await mounted('kv', { version: '2' })
    const client = await call(server, 'POST', `${mount}/data/n`, { data: { n: 0 } })
    expect(client.status).toBe(200)
    await post(`${mount}/data/n`, { data: { n: Number.MAX_SAFE_INTEGER } })
    const bench = await Bench.open(server)

    expect(await bench.ask('ref', `${mount}/n`, 'n')).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('KV v2: a change, a deletion and a return are seen', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const bench = await Bench.open(server)
    const asking = bench.watch('ref', `${mount}/a`, 'v')
    await eventually(() => expect(asking.answer).toBe('1'))
    await post(`${mount}/data/a`, { data: { v: '2' } })
    await eventually(() => expect(asking.answer).toBe('2'))
    await must(server, 'DELETE', `${mount}/data/a`)
    await eventually(() => expect(asking.answer).toBe(absent))
    expect(asking.watching.latest.why).toBe('version 2 was deleted')
    await post(`${mount}/undelete/a`, { versions: [2] })
    await eventually(() => expect(asking.answer).toBe('2'))
    await post(`${mount}/destroy/a`, { versions: [2] })
    await eventually(() => expect(asking.watching.latest.why).toBe('version 2 was destroyed'))
    await must(server, 'DELETE', `${mount}/metadata/a`)
    await post(`${mount}/data/a`, { data: { v: 'anew' } })
    await eventually(() => expect(asking.answer).toBe('anew'))
    expect(asking.watching.ends).toEqual([])
  })

  test('KV v2: a version stays what it is, and one that never was is absent', async () => {
    const mount = await mounted('kv', { version: '2' })
    for (const v of ['1', '2']) await post(`${mount}/data/a`, { data: { v } })
    const bench = await Bench.open(server)

    expect(await bench.ask('ref', `${mount}/a?version=1`, 'v')).toBe('1')
    expect(await bench.ask('ref', `${mount}/a`, 'v')).toBe('2')
    expect((await bench.read('ref', `${mount}/a?version=7`, 'v')).value).toBe(absent)
  })

  test('KV v2: a secret that ends by itself is gone when it ends', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/metadata/a`, { delete_version_after: '2s' })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const bench = await Bench.open(server)
    const asking = bench.watch('ref', `${mount}/a`, 'v')

    await eventually(() => expect(asking.answer).toBe('1'))
    await eventually(() => expect(asking.answer).toBe(absent))
    expect(asking.watching.ends).toEqual([])
  })

  test('KV v2: without the right to read metadata, changes are seen by reading', async () => {
    const mount = await mounted('kv', { version: '2' })
    const token = await tokenFor({ [`${mount}/data/*`]: ['read'] })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const bench = await Bench.open(server, { auth: { method: 'token', token } })
    const asking = bench.watch('ref', `${mount}/a`, 'v')
    await eventually(() => expect(asking.answer).toBe('1'))
    await post(`${mount}/data/a`, { data: { v: '2' } })
    await eventually(() => expect(asking.answer).toBe('2'))
    expect(asking.watching.ends).toEqual([])
  })

  test('KV v1: a secret is read, and its changes are seen', async () => {
    const mount = await mounted('kv', { version: '1' })
    await post(`${mount}/a`, { v: '1' })
    const bench = await Bench.open(server)
    const asking = bench.watch('ref', `${mount}/a`, 'v')
    await eventually(() => expect(asking.answer).toBe('1'))
    await post(`${mount}/a`, { v: '2' })
    await eventually(() => expect(asking.answer).toBe('2'))
    expect(plain(await bench.ask('secret', `${mount}/a`))).toMatchObject({ Data: { v: '2' } })
  })

  test('the names below a path are listed, sorted', async () => {
    const bench = await Bench.open(server)
    for (const version of ['1', '2']) {
      const mount = await mounted('kv', { version })
      const data = { data: { v: '1' } }
      for (const name of ['b', 'a', 'nested/c']) await post(`${mount}/${version === '2' ? 'data/' : ''}x/${name}`, data)
      expect(await bench.ask('secrets', `${mount}/x`)).toEqual(['a', 'b', 'nested/'])
      expect(await bench.ask('secrets', `${mount}/none`)).toEqual([])
      // As it is no secret that there is one, outputs may be named so.
      const asking = bench.watch('secrets', `${mount}/x`)
      await eventually(() => expect(asking.watching.latest.sensitive).toBe(false))
    }
  })

  test('secretOrDefault gives what is there, or the default', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const bench = await Bench.open(server)

    expect(await bench.ask('secretOrDefault', `${mount}/a`, 'v', 'none')).toBe('1')
    expect(await bench.ask('secretOrDefault', `${mount}/a`, 'w', 'none')).toBe('none')
    expect(await bench.ask('secretOrDefault', `${mount}/b`, 'v', 'none')).toBe('none')
    expect(await bench.ask('secretOrDefault', `${mount}/b`, null)).toBe(null)
    expect(plain(await bench.ask('secretOrDefault', `${mount}/a`, null))).toMatchObject({ Data: { data: { v: '1' } } })
  })

  test('what is not mounted is absent for a token that may everything, and forbidden for one that may not', async () => {
    const bench = await Bench.open(server)
    const reading = await bench.read('ref', 'nothing/here', 'v').catch((error: unknown) => error)
    expect(reading).toMatchObject(reading instanceof Error ? { code: 'forbidden' } : { value: absent })
    const token = await tokenFor({ 'elsewhere/*': ['read'] })
    const small = await Bench.open(server, { auth: { method: 'token', token } })
    expect((await failure(small.ask('ref', 'nothing/here', 'v'))).code).toBe('forbidden')
  })

  test('a path that the token may not read is forbidden, and one that the token is not known for unauthenticated', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const token = await tokenFor({ [`${mount}/data/other`]: ['read'] })
    const small = await Bench.open(server, { auth: { method: 'token', token } })
    expect((await failure(small.ask('ref', `${mount}/a`, 'v'))).code).toBe('forbidden')

    const stranger = await Bench.open(server, { auth: { method: 'token', token: 'hvs.unknown' } })
    expect((await failure(stranger.ask('ref', `${mount}/a`, 'v'))).code).toBe('unauthenticated')
    await post('auth/token/revoke', { token })
    expect((await failure(small.ask('ref', `${mount}/a`, 'v'))).code).toBe('unauthenticated')
  })

  // Somebody else's server is not sealed.
  test.skipIf(namedVault().some(([named]) => named === name))(
    'a sealed server is unavailable, and is read again when it is unsealed',
    async () => {
      const mount = await mounted('kv', { version: '2' })
      await post(`${mount}/data/a`, { data: { v: '1' } })
      const bench = await Bench.open(server)
      await bench.ask('ref', `${mount}/a`, 'v')
      await post('sys/seal', {})
      try {
        expect((await failure(bench.ask('ref', `${mount}/a`, 'v'))).code).toBe('unavailable')
        expect(await bench.provider.check?.(new AbortController().signal)).toMatchObject({ ok: false })
      } finally {
        await post('sys/unseal', { key: server.unsealKey })
      }
      await eventually(async () => expect(await bench.ask('ref', `${mount}/a`, 'v')).toBe('1'))
      expect(await bench.provider.check?.(new AbortController().signal)).toMatchObject({ ok: true })
    },
  )

  test('a write reads what the server answers: transit', async () => {
    const mount = await mounted('transit')
    await post(`${mount}/keys/k`, {})
    const bench = await Bench.open(server)
    const plaintext = Buffer.from('hello').toString('base64')
    const written = plain(await bench.ask('secret', `${mount}/encrypt/k`, `plaintext=${plaintext}`))
    const { ciphertext } = written.Data
    expect(ciphertext).toMatch(/^vault:v1:/)
    expect(plain(await bench.ask('secret', `${mount}/decrypt/k`, `ciphertext=${ciphertext}`))).toMatchObject({
      Data: { plaintext },
    })
    expect((await failure(bench.ask('secret', `${mount}/decrypt/k`, 'ciphertext=none'))).code).toBe('invalid-data')
  })

  test('a certificate comes with its key and its authority from one issue', async () => {
    const mount = await mounted('pki')
    await post(`${mount}/root/generate/internal`, { common_name: 'root of the test', ttl: '24h' })
    await post(`${mount}/roles/web`, {
      allow_any_name: true,
      enforce_hostnames: false,
      max_ttl: '12h',
      key_type: 'ec',
      key_bits: 256,
    })
    const bench = await Bench.open(server)
    const reading = await bench.read('pkiCert', `${mount}/issue/web`, 'common_name=web.example.org', 'ttl=1h')
    const { Cert, Key, CA, CAChain, Data } = plain(reading.value)

    const certificate = new X509Certificate(Cert)
    expect(certificate.subject).toContain('web.example.org')
    expect(certificate.checkIssued(new X509Certificate(CA))).toBe(true)
    expect(Key).toMatch(/PRIVATE KEY-----\n$/)
    expect(CAChain).toContain(CA)
    expect(Data).toEqual({ Cert, Key, CA, CAChain })
    expect(reading.lease).toMatchObject({ renewable: false, endsAtMs: certificate.validToDate.getTime() })
    await expect(bench.provider.revoke?.(reading.lease as never, new AbortController().signal)).resolves.toBeUndefined()
  })

  test('a lease is revoked, and a second time it is not there', async () => {
    const mount = await mounted('pki')
    await post(`${mount}/root/generate/internal`, { common_name: 'root of the test', ttl: '24h' })
    const role = { allow_any_name: true, enforce_hostnames: false, generate_lease: true, key_type: 'ec', key_bits: 256 }
    await post(`${mount}/roles/web`, role)
    const bench = await Bench.open(server)
    const { lease } = await bench.read('secret', `${mount}/issue/web`, 'common_name=a', 'ttl=1h')
    const never = new AbortController().signal

    expect(lease).toMatchObject({ durationMs: expect.any(Number), renewable: false })
    // The server does not renew it; it lasts as long as it was granted, with a token that lasts.
    expect(await bench.provider.renew?.(lease as never, never)).toMatchObject({ id: lease?.id, renewable: false })
    await bench.provider.revoke?.(lease as never, never)
    await bench.provider.revoke?.(lease as never, never)
  })

  test('a token that is written for has a lease, which is renewed and revoked', async () => {
    const bench = await Bench.open(server)
    const { lease, value } = await bench.read('secret', 'auth/token/create', 'ttl=1h', 'policies=default')
    const never = new AbortController().signal
    const { Auth } = plain((value as Struct).fields.get('Secret'))

    expect(Auth.ClientToken).toEqual(expect.any(String))
    expect(lease).toMatchObject({ durationMs: 3_600_000, renewable: true })
    expect(await bench.provider.renew?.(lease as never, never)).toMatchObject({ id: lease?.id, renewable: true })
    await bench.provider.revoke?.(lease as never, never)
    expect(await bench.provider.renew?.(lease as never, never)).toBeUndefined()
    await bench.provider.revoke?.(lease as never, never)
    expect((await call(server, 'GET', 'auth/token/lookup-self', undefined, { token: Auth.ClientToken })).status).toBe(
      403,
    )
  })

  test('a wrapped value can be had once', async () => {
    const { wrap_info } = await post('sys/wrapping/wrap', { v: 'wrapped' }, { wrapTtl: '1m' })
    const bench = await Bench.open(server)
    const ask = () => bench.ask('secret', 'sys/wrapping/unwrap', `token=${wrap_info.token}`)

    expect(plain(await ask())).toMatchObject({ Data: { v: 'wrapped' } })
    expect((await failure(ask())).code).toBe('invalid-data')
  })

  test('a path that the token may not read for a while is read again when it may', async () => {
    const mount = await mounted('kv', { version: '2' })
    await post(`${mount}/data/a`, { data: { v: '1' } })
    const rules = { [`${mount}/*`]: { capabilities: ['read'] } }
    const name = `p-${RUN}-${count++}`
    const allow = async (path: object) => post(`sys/policies/acl/${name}`, { policy: JSON.stringify({ path }) })
    await allow(rules)
    const { auth } = await post('auth/token/create', { policies: [name], ttl: '1h' })
    const bench = await Bench.open(server, { auth: { method: 'token', token: auth.client_token } })
    expect(await bench.ask('ref', `${mount}/a`, 'v')).toBe('1')
    await allow({ 'elsewhere/*': { capabilities: ['read'] } })
    expect((await failure(bench.ask('ref', `${mount}/a`, 'v'))).code).toBe('forbidden')
    await allow(rules)
    expect(await bench.ask('ref', `${mount}/a`, 'v')).toBe('1')
  })

  test('the cubbyhole of the token is read', async () => {
    const bench = await Bench.open(server)
    await post('cubbyhole/mine', { v: '1' })
    expect(await bench.ask('ref', 'cubbyhole/mine', 'v')).toBe('1')
  })

  test('a namespace is the one of the provider, the reference or the path', async context => {
    const name = `ns-${RUN}-${count++}`
    const made = await call(server, 'POST', `sys/namespaces/${name}`, {})
    if (made.status >= 300) context.skip('this server has no namespaces')
    const namespace = { namespace: name }
    await post('sys/mounts/kv', { type: 'kv', options: { version: '2' } }, namespace)
    await eventually(() => post('kv/data/a', { data: { v: 'inside' } }, namespace))
    const inside = await Bench.open(server, { namespace: name })
    const outside = await Bench.open(server)

    expect(await inside.ask('ref', 'kv/a', 'v')).toBe('inside')
    expect(await outside.ask('ref', `kv/a?namespace=${name}`, 'v')).toBe('inside')
    expect(await outside.ask('ref', `${name}/kv/a`, 'v')).toBe('inside')
  })
})

describe.each(vaultServers())('%s with TLS', (_, start) => {
  test('is read with the certificate of its authority, and not without', async () => {
    const server = await start('tls')
    onTestFinished(() => server.close())
    await eventually(() => must(server, 'POST', 'secret/data/a', { data: { v: '1' } }))
    const bench = await Bench.open(server)
    const stranger = await Bench.open({ ...server, url: server.url, rootToken: server.rootToken, ca: undefined })

    expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1')
    await expect(stranger.ask('ref', 'secret/a', 'v')).rejects.toMatchObject({ code: 'unavailable' })
  })
})

/** A value as plain JavaScript. */
function plain(value: unknown): Json {
  if (value instanceof Struct) return plain(value.fields)
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, item]) => [name, plain(item as Value)]))
  return Array.isArray(value) ? value.map(plain) : value
}
