/** Every way to come by a token, on the double and on a real server. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { jwtOf, seconds } from '../../support/jwt.ts'
import { slapdProgram, startDirectory } from '../../support/ldap-server.ts'
import { noteIn } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { serve } from '../../support/serve.ts'
import { issue, newAuthority } from '../../support/vault-double-pki.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must, vaultServers, type Json, type VaultServer } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

const ROLE = { token_policies: ['reads'], token_ttl: '1h', policies: ['reads'] }

async function prepared(server: VaultServer): Promise<void> {
  const policy = JSON.stringify({ path: { 'secret/*': { capabilities: ['read', 'list'] } } })
  await must(server, 'POST', 'sys/policies/acl/reads', { policy })
  await eventually(() => must(server, 'POST', 'secret/data/a', { data: { v: '1' } }))
}

function reading(bench: Bench): Promise<unknown> {
  return bench.ask('ref', 'secret/a', 'v')
}

describe.each(vaultServers())('%s logs in with', (_, start) => {
  let server: VaultServer
  beforeAll(async () => {
    server = await start()
    await prepared(server)
  })
  afterAll(async () => await server?.close())

  let count = 0
  const post = (path: string, body: Json, options?: object) => must(server, 'POST', path, body, options)

  async function mounted(type: string): Promise<string> {
    const mount = `${type}${count++}`
    await post(`sys/auth/${mount}`, { type })
    return mount
  }

  const open = (auth: object) => Bench.open(server, { auth })

  describe('approle', () => {
    async function role(options: Json = {}) {
      const mount = await mounted('approle')
      await post(`auth/${mount}/role/app`, { ...ROLE, ...options })
      const { data } = await must(server, 'GET', `auth/${mount}/role/app/role-id`)
      const secretIdFile = join(scratch(), 'secret-id')
      const write = async () => {
        const { data } = await post(`auth/${mount}/role/app/secret-id`, {})
        writeFileSync(secretIdFile, `${data.secret_id}\n`)
      }
      const wrap = async () => {
        const { wrap_info } = await post(`auth/${mount}/role/app/secret-id`, {}, { wrapTtl: '5m' })
        writeFileSync(secretIdFile, wrap_info.token)
      }
      return { auth: { method: 'approle', mount, roleId: data.role_id as string, secretIdFile }, write, wrap }
    }

    test('a secret id from a file, which is read again at every login', async () => {
      const { auth, write } = await role()
      await write()
      expect(await reading(await open(auth))).toBe('1')
      writeFileSync(auth.secretIdFile, 'wrong')
      const bench = await open(auth)
      await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
      await write()
      await eventually(async () => expect(await reading(bench)).toBe('1'))
    })

    test('a wrapped secret id, that is removed after it was read, and used once more when its token is revoked', async () => {
      const { auth, wrap } = await role()
      await wrap()
      const bench = await open({ ...auth, wrapped: true, removeSecretIdFile: true })
      expect(await reading(bench)).toBe('1')
      expect(existsSync(auth.secretIdFile)).toBe(false)
      await revokeAll(auth.mount)
      expect(await reading(bench)).toBe('1')
    })

    test('a secret id that somebody else has unwrapped is refused with the reason', async () => {
      const { auth, wrap } = await role()
      await wrap()
      expect(await reading(await open({ ...auth, wrapped: true }))).toBe('1')
      await expect(reading(await open({ ...auth, wrapped: true }))).rejects.toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining('has been had'),
      })
    })

    test('a token of before a restart that may not is refused as a fresh one is, also when no other can be had', async () => {
      const { auth, write } = await role({ token_policies: [], policies: [] })
      await write()
      const kept = new Map<string, string>()
      const note = noteIn(kept)
      const refused = async () => await reading(await Bench.open(server, { auth }, { note })).catch(error => error)
      expect(await refused()).toMatchObject({ code: 'forbidden' })
      expect(kept.size).toBe(1)
      writeFileSync(auth.secretIdFile, 'used up')
      expect(await refused()).toMatchObject({ code: 'forbidden' })
    })

    test('a batch token', async () => {
      const { auth, write } = await role({ token_type: 'batch' })
      await write()
      expect(await reading(await open(auth))).toBe('1')
    })

    test('a token that may be used a few times only is refused with the reason', async () => {
      const { auth, write } = await role({ token_num_uses: 5 })
      await write()
      await expect(reading(await open(auth))).rejects.toMatchObject({
        code: 'unauthenticated',
        message: expect.stringContaining('a few times only'),
      })
    })

    /** Revokes what the method has given; the double has no call for it. */
    async function revokeAll(mount: string): Promise<void> {
      if (server instanceof VaultDouble) server.tokens.revokeAllBut(server.rootToken)
      else await must(server, 'POST', `sys/leases/revoke-prefix/auth/${mount}/login`, {})
    }
  })

  test('a token that is given, a batch token too, and not one that may be used a few times only', async () => {
    const policies = ['reads']
    const batch = await post('auth/token/create', { policies, type: 'batch', ttl: '1h' })
    expect(await reading(await open({ method: 'token', token: batch.auth.client_token }))).toBe('1')
    const few = await post('auth/token/create', { policies, num_uses: 5, ttl: '1h' })
    await expect(reading(await open({ method: 'token', token: few.auth.client_token }))).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('a few times only'),
      hint: expect.stringContaining('num_uses'),
    })
  })

  test('userpass', async () => {
    const mount = await mounted('userpass')
    await post(`auth/${mount}/users/anna`, { ...ROLE, password: 'right' })
    const file = join(scratch(), 'password')
    writeFileSync(file, 'wrong\n')
    const bench = await open({ method: 'userpass', mount, username: 'anna', password: `file:${file}` })
    await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(file, 'right\n')
    await eventually(async () => expect(await reading(bench)).toBe('1'))
  })

  test('ldap', async context => {
    const isDouble = server instanceof VaultDouble
    if (!isDouble && slapdProgram === undefined)
      context.skip('there is no slapd: put it on the PATH, or name it SLAPD_BIN')
    const mount = await mounted('ldap')
    if (!isDouble) {
      const { url, users } = await startDirectory({ anna: 'right', ben: 'other' })
      await post(`auth/${mount}/config`, { url, userdn: users, userattr: 'uid', groupdn: users })
    }
    await post(`auth/${mount}/users/anna`, isDouble ? { ...ROLE, password: 'right' } : { policies: 'reads' })
    const file = join(scratch(), 'password')
    writeFileSync(file, 'other\n')
    const bench = await open({ method: 'ldap', mount, username: 'anna', password: `file:${file}` })
    await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(file, 'right\n')
    await eventually(async () => expect(await reading(bench)).toBe('1'))
  })

  test('jwt', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const mount = await mounted('jwt')
    await post(`auth/${mount}/config`, { jwt_validation_pubkeys: [publicKey.export({ format: 'pem', type: 'spki' })] })
    const bound = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['outrigger'] }
    await post(`auth/${mount}/role/app`, { ...ROLE, ...bound })
    const file = join(scratch(), 'jwt')
    const auth = { method: 'jwt', mount, role: 'app', file }
    writeFileSync(file, lasting({ sub: 'anna', aud: 'outrigger', exp: -60 }, privateKey))
    const bench = await open(auth)
    await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(file, lasting({ sub: 'anna', aud: 'outrigger', exp: 600 }, privateKey))
    await eventually(async () => expect(await reading(bench)).toBe('1'))
  })

  test('kubernetes', async () => {
    const { url } = await serve((request, response) => void review(request, response))
    const mount = await mounted('kubernetes')
    await post(`auth/${mount}/config`, {
      kubernetes_host: url,
      token_reviewer_jwt: 'reviewer',
      disable_local_ca_jwt: true,
      kubernetes_ca_cert: newAuthority('cluster').certificate,
    })
    const bound = { bound_service_account_names: ['web'], bound_service_account_namespaces: ['shop'] }
    await post(`auth/${mount}/role/app`, { ...ROLE, ...bound })
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const account = (name: string) =>
      lasting(
        {
          iss: 'kubernetes/serviceaccount',
          sub: `system:serviceaccount:shop:${name}`,
          aud: ['api'],
          exp: 600,
          'kubernetes.io/serviceaccount/namespace': 'shop',
          'kubernetes.io/serviceaccount/service-account.name': name,
          'kubernetes.io/serviceaccount/service-account.uid': 'uid',
        },
        privateKey,
      )
    const tokenFile = join(scratch(), 'token')
    writeFileSync(tokenFile, account('other'))
    const bench = await open({ method: 'kubernetes', mount, role: 'app', tokenFile })
    await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
    writeFileSync(tokenFile, account('web'))
    await eventually(async () => expect(await reading(bench)).toBe('1'))
  })

  test('what is not mounted, or cannot be read, is said', async () => {
    await expect(
      reading(await open({ method: 'userpass', mount: 'nowhere', username: 'a', password: 'b' })),
    ).rejects.toMatchObject({ code: 'unauthenticated' })
    const tokenFile = join(scratch(), 'none')
    await expect(reading(await open({ method: 'kubernetes', role: 'app', tokenFile }))).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining(`${tokenFile}: ENOENT`),
    })
  })
})

