import { expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { consulOptions } from '../../../providers/consul/options.ts'
import { consul } from '../../../providers/consul/plugin.ts'
import { settingsOf } from '../../../providers/consul/settings.ts'

const none = () => Promise.reject(new Error('no file'))

test('fills in what is not said', () => {
  const options = v.parse(consulOptions, {})
  expect(options).toEqual({
    prefixes: [],
    waitMs: 30_000,
    maxStaleMs: 2_000,
    consistent: false,
    pollMs: 15_000,
    timeoutMs: 5_000,
    sensitive: true,
  })
  expect(settingsOf(options, {})).toMatchObject({
    endpoint: 'http://127.0.0.1:8500',
    token: undefined,
    user: undefined,
    place: {},
    connection: { socketPath: undefined, proxyEnvironment: undefined },
  })
})

test.each([
  [{ address: 'consul:8500' }, 'address'],
  [{ address: 'http://user:hidden@consul:8500' }, 'address'],
  [{ address: 'unix://' }, 'address'],
  [{ address: 7 }, 'address'],
  [{ token: '' }, 'token'],
  [{ password: 'hidden' }, 'password'],
  [{ username: 'me' }, 'password'],
  [{ username: 'a:b', password: 'hidden' }, 'username'],
  [{ namespace: 'a/b' }, 'namespace'],
  [{ datacenter: '' }, 'datacenter'],
  [{ prefixes: 'apps/' }, 'prefixes'],
  [{ prefixes: ['/apps'] }, 'prefixes.0'],
  [{ prefixes: [''] }, 'prefixes.0'],
  [{ wait: '11m' }, 'wait'],
  [{ wait: '1ms' }, 'wait'],
  [{ maxStale: 2 }, 'maxStale'],
  [{ consistent: 'yes' }, 'consistent'],
  [{ tls: { key: '/k' } }, 'tls'],
  [{ endpoints: 'http://consul:8500' }, 'endpoints'],
])('%j is refused at %s, and says nothing secret', (options, path) => {
  const result = v.safeParse(consulOptions, options)
  expect(result.success).toBe(false)
  const issues = result.issues ?? []
  expect(issues.map(issue => v.getDotPath(issue))).toContain(path)
  expect(issues.map(issue => issue.message).join()).not.toContain('hidden')
})

test("takes what Consul's variables say, and what the configuration says before it", async () => {
  const environment = {
    CONSUL_HTTP_ADDR: 'consul.internal:8501',
    CONSUL_HTTP_SSL: 'true',
    CONSUL_HTTP_SSL_VERIFY: 'false',
    CONSUL_HTTP_TOKEN: 'hidden',
    CONSUL_HTTP_TOKEN_FILE: '/not/read',
    CONSUL_HTTP_AUTH: 'me:hidden:too',
    CONSUL_NAMESPACE: 'team',
    CONSUL_PARTITION: 'part',
    CONSUL_CACERT: '/ca.pem',
    CONSUL_CLIENT_CERT: '/c.pem',
    CONSUL_CLIENT_KEY: '/k.pem',
    CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
  }
  const found = settingsOf(v.parse(consulOptions, {}), environment)
  expect(found).toMatchObject({
    endpoint: 'https://consul.internal:8501',
    place: { ns: 'team', partition: 'part' },
    user: { name: 'me' },
    connection: {
      tls: {
        ca: '/ca.pem',
        certificate: '/c.pem',
        key: '/k.pem',
        serverName: 'server.dc1.consul',
        skipVerify: true,
      },
    },
  })
  expect((await found.token?.read(none))?.reveal()).toBe('hidden')
  expect((await found.user?.password.read(none))?.reveal()).toBe('hidden:too')
  expect(JSON.stringify(found)).not.toContain('hidden')

  const tls = { ca: '/mine.pem', certificate: '/mc.pem', key: '/mk.pem', skipVerify: false }
  const options = { address: 'unix:///run/consul.sock', token: 'mine', namespace: 'other', tls }
  const own = settingsOf(v.parse(consulOptions, options), environment)
  expect(own).toMatchObject({
    shown: 'unix:///run/consul.sock',
    place: { ns: 'other', partition: 'part' },
    connection: { socketPath: '/run/consul.sock', tls },
  })
  expect((await own.token?.read(none))?.reveal()).toBe('mine')
})

test.each([
  ['consul:8501', 'true', 'https://consul:8501'],
  ['http://consul:8501', 'true', 'https://consul:8501'],
  ['https://consul:8501', 'false', 'https://consul:8501'],
  ['http://consul:8500', 'false', 'http://consul:8500'],
  ['unix:///run/consul.sock', 'true', 'http://localhost'],
])('CONSUL_HTTP_ADDR=%s with CONSUL_HTTP_SSL=%s is %s', (address, secure, endpoint) => {
  const environment = { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_SSL: secure }
  expect(settingsOf(v.parse(consulOptions, {}), environment).endpoint).toBe(endpoint)
})

test('what was kept of one Consul is not of another, whoever names it', () => {
  const identity = (options: object, environment = {}) =>
    consul.identity?.(v.parse(consulOptions, options), environment)
  const of = identity({ address: 'http://a:8500', namespace: 'n', partition: 'p' })
  const variables = { CONSUL_HTTP_ADDR: 'http://a:8500', CONSUL_NAMESPACE: 'n', CONSUL_PARTITION: 'p' }
  expect(identity({}, { ...variables, CONSUL_HTTP_TOKEN: 'another' })).toBe(of)
  expect(identity({}, { ...variables, CONSUL_HTTP_ADDR: 'http://b:8500' })).not.toBe(of)
  expect(identity({}, { ...variables, CONSUL_NAMESPACE: 'm' })).not.toBe(of)
  expect(identity({}, { ...variables, CONSUL_PARTITION: '' })).not.toBe(of)
  expect(identity({ address: 'http://a:8500' }, { ...variables, CONSUL_HTTP_ADDR: 'http://b:8500' })).toBe(of)
})

test("consul-template's variables go before Consul's, and a token before a file", () => {
  const options = v.parse(consulOptions, {})
  const tokenOf = (environment: Record<string, string>) => settingsOf(options, environment).token
  expect(tokenOf({ CONSUL_TOKEN_FILE: '/a', CONSUL_HTTP_TOKEN_FILE: '/b' })?.path).toBe('/a')
  expect(tokenOf({ CONSUL_HTTP_TOKEN_FILE: '/b' })?.path).toBe('/b')
  expect(tokenOf({ CONSUL_HTTP_TOKEN: 'x', CONSUL_TOKEN_FILE: '/a' })?.path).toBeUndefined()
  expect(tokenOf({ CONSUL_HTTP_TOKEN: '' })).toBeUndefined()
})

test.each([
  [{ CONSUL_HTTP_ADDR: 'http://user:hidden@consul:8500' }, 'CONSUL_HTTP_ADDR'],
  [{ CONSUL_HTTP_SSL: 'maybe' }, 'CONSUL_HTTP_SSL'],
  [{ CONSUL_HTTP_SSL_VERIFY: 'no' }, 'CONSUL_HTTP_SSL_VERIFY'],
])('says which variable cannot be used, without what it holds (%j)', (environment: Record<string, string>, name) => {
  const settings = () => settingsOf(v.parse(consulOptions, {}), environment)
  expect(settings).toThrow(name)
  expect(settings).not.toThrow(/hidden/)
})
