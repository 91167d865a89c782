/** The provider's own token as a value, on the double and on a real server. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { vault } from '../../../providers/vault/plugin.ts'
import { eventually } from '../../support/eventually.ts'
import { runBuilt } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { call, must, vaultServers, type Json, type VaultServer } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

describe.each(vaultServers())('%s', (_, start) => {
  let server: VaultServer
  beforeAll(async () => void (server = await start()))
  afterAll(async () => await server?.close())

  let count = 0
  const post = (path: string, body: Json) => must(server, 'POST', path, body)

  /** A log-in that gives another token each time. */
  async function login(user: Json = {}) {
    const mount = `userpass${count++}`
    await post(`sys/auth/${mount}`, { type: 'userpass' })
    await post(`auth/${mount}/users/anna`, { password: 'right', token_ttl: '1h', ...user })
    return { method: 'userpass', mount, username: 'anna', password: 'right' }
  }

  async function isKnown(token: unknown): Promise<boolean> {
    return (await call(server, 'GET', 'auth/token/lookup-self', undefined, { token: String(token) })).status === 200
  }

  test('the token is given as it is, and another one when it was revoked, though nobody asks for anything else', async () => {
    const bench = await Bench.open(server, { auth: await login() })
    const asking = bench.watch('vaultToken')
    const first = await eventually(() => asking.answer)
    expect(await isKnown(first)).toBe(true)
    expect(await bench.ask('ref', '', 'token')).toBe(first)

    await post('auth/token/revoke', { token: first })
    await eventually(() => expect(asking.answer).not.toBe(first))
    expect(await isKnown(asking.answer)).toBe(true)
    expect(asking.watching.ends).toEqual([])
    expect(asking.watching.latest.sensitive).toBe(true)
    expect(asking.watching.latest.revision).not.toContain(String(asking.answer))
  })

  test('a token that takes the place of another is given at once, whoever had it replaced', async () => {
    const bench = await Bench.open(server, { auth: await login(), reread: '1h' })
    const asking = bench.watch('vaultToken')
    const first = await eventually(() => asking.answer)
    await post('auth/token/revoke', { token: first })
    await expect(bench.ask('ref', 'secret/forbidden', 'v')).rejects.toMatchObject({ code: 'forbidden' })
    await eventually(() => expect(asking.answer).not.toBe(first))
    expect(await isKnown(asking.answer)).toBe(true)
  })

  test('the wrapped token is opened once, and comes with a lease that ends when the wrapping does', async () => {
    const bench = await Bench.open(server, { auth: await login() })
    const { value, lease } = await bench.read('vaultToken', 'wrap=1m')
    const wrapped = (value as ReadonlyMap<string, string>).get('token') ?? ''
    expect(lease).toMatchObject({ id: '', durationMs: 60_000, renewable: false })

    const unwrap = () => call(server, 'POST', 'sys/wrapping/unwrap', {}, { token: wrapped })
    const { body } = await unwrap()
    expect(body.data.token).toBe(await bench.ask('vaultToken'))
    expect((await unwrap()).status).toBe(400)
    expect(await bench.ask('ref', '?wrap=1m', 'ttl')).toBe(60)
  })

  test('the wrapped token is not given for longer than the token in it is good', async () => {
    const bench = await Bench.open(server, { auth: await login({ token_ttl: '30s' }) })
    const { lease } = await bench.read('vaultToken', 'wrap=10m')
    expect(lease?.durationMs).toBeLessThanOrEqual(30_000)
  })

  test('a policy that hides the token from itself makes no further logins', async () => {
    const auth = await login({ token_no_default_policy: true, token_policies: ['nothing'] })
    const bench = await Bench.open(server, { auth })
    const asking = bench.watch('vaultToken')
    const first = await eventually(() => asking.answer)
    const forbidden = bench.watch('ref', 'secret/forbidden', 'v')
    const readings = asking.watching.readings.length
    await eventually(() => expect(asking.watching.readings.length).toBeGreaterThan(readings + 3))
    await eventually(() => expect(forbidden.watching.ends.length).toBeGreaterThan(1))
    expect(forbidden.watching.ends).toEqual(
      forbidden.watching.ends.map(() => expect.objectContaining({ code: 'forbidden' })),
    )
    expect(asking.answer).toBe(first)
  })

  test('the built program publishes the token, and a wrapped one, and nobody else may read them', async () => {
    const root = scratch()
    const volume = join(root, 'web')
    const files = [
      { path: 'plain', content: '{{ vaultToken }}' },
      { path: 'raw', from: 'vault://#token', format: 'raw' },
      { path: 'wrapped', content: '{{ vaultToken "wrap=5m" }}' },
      { path: 'wrapped.json', from: 'vault://?wrap=5m', format: 'json' },
    ]
    const providers = { vault: { type: 'vault', address: server.url, auth: await login() } }
    const config = { providers, bundles: { web: { volume, files } }, state: join(root, 'state') }
    writeFileSync(join(root, 'outrigger.yaml'), JSON.stringify(config))
    const { code, stderr } = await runBuilt(['once'], { directory: root })
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const shown = (name: string) => readFileSync(join(volume, name), 'utf8')
    const first = [shown('plain'), shown('wrapped')]
    expect((await runBuilt(['once'], { directory: root })).code).toBe(0)

    // Neither is made anew by the next process.
    expect([shown('plain'), shown('wrapped')]).toEqual(first)
    expect(await isKnown(shown('plain'))).toBe(true)
    expect(shown('raw')).toBe(shown('plain'))
    expect(JSON.parse(shown('wrapped.json')).token).toBe(shown('wrapped'))
    const opened = await call(server, 'POST', 'sys/wrapping/unwrap', {}, { token: shown('wrapped') })
    expect(opened.body.data.token).toBe(shown('plain'))
    for (const name of ['plain', 'wrapped']) {
      expect(statSync(join(volume, name)).mode & 0o777).toBe(0o600)
      expect(stderr).not.toContain(shown(name))
    }
  })
})

test('a refusal that is about what a token may is taken at its word', async () => {
  const double = await VaultDouble.start()
  onTestFinished(() => double.close())
  await must(double, 'POST', 'sys/auth/userpass', { type: 'userpass' })
  await must(double, 'POST', 'auth/userpass/users/anna', { password: 'right', token_policies: ['none'] })
  const bench = await Bench.open(double, { auth: { method: 'userpass', username: 'anna', password: 'right' } })
  await expect(bench.ask('ref', 'sys/policies', 'v')).rejects.toMatchObject({ code: 'forbidden' })
  expect(double.seen.filter(({ path }) => path.endsWith('lookup-self'))).toEqual([])
})

test.each([['wrap=soon'], ['wrap=5s'], ['wrap=1.5m1ms'], ['wrap'], ['wrap=5m', 'x'], [5]])(
  'vaultToken %j is refused',
  (...args) => {
    expect(() => vault.functions.vaultToken?.ask('mine', args)).toThrow(/^want /)
    expect(() => vault.reference.ask('mine', [`?${args.join('&')}`])).toThrow(/^want /)
  },
)

test('a wrapping of so long is one dependency, however that is written', () => {
  const ask = (text: string) => vault.functions.vaultToken?.ask('mine', [text])
  expect(ask('wrap=60s')).toEqual(ask('wrap=1m'))
  expect(ask('wrap=1m')).toEqual(vault.reference.ask('mine', ['?wrap=1m']))
})
