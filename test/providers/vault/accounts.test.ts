import { describe, expect, test } from 'vitest'
import { CertMethod } from '../../../providers/vault/auth/cert.ts'
import { GcpMethod } from '../../../providers/vault/auth/gcp.ts'
import { JwtMethod } from '../../../providers/vault/auth/jwt.ts'
import { KubernetesMethod } from '../../../providers/vault/auth/kubernetes.ts'
import type { AuthMethod, LoginWorld } from '../../../providers/vault/auth/method.ts'
import { issue, newAuthority, type Authority } from '../../support/vault-double-pki.ts'

function jwtOf(payload: object): string {
  return ['{}', JSON.stringify(payload), ''].map(part => Buffer.from(part).toString('base64url')).join('.')
}

/** A world in which every file has this text. */
function worldOf(text: string): LoginWorld {
  return { readFile: async () => Buffer.from(text) } as unknown as LoginWorld
}

const methods: readonly (readonly [string, AuthMethod])[] = [
  ['kubernetes', new KubernetesMethod({ method: 'kubernetes', mount: 'kubernetes', role: 'app', tokenFile: '/token' })],
  ['jwt', new JwtMethod({ method: 'jwt', mount: 'jwt', role: 'app', file: '/token' })],
]

describe.each(methods)('the account of the %s method', (_, method) => {
  const account = (text: string) => method.account?.(worldOf(text))

  test('is that of the issuer and subject, whatever else a newer token says', async () => {
    const one = await account(jwtOf({ iss: 'k8s', sub: 'a', exp: 1 }))
    expect(await account(jwtOf({ iss: 'k8s', sub: 'a', exp: 2 }))).toBe(one)
    expect(await account(jwtOf({ iss: 'k8s', sub: 'b', exp: 1 }))).not.toBe(one)
    expect(await account(jwtOf({ iss: 'other', sub: 'a', exp: 1 }))).not.toBe(one)
  })

  test.each(['opaque', 'a.b.c', jwtOf({ iss: 'k8s' })])('is none where the token names nobody: %s', async text => {
    await expect(account(text)).rejects.toThrow(/names no subject|JSON/)
  })
})

describe('the account of the cert method', () => {
  const method = new CertMethod({ method: 'cert', mount: 'cert' })
  const account = (text: string) =>
    method.account({
      ...worldOf(text),
      settings: { connection: { tls: { certificate: '/client.pem' } } },
    } as LoginWorld)
  const authority = newAuthority('clients')
  const certificate = (by: Authority, ...names: readonly string[]) => issue(by, { names, seconds: 600 }).certificate

  test('is that of the issuer and the names in the certificate, whatever file has it, and not of its key', async () => {
    const one = await account(certificate(authority, 'web', 'web.shop'))
    expect(await account(certificate(authority, 'web', 'web.shop'))).toBe(one)
    expect(await account(certificate(authority, 'db', 'web.shop'))).not.toBe(one)
    expect(await account(certificate(authority, 'web', 'db.shop'))).not.toBe(one)
    expect(await account(certificate(newAuthority('others'), 'web', 'web.shop'))).not.toBe(one)
  })

  test('is of the certificate alone where nobody else has signed it', async () => {
    const own = newAuthority('web').certificate
    expect(await account(own)).toBe(await account(own))
    expect(await account(newAuthority('web').certificate)).not.toBe(await account(own))
  })

  test('is none where there is no certificate', async () => {
    await expect(account('none')).rejects.toThrow(/PEM/)
    const world = { settings: { connection: {} } } as LoginWorld
    await expect(method.account(world)).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('the account of the gcp method', () => {
  const method = new GcpMethod({ method: 'gcp', mount: 'gcp', type: 'iam', role: 'app', keyFile: '/key.json' })
  const account = (fields: object) => method.account(worldOf(JSON.stringify(fields)))

  test('is that of the service account whose key it is, whichever of its keys and whatever file has it', async () => {
    const one = await account({ client_email: 'web@shop', private_key_id: '1', private_key: 'never' })
    expect(one).not.toContain('never')
    expect(await account({ client_email: 'web@shop', private_key_id: '2' })).toBe(one)
    expect(await account({ client_email: 'db@shop', private_key_id: '1' })).not.toBe(one)
  })

  test('is none where the key names nobody', async () => {
    await expect(account({ private_key: 'never' })).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})
