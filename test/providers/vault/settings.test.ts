import { expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { vaultOptions } from '../../../providers/vault/options.ts'
import { parseAsked } from '../../../providers/vault/paths.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { settingsOf } from '../../../providers/vault/settings.ts'

function settings(options: object, environment: Readonly<Record<string, string>> = {}) {
  return settingsOf(v.parse(vaultOptions, options), environment)
}

test("the environment is read as the commands read it, OpenBao's names first and the file before both", () => {
  expect(settings({}).endpoint).toBe('https://127.0.0.1:8200')
  expect(settings({}, { VAULT_ADDR: 'https://v:8200/', BAO_ADDR: 'https://b:8200' }).endpoint).toBe('https://b:8200')
  expect(settings({}, { VAULT_ADDR: 'https://v:8200/', BAO_ADDR: '' }).endpoint).toBe('https://v:8200')
  expect(settings({ address: 'https://file' }, { VAULT_ADDR: 'https://v' }).endpoint).toBe('https://file')
  expect(settings({}, { VAULT_ADDR: 'unix:///run/v.sock' }).connection.socketPath).toBe('/run/v.sock')
  expect(settings({ namespace: '/a/b/' }, { VAULT_NAMESPACE: 'c' }).namespace).toBe('a/b')
  expect(settings({}, { VAULT_CLIENT_TIMEOUT: '7' }).timeoutMs).toBe(7_000)
  expect(settings({}, { VAULT_CLIENT_TIMEOUT: '1m' }).timeoutMs).toBe(60_000)
  expect(settings({}, { VAULT_CACERT: '/ca' }).connection.tls?.ca).toBe('/ca')
  expect(settings({ tls: { caDirectory: '/d' } }, { VAULT_CACERT: '/ca' }).connection.tls?.ca).toBeUndefined()
})

test.each([
  ['false', false],
  ['0', false],
  ['', false],
  ['true', true],
  ['1', true],
])('VAULT_SKIP_VERIFY=%s is %s', (text, expected) => {
  expect(settings({}, { VAULT_SKIP_VERIFY: text }).connection.tls?.skipVerify).toBe(expected)
})

test.each([
  [{ VAULT_ADDR: 'nonsense' }, 'VAULT_ADDR'],
  [{ BAO_SKIP_VERIFY: 'maybe' }, 'BAO_SKIP_VERIFY'],
  [{ VAULT_CLIENT_TIMEOUT: 'soon' }, 'VAULT_CLIENT_TIMEOUT'],
])('%o is refused by its name', (environment, name) => {
  expect(() => settings({}, environment as never)).toThrow(name)
})

test('what was kept hangs on the address and the namespace, whoever says them', () => {
  const identity = (options: object, environment = {}) => vault.identity?.(v.parse(vaultOptions, options), environment)
  const of = identity({ address: 'https://a', namespace: 'n' })
  expect(identity({}, { VAULT_ADDR: 'https://a', BAO_NAMESPACE: 'n', VAULT_TOKEN: 'another' })).toBe(of)
  expect(identity({}, { VAULT_ADDR: 'https://b', BAO_NAMESPACE: 'n' })).not.toBe(of)
  expect(identity({}, { VAULT_ADDR: 'https://a' })).not.toBe(of)
  expect(identity({ address: 'https://a', namespace: 'n' }, { VAULT_ADDR: 'https://b' })).toBe(of)
})

test.each([
  ['kv/a', 'kv/a', {}],
  [' /kv//a/ ', 'kv/a', {}],
  ['kv/a%23b%20c?version=3&namespace=/x/', 'kv/a#b c', { namespace: 'x', version: '3' }],
])('the path %j is %j', (text, path, params) => {
  expect(parseAsked(text)).toEqual({ path, params })
})

test.each([
  '',
  '/',
  'kv/../sys',
  'kv/./a',
  'kv/%2e%2e/a',
  'kv/a#b',
  '50%',
  'kv/a?version=x',
  'kv/a?b',
  'kv/a?namespace=..',
])('the path %j is refused', text => {
  expect(() => parseAsked(text)).toThrow(/^want /)
})

test('options that cannot be used are refused', () => {
  for (const options of [
    { address: 'vault:8200' },
    { address: 'https://user:pw@vault' },
    { auth: { method: 'none' } },
    { auth: { method: 'token', token: 'a', file: 'b' } },
    { auth: { method: 'aws', accessKeyId: 'a' } },
    { auth: { method: 'aws', sessionToken: 'a' } },
    { auth: { method: 'aws', region: 'example.org/' } },
    { auth: { method: 'aws', serverId: '' } },
    { auth: { method: 'gcp', type: 'gke', role: 'a' } },
    { auth: { method: 'gcp', type: 'gce', role: 'a', keyFile: 'b' } },
    { auth: { method: 'azure' } },
    { tls: { certificate: 'a' } },
    { mounts: { kv: 3 } },
    { activeNodes: ['https://a/b'] },
  ]) {
    expect(v.safeParse(vaultOptions, options).success).toBe(false)
  }
})
