import { expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { gitOptions } from '../../../providers/git/options.ts'

const url = 'https://git.example.org/x.git'

test('fills in what is not said', () => {
  expect(v.parse(gitOptions, { url })).toMatchObject({
    address: { url, transport: 'https' },
    ref: 'HEAD',
    pollMs: 10_000,
    timeoutMs: 60_000,
    path: '',
    sensitive: false,
    username: undefined,
    password: undefined,
    ssh: undefined,
  })
})

test.each([
  [{}, 'url'],
  [{ url: 7 }, 'url'],
  [{ url: '--upload-pack=x' }, 'url'],
  [{ url: 'ext::sh -c x' }, 'url'],
  [{ url, ref: '--upload-pack=x' }, 'ref'],
  [{ url, path: '../x' }, 'path'],
  [{ url, poll: '1ms' }, 'poll'],
  [{ url, timeout: 'soon' }, 'timeout'],
  [{ url, branch: 'main' }, 'branch'],
  [{ url, auth: { pasword: 'x' } }, 'auth.pasword'],
  [{ url, auth: { sshKey: '/k', knownHosts: '/h' } }, 'auth'],
  [{ url: 'git@host:x' }, 'auth'],
  [{ url: 'git@host:x', auth: { sshKey: '/k' } }, 'auth'],
  [{ url: 'git@host:x', auth: { sshKey: '/k', knownHosts: '/h"' } }, 'auth.knownHosts'],
  [{ url: '/srv/x', auth: { password: 'hidden' } }, 'auth'],
  [{ url: 'https://user:hidden@host/x', auth: { password: 'hidden' } }, 'auth.password'],
])('%j is refused at %s, and says nothing secret', (options, path) => {
  const result = v.safeParse(gitOptions, options)
  expect(result.success).toBe(false)
  const issues = result.issues ?? []
  expect(issues.map(issue => v.getDotPath(issue))).toContain(path)
  expect(issues.map(issue => issue.message).join()).not.toContain('hidden')
})

test('takes the credentials of the URL, and those of auth before them', async () => {
  const fromUrl = v.parse(gitOptions, { url: 'https://user:hidden@host/x' })
  expect(fromUrl.username).toBe('user')
  expect((await fromUrl.password?.read(() => Promise.reject(new Error('no file'))))?.reveal()).toBe('hidden')
  expect(JSON.stringify(fromUrl)).not.toContain('hidden')
  const both = v.parse(gitOptions, { url: 'https://user@host/x', auth: { username: 'other', password: 'hidden' } })
  expect(both.username).toBe('other')
})
