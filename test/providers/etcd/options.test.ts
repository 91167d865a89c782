import { expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { accessOf, etcdOptions } from '../../../providers/etcd/options.ts'
import { etcd } from '../../../providers/etcd/plugin.ts'

const none = () => Promise.reject(new Error('no file'))

test('fills in what is not said', () => {
  const options = v.parse(etcdOptions, {})
  expect(options).toMatchObject({ prefix: '', timeoutMs: 5_000, heartbeatMs: 10_000, pollMs: 300_000, sensitive: true })
  expect(accessOf(options, {})).toEqual({ endpoints: ['http://127.0.0.1:2379'], user: undefined, tls: undefined })
})

test.each([
  [{ endpoints: [] }, 'endpoints'],
  [{ endpoints: 7 }, 'endpoints'],
  [{ endpoints: 'etcd:2379' }, 'endpoints'],
  [{ endpoints: 'http://user:hidden@etcd:2379' }, 'endpoints'],
  [{ endpoints: ['http://etcd:2379/v3'] }, 'endpoints'],
  [{ password: 'hidden' }, 'password'],
  [{ username: '' }, 'username'],
  [{ timeout: '1ms' }, 'timeout'],
  [{ heartbeat: 'often' }, 'heartbeat'],
  [{ poll: 5 }, 'poll'],
  [{ tls: { certificate: '/c' } }, 'tls'],
  [{ address: 'http://etcd:2379' }, 'address'],
])('%j is refused at %s, and says nothing secret', (options, path) => {
  const result = v.safeParse(etcdOptions, options)
  expect(result.success).toBe(false)
  const issues = result.issues ?? []
  expect(issues.map(issue => v.getDotPath(issue))).toContain(path)
  expect(issues.map(issue => issue.message).join()).not.toContain('hidden')
})

test("takes what etcdctl's variables say, and what the configuration says before it", async () => {
  const environment = {
    ETCDCTL_ENDPOINTS: 'one:2379, https://two:2379/',
    ETCDCTL_USER: 'root:hidden:too',
    ETCDCTL_CACERT: '/ca.pem',
  }
  const found = accessOf(v.parse(etcdOptions, {}), environment)
  if (typeof found === 'string') throw new Error(found)
  expect(found.endpoints).toEqual(['https://one:2379', 'https://two:2379'])
  expect(found.tls).toEqual({ ca: '/ca.pem' })
  expect(found.user?.name).toBe('root')
  expect((await found.user?.password.read(none))?.reveal()).toBe('hidden:too')
  expect(JSON.stringify(found)).not.toContain('hidden')

  const own = v.parse(etcdOptions, { endpoints: 'http://mine:1/', username: 'me', password: 'mine' })
  const said = accessOf(own, environment)
  if (typeof said === 'string') throw new Error(said)
  expect(said.endpoints).toEqual(['http://mine:1'])
  expect(said.user?.name).toBe('me')
  expect((await said.user?.password.read(none))?.reveal()).toBe('mine')
})

test('says what the environment lacks, without what it holds', () => {
  const options = v.parse(etcdOptions, {})
  expect(accessOf(options, { ETCDCTL_USER: 'me' })).toContain('no password')
  expect(accessOf(options, { ETCDCTL_USER: 'me', ETCDCTL_PASSWORD: 'x' })).toMatchObject({ user: { name: 'me' } })
  const wrong = accessOf(options, { ETCDCTL_ENDPOINTS: 'http://user:hidden@etcd:2379' })
  expect(wrong).toContain('ETCDCTL_ENDPOINTS')
  expect(wrong).not.toContain('hidden')
})

test('what was kept of one etcd is not of another, whoever names it', () => {
  const identity = (options: object, environment = {}) => etcd.identity?.(v.parse(etcdOptions, options), environment)
  const of = identity({ endpoints: 'http://a:2379', prefix: 'p/' })
  const variables = { ETCDCTL_ENDPOINTS: 'http://a:2379' }
  expect(identity({ prefix: 'p/' }, { ...variables, ETCDCTL_PASSWORD: 'another' })).toBe(of)
  expect(identity({ prefix: 'p/', timeout: '1s' }, variables)).toBe(of)
  expect(identity({ prefix: 'p/' }, { ETCDCTL_ENDPOINTS: 'http://b:2379' })).not.toBe(of)
  expect(identity({}, variables)).not.toBe(of)
})