describe.each(vaultServers())('%s with TLS logs in with', (_, start) => {
  test('cert, and with another certificate when the file has changed', async () => {
    const server = await start('tls')
    onTestFinished(() => server.close())
    await prepared(server)
    await must(server, 'POST', 'sys/auth/cert', { type: 'cert' })
    const authority = newAuthority('clients')
    await must(server, 'POST', 'auth/cert/certs/app', { ...ROLE, certificate: authority.certificate })
    const directory = scratch()
    const [certificate, key] = [join(directory, 'client.pem'), join(directory, 'client.key')]
    const write = (by: ReturnType<typeof newAuthority>) => {
      const issued = issue(by, { names: ['web'], seconds: 600 })
      writeFileSync(certificate, issued.certificate)
      writeFileSync(key, issued.key)
    }
    write(newAuthority('strangers'))
    const tls = { ca: server.ca, certificate, key }
    const bench = await Bench.open(server, { auth: { method: 'cert', role: 'app' }, tls })
    await expect(reading(bench)).rejects.toMatchObject({ code: 'unauthenticated' })
    write(authority)
    await eventually(async () => expect(await reading(bench)).toBe('1'))
    const without = await Bench.open(server, { auth: { method: 'cert' }, tls: { ca: server.ca } })
    await expect(reading(without)).rejects.toMatchObject({ code: 'bad-config' })
  })
})

/** @param claims `exp` is in seconds from now */
function lasting({ exp, ...claims }: Json, key: KeyObject): string {
  return jwtOf({ ...claims, iat: seconds(-300), nbf: seconds(-300), exp: seconds(exp) }, key)
}

/** What the API server says of a service account's token: that it is good, and whose it is. */
async function review(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { spec } = JSON.parse(Buffer.concat(chunks).toString())
  const { sub } = JSON.parse(Buffer.from(spec.token.split('.')[1], 'base64url').toString())
  const user = { username: sub, uid: 'uid', groups: ['system:serviceaccounts'] }
  const status = { authenticated: true, user, audiences: spec.audiences }
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
