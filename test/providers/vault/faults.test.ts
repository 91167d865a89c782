/** What the provider makes of answers and connections that are no good, on servers that a test scripts; `outages.test.ts` has those that a
 *  real server can be brought to. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dependencyId } from '../../../lib/dependency.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { Question } from '../../../lib/provider.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort, serve } from '../../support/serve.ts'
import { scratch } from '../../support/scratch.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

const TOKEN = 'SENTINEL-token-4c1d'
const WORDS = 'SENTINEL-words-of-the-server'

async function started(): Promise<VaultDouble> {
  const double = await VaultDouble.start()
  onTestFinished(() => double.close())
  await must(double, 'POST', 'auth/token/create', { id: TOKEN, policies: ['root'], ttl: '1h' })
  await must(double, 'POST', 'secret/data/a', { data: { v: '1' } })
  double.seen.length = 0
  return double
}

function withToken(server: { url: string }, options: object = {}): Promise<Bench> {
  return Bench.open({ url: server.url, ca: undefined, rootToken: TOKEN }, { timeout: '5s', ...options })
}

async function failure(promise: Promise<unknown>): Promise<ProviderError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ProviderError)
  expect(inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error)).not.toMatch(/SENTINEL/)
  return error as ProviderError
}

describe('an answer that is no success', () => {
  test.each([
    [400, 'missing client token', 'unauthenticated'],
    [400, 'wrapping token is not valid or does not exist', 'invalid-data'],
    [400, 'lease not found', 'invalid-data'],
    [400, 'lease is not renewable', 'unsupported'],
    [400, 'whatever', 'invalid-data'],
    [401, '', 'unauthenticated'],
    [403, 'permission denied', 'unauthenticated'],
    [403, 'permission denied\n* invalid token', 'unauthenticated'],
    [404, 'unsupported path', 'unsupported'],
    [405, 'unsupported operation', 'unsupported'],
    [412, 'required index state not present', 'unavailable'],
    [413, '', 'invalid-data'],
    [418, '', 'invalid-data'],
    [429, 'request path rate limited', 'rate-limited'],
    [472, '', 'unavailable'],
    [473, '', 'unavailable'],
    [500, 'internal error', 'unavailable'],
    [501, '', 'unavailable'],
    [502, '', 'unavailable'],
    [503, 'Vault is sealed', 'unavailable'],
  ])('%i %j is %s, and quotes nothing', async (status, text, code) => {
    const { url } = await serve((_, response) => {
      response.writeHead(status, { 'retry-after': '7' })
      response.end(JSON.stringify({ errors: [`${text} ${WORDS}`] }))
    })
    const bench = await withToken({ url })

    const error = await failure(bench.ask('ref', 'secret/a', 'v'))

    expect(error.code).toBe(code)
    expect(error.message).toContain('mine://secret/a: ')
    expect(error.retryAfterMs).toBe(7_000)
  })

  test('is forbidden where the server knows the token, be it an older one that says the same of both', async () => {
    const double = await started()
    double.isOld = true
    await must(double, 'POST', 'sys/policies/acl/small', {
      policy: '{"path":{"secret/data/b":{"capabilities":["read"]}}}',
    })
    await must(double, 'POST', 'auth/token/create', { id: `${TOKEN}-small`, policies: ['small'], ttl: '1h' })
    const small = await withToken(double, { auth: { method: 'token', token: `${TOKEN}-small` } })
    const unknown = await withToken(double, { auth: { method: 'token', token: `${TOKEN}-unknown` } })

    expect((await failure(small.ask('ref', 'secret/a', 'v'))).code).toBe('forbidden')
    expect((await failure(unknown.ask('ref', 'secret/a', 'v'))).code).toBe('unauthenticated')
  })

  test('that is HTML, too large or not JSON is said to be that', async () => {
    for (const [body, status] of [
      [`<html>${WORDS}`, 200],
      [`{"data":"${'x'.repeat(9 * 1024 * 1024)}"}`, 200],
    ] as const) {
      const { url } = await serve((_, response) => void response.writeHead(status).end(body))
      expect((await failure((await withToken({ url })).ask('ref', 'secret/a', 'v'))).code).toBe('invalid-data')
    }
  })
})

describe('a connection', () => {
  test('that cannot be made is unavailable, and one that says nothing a timeout', async () => {
    const closed = await withToken({ url: `http://127.0.0.1:${await freePort()}` })
    expect((await failure(closed.ask('ref', 'secret/a', 'v'))).code).toBe('unavailable')
    const { url } = await serve(() => {})
    const silent = await withToken({ url }, { timeout: '100ms' })
    expect((await failure(silent.ask('ref', 'secret/a', 'v'))).code).toBe('timeout')
  })

  test('ends with the watch that waits for it', async () => {
    const arrived = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const { url } = await serve((request, response) => {
      if (request.url === '/v1/auth/token/lookup-self') return void response.end('{"data":{"ttl":0}}')
      request.socket.once('close', () => ended.resolve())
      arrived.resolve()
    })
    const bench = await withToken({ url }, { timeout: '60s' })
    const controller = new AbortController()
    const readings = bench.provider.watch(vault.reference.ask('mine', ['secret/a', 'v']), controller.signal)
    const next = readings[Symbol.asyncIterator]().next()
    next.catch(() => {})
    await arrived.promise
    controller.abort(new Error('over'))

    await expect(next).rejects.toThrow('over')
    await ended.promise
  })

  test('is kept', async () => {
    const double = await started()
    const bench = await withToken(double)
    const asking = bench.watch('ref', 'secret/a', 'v')
    await asking.watching.first()
    for (let i = 0; i < 5; i++) await bench.ask('ref', 'secret/a', 'v')

    expect(new Set(double.seen.map(({ port }) => port)).size).toBeLessThanOrEqual(2)
  })
})

describe('a redirect', () => {
  test('to another host is not followed, and nothing is sent there', async () => {
    const double = await started()
    const { url } = await serve((request, response) => {
      response.writeHead(307, { location: `${double.url}${request.url}` }).end()
    })
    const error = await failure((await withToken({ url })).ask('ref', 'secret/a', 'v'))

    expect(error.code).toBe('unavailable')
    expect(error.message).toContain(double.url)
    expect(double.seen).toEqual([])
  })

  test('to an active node that the configuration names is followed, once', async () => {
    const double = await started()
    const { url } = await serve((request, response) => {
      response.writeHead(307, { location: `${double.url}${request.url}` }).end()
    })
    expect(await (await withToken({ url }, { activeNodes: [double.url] })).ask('ref', 'secret/a', 'v')).toBe('1')
    const loop = await serve((request, response) => {
      response.writeHead(307, { location: request.url ?? '' }).end()
    })
    expect((await failure((await withToken(loop)).ask('ref', 'secret/a', 'v'))).code).toBe('unavailable')
  })
})

test('a token file is read again when its token is refused', async () => {
  const double = await started()
  const file = join(scratch(), 'token')
  writeFileSync(file, `${TOKEN}\n`)
  const bench = await withToken(double, { auth: { method: 'token', file } })
  expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1')
  await must(double, 'POST', 'auth/token/revoke', { token: TOKEN })
  expect((await failure(bench.ask('ref', 'secret/a', 'v'))).code).toBe('unauthenticated')
  writeFileSync(file, 'root\n')

  await eventually(async () => expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1'))
})

test('what cannot be known of a mount is not remembered', async () => {
  const double = await started()
  const bench = await withToken(double)
  double.fault = ({ url }, response) => {
    if (url?.includes('internal/ui/mounts') !== true) return false
    response.writeHead(500).end()
    return true
  }
  expect((await failure(bench.ask('ref', 'secret/a', 'v'))).code).toBe('unavailable')
  double.fault = undefined

  expect(await bench.ask('ref', 'secret/a', 'v')).toBe('1')
})

test('many secrets of one mount ask once which engine it is', async () => {
  const double = await started()
  const bench = await withToken(double)
  await Promise.all(Array.from({ length: 50 }, () => bench.ask('ref', 'secret/a', 'v')))

  expect(double.seen.filter(({ path }) => path.includes('internal/ui/mounts'))).toHaveLength(1)
})

test('a secret that did not change costs one small request each time', async () => {
  const double = await started()
  const bench = await withToken(double)
  const asking = bench.watch('ref', 'secret/a', 'v')
  await expect.poll(() => asking.watching.readings.length, { timeout: 10_000 }).toBeGreaterThan(4)

  expect(double.seen.filter(({ path }) => path === '/v1/secret/data/a')).toHaveLength(1)
})

test('a dependency that writes shows what is plain and hides the rest', () => {
  const [secret, pkiCert] = [vault.functions.secret, vault.functions.pkiCert]
  const one = secret?.ask('mine', ['transit/decrypt/a', 'ciphertext=SENTINEL', 'format=x'])
  const other = secret?.ask('mine', ['transit/decrypt/a', 'ciphertext=SENTINEL2', 'format=x'])
  expect(inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one)).not.toContain('SENTINEL')
  expect(one?.params).toMatchObject({ format: 'x' })
  expect(dependencyId(one as never)).not.toBe(dependencyId(other as never))
  expect(pkiCert?.ask('mine', ['pki/issue/web', 'common_name=a', 'ttl=1h']).params).toEqual({
    common_name: 'a',
    ttl: '1h',
  })
})

test('a leased secret is read once, and its static role again when it has rotated', async () => {
  const double = await started()
  await must(double, 'POST', 'sys/mounts/db', { type: 'leased' })
  await must(double, 'POST', 'sys/mounts/static', { type: 'leased', options: { rotation: 0 } })
  const bench = await withToken(double)
  const leased = bench.watch('ref', 'db/creds/app', 'username')
  const { lease } = await leased.watching.first()
  const rotated = bench.watch('ref', 'static/creds/app', 'password')
  await expect.poll(() => rotated.answer, { timeout: 10_000 }).not.toBe('password 1')

  expect(lease).toMatchObject({ durationMs: 60_000, renewable: true })
  expect(leased.watching.readings).toHaveLength(1)
  const never = new AbortController().signal
  expect(await bench.provider.renew?.(lease as never, never)).toMatchObject({ id: lease?.id, durationMs: 60_000 })
  await bench.provider.revoke?.(lease as never, never)
  expect(await bench.provider.renew?.(lease as never, never)).toBeUndefined()
  await bench.provider.revoke?.(lease as never, never)
})

test('a secret that is read again and is the same keeps its revision and its value, request id and all', async () => {
  const double = await started()
  await must(double, 'POST', 'sys/mounts/plain', { type: 'kv', options: { version: '1' } })
  await must(double, 'POST', 'plain/a', { v: '1' })
  const bench = await withToken(double)
  const { watching } = bench.watch('ref', 'plain/a', 'v')
  await expect.poll(() => watching.readings.length, { timeout: 10_000 }).toBeGreaterThan(2)

  const [{ value, revision, observedAtMs } = await watching.first(), ...later] = watching.readings
  for (const reading of later) expect(reading).toMatchObject({ value, revision })
  expect(later.at(-1)?.observedAtMs).toBeGreaterThan(observedAtMs)
})

test('a list is asked for again as often as the version of a secret', async () => {
  const double = await started()
  await must(double, 'POST', 'secret/data/a', { data: { v: '1' } })
  const bench = await withToken(double, { reread: '1h' })
  const { watching } = bench.watch('secrets', 'secret')
  await watching.first()
  await must(double, 'POST', 'secret/data/b', { data: { v: '1' } })

  await expect.poll(() => watching.latest.value, { timeout: 10_000 }).toEqual(['a', 'b'])
})

test('of a KV v2 secret its values and custom metadata are secret, and nothing else is', async () => {
  const double = await started()
  await must(double, 'POST', 'secret/metadata/a', { custom_metadata: { owner: 'team-a' } })
  await must(double, 'POST', 'secret/data/a', { data: { v: 'one', deep: { w: 2 } } })
  const bench = await withToken(double)
  const { secrets } = await bench.watch('ref', 'secret/a', 'v').watching.first()

  const [data, custom] = secrets ?? []
  expect(secrets).toHaveLength(2)
  expect(Object.fromEntries(data as Map<string, unknown>)).toEqual({ v: 'one', deep: new Map([['w', 2]]) })
  expect(Object.fromEntries(custom as Map<string, unknown>)).toEqual({ owner: 'team-a' })
})

test('a lease that comes when nobody waits for it any more is given back', async () => {
  const double = await started()
  const bench = await withToken(double)
  const controller = new AbortController()
  double.fault = ({ url }) => {
    if (url === '/v1/auth/token/create') controller.abort(new Error('over'))
    return false
  }
  const question = vault.functions.secret as Question
  const readings = bench.provider.watch(question.ask('mine', ['auth/token/create', 'ttl=1h']), controller.signal)
  await expect(readings[Symbol.asyncIterator]().next()).rejects.toThrow('over')

  expect(double.seen.map(({ path }) => path)).toContain('/v1/auth/token/revoke-accessor')
})

test('a dependency that writes is the same after a restart, and another for another provider', async () => {
  const directory = scratch()
  const asked = () => dependencyId((vault.functions.secret as Question).ask('mine', ['a/b', 'password=SENTINEL']))
  const open = (where: string) =>
    Bench.open({ url: 'http://127.0.0.1:1', ca: undefined, rootToken: TOKEN }, {}, { directory: async () => where })
  await open(directory)
  const before = asked()
  await open(scratch())
  expect(asked()).not.toBe(before)
  await open(directory)
  expect(asked()).toBe(before)
})
