import { describe, expect, test } from 'vitest'
import { JwtMethod } from '../../../providers/vault/auth/jwt.ts'
import { KubernetesMethod } from '../../../providers/vault/auth/kubernetes.ts'
import type { AuthMethod, LoginWorld } from '../../../providers/vault/auth/method.ts'

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
