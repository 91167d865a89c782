import { describe, expect, test } from 'vitest'
import { parseAddress, parseRef, parseTreePath } from '../../../providers/git/names.ts'

describe('an address', () => {
  test.each([
    ['https://git.example.org/config.git', 'https', 'https://git.example.org/config.git'],
    ['https://git.example.org:8443/a/b', 'https', 'https://git.example.org:8443/a/b'],
    ['http://127.0.0.1:3000/x.git', 'http', 'http://127.0.0.1:3000/x.git'],
    ['https://[2001:db8::1]/x.git', 'https', 'https://[2001:db8::1]/x.git'],
    ['https://user:pa%3Ass@git.example.org/x.git', 'https', 'https://git.example.org/x.git'],
    ['https://user:p@ss@git.example.org/x.git', 'https', 'https://git.example.org/x.git'],
    ['ssh://git@git.example.org:2222/srv/x.git', 'ssh', 'ssh://git@git.example.org:2222/srv/x.git'],
    ['git@git.example.org:team/x.git', 'ssh', 'git@git.example.org:team/x.git'],
    ['git@[2001:db8::1]:x.git', 'ssh', 'git@[2001:db8::1]:x.git'],
    ['host:x', 'ssh', 'host:x'],
    ['file:///srv/x.git', 'file', 'file:///srv/x.git'],
    ['/srv/my config', 'file', '/srv/my config'],
  ])('%s is taken', (text, transport, url) => {
    expect(parseAddress(text)).toMatchObject({ transport, url })
  })

  test.each([
    '',
    '-',
    '--upload-pack=touch x',
    '-oProxyCommand=touch x',
    'ext::sh -c touch% x',
    'ext::https://example.org',
    'fd::17',
    'https::https://example.org',
    'git://git.example.org/x.git',
    'ftp://git.example.org/x.git',
    'HTTPS+evil://git.example.org/x',
    'file://host/srv/x.git',
    'file://../x',
    'relative/path',
    './x',
    'https:///x.git',
    'https://-x/y',
    'ssh://-oProxyCommand=x/y',
    'ssh://%2doProxyCommand=x/y',
    'ssh://-l@host/y',
    'ssh://host',
    'ssh://user:password@host/y',
    '-x@host:y',
    'a@-oProxyCommand=x:y',
    'host:-x',
    'host:--upload-pack=x',
    'host::x',
    'https://host/x\n',
    '/srv/x\0y',
    'https://host/x#y',
    'https://%zz@host/x',
    `/${'x'.repeat(5_000)}`,
  ])('%j is refused', text => {
    expect(parseAddress(text)).toBeUndefined()
  })

  test('keeps the credentials of a URL apart from it', async () => {
    const address = parseAddress('https://us%40er:pa%3Ass@git.example.org/x.git')
    expect(address?.username).toBe('us@er')
    expect((await address?.password?.read(() => Promise.reject(new Error('no file'))))?.reveal()).toBe('pa:ss')
    expect(JSON.stringify(address)).not.toContain('pa:ss')
  })
})

describe('a ref', () => {
  const hash = 'ABCDEF0123456789abcdef0123456789abcdef01'
  test.each([
    ['HEAD', 'HEAD'],
    ['main', 'main'],
    ['feature/new/thing', 'feature/new/thing'],
    ['v1.2.3', 'v1.2.3'],
    ['refs/heads/main', 'refs/heads/main'],
    ['refs/pull/7/head', 'refs/pull/7/head'],
    ['wörld', 'wörld'],
    [hash, hash.toLowerCase()],
    ['a'.repeat(64), 'a'.repeat(64)],
  ])('%s is taken', (text, ref) => expect(parseRef(text)).toBe(ref))

  const words =
    '@ - --upload-pack=x -x /main main/ a//b a..b a~1 a^{} a:b a? a* a[b a\\b a@{1} .a a/.b a.lock a.lock/b a.'
  test.each([...words.split(' '), '', 'a b', 'a\nb', 'a\x7f', 'a\0', '\ud800', 'x'.repeat(2_000)])(
    '%j is refused',
    text => {
      expect(parseRef(text)).toBeUndefined()
    },
  )
})

describe('a path', () => {
  test.each([
    ['', ''],
    ['.', ''],
    ['./a//b/', 'a/b'],
    ['a/..b', 'a/..b'],
    ['per%20cent', 'per%20cent'],
  ])('%j is %j', (text, path) => expect(parseTreePath(text)).toBe(path))
  test.each(['/a', '..', 'a/../b', 'a\0', 'a\nb', '\udc00'])('%j is refused', text => {
    expect(parseTreePath(text)).toBeUndefined()
  })
})
