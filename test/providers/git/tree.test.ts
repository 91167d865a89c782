import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { ProviderError } from '../../../lib/errors.ts'
import {
  assemble,
  FILE_BYTES_MAX,
  FILES_MAX,
  parseBlobs,
  parseListing,
  TREE_BYTES_MAX,
  type Entry,
} from '../../../providers/git/tree.ts'

const hash = 'a'.repeat(40)
const line = (path: string, { mode = '100644', type = 'blob', size = '3' } = {}) =>
  `${mode} ${type} ${hash} ${size.padStart(7)}\t${path}\0`

/** Entries by path: a text is a file, `-> x` a link. Hashes are the contents, so that they can be looked at. */
function entriesOf(files: Readonly<Record<string, string>>): readonly Entry[] {
  return Object.entries(files).map(([path, content]) => ({
    path,
    kind: content.startsWith('-> ') ? 'link' : 'file',
    mode: 0o644,
    hash: content,
    size: content.length,
  }))
}
const contentOf = (of: string) => Buffer.from(of.replace(/^-> /, ''))
const assembled = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    [...assemble(entriesOf(files), contentOf, new Map(), 'here').tree.files].map(([path, file]) => [
      path,
      Buffer.from(file.content).toString(),
    ]),
  )

describe('a listing', () => {
  test('has files with their modes, links, and submodules apart', () => {
    const output =
      line('a b') +
      line('run', { mode: '100755' }) +
      line('old', { mode: '100664' }) +
      line('ln', { mode: '120000' }) +
      line('sub', { mode: '160000', type: 'commit', size: '-' })
    const { entries, submodules } = parseListing(output, 'here')
    expect(entries.map(({ path, kind, mode }) => [path, kind, mode])).toEqual([
      ['a b', 'file', 0o644],
      ['run', 'file', 0o755],
      ['old', 'file', 0o644],
      ['ln', 'link', 0o644],
    ])
    expect(submodules).toEqual(['sub'])
  })

  test.each([
    '../x',
    'a/../b',
    '.git/config',
    'a/.GIT/x',
    'a/.Git',
    'git~1/x',
    'a//b',
    '/x',
    './x',
    `${'x'.repeat(256)}/y`,
    'a\ufffdb',
  ])('refuses the path %s, naming it', path => {
    expect(() => parseListing(line(path), 'here')).toThrow(ProviderError)
    expect(() => parseListing(line(path), 'here')).toThrow(JSON.stringify(path))
  })

  test('refuses a path of any depth beyond the bound', () => {
    expect(() => parseListing(line('x/'.repeat(5_000) + 'y'), 'here')).toThrow(/4096/)
  })

  test.each([
    [Array.from({ length: FILES_MAX + 1 }, (_, i) => line(`f${i}`)).join(''), `${FILES_MAX} files`],
    [line('big', { size: `${FILE_BYTES_MAX + 1}` }), 'big'],
    [Array.from({ length: 5 }, (_, i) => line(`f${i}`, { size: `${TREE_BYTES_MAX / 4}` })).join(''), '64 MiB'],
  ])('refuses more than the bounds, and says how to narrow it (%#)', (output, named) => {
    let error: unknown
    try {
      parseListing(output, 'here')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ code: 'invalid-data', hint: expect.stringContaining('path:') as unknown })
    expect((error as Error).message).toContain(named)
  })

  test('takes as much as the bounds', () => {
    const output = Array.from({ length: 4 }, (_, i) => line(`f${i}`, { size: `${TREE_BYTES_MAX / 4}` })).join('')
    expect(parseListing(output, 'here').entries).toHaveLength(4)
  })
})

describe('links', () => {
  test('become what they point to', () => {
    expect(
      assembled({
        'a/file': 'one',
        'a/same': '-> file',
        'b/up': '-> ../a/file',
        'b/chain': '-> up',
        'c/round': '-> ./../b/../a//same',
        top: '-> c/round',
      }),
    ).toEqual({ 'a/file': 'one', 'a/same': 'one', 'b/up': 'one', 'b/chain': 'one', 'c/round': 'one', top: 'one' })
  })

  test('to a directory become all that is in it', () => {
    expect(assembled({ 'v2/x': '1', 'v2/d/y': '-> ../x', live: '-> v2', via: '-> live/d' })).toEqual({
      'v2/x': '1',
      'v2/d/y': '1',
      'live/x': '1',
      'live/d/y': '1',
      'via/y': '1',
    })
  })

  test.each([
    [{ ln: '-> /etc/passwd' }, 'absolute'],
    [{ ln: '-> ../x' }, 'leaves'],
    [{ 'a/b/ln': '-> ../../../x' }, 'leaves'],
    [{ ln: '-> a/../../x', 'a/f': '1' }, 'leaves'],
    [{ ln: '-> x' }, 'not there'],
    [{ ln: '-> f/x', f: '1' }, 'below a file'],
    [{ ln: '-> ln' }, 'circle'],
    [{ ln: '-> two', two: '-> ln' }, 'circle'],
    [{ 'a/f': '1', 'a/ln': '-> .' }, 'leads back'],
    [{ 'a/f': '1', 'a/b/ln': '-> ..' }, 'leads back'],
    [{ 'a/ln': '-> ../b', 'b/ln': '-> ../a' }, 'leads back'],
    [{ hop: '-> out', out: '-> ../x' }, 'leaves'],
  ])('%j is refused: %s', (files, why) => {
    expect(() => assembled(files)).toThrow(ProviderError)
    expect(() => assembled(files)).toThrow(why)
  })

  test('that multiply are stopped at the bound', () => {
    const files: Record<string, string> = { 'd20/f': '1' }
    for (let i = 0; i < 20; i++)
      Object.assign(files, { [`d${i}/x`]: `-> ../d${i + 1}`, [`d${i}/y`]: `-> ../d${i + 1}` })
    expect(() => assembled(files)).toThrow(`${FILES_MAX} files`)
  })
})

test('files that did not change are the same objects, and those whose mode changed are not', () => {
  const one = assemble(entriesOf({ a: '1', b: '2' }), contentOf, new Map(), 'here')
  const entries = entriesOf({ moved: '1', b: '2', c: '3' }).map(entry =>
    entry.path === 'b' ? { ...entry, mode: 0o755 } : entry,
  )
  const two = assemble(entries, contentOf, one.files, 'here')
  expect(two.tree.files.get('moved')).toBe(one.tree.files.get('a'))
  expect(two.tree.files.get('b')).not.toBe(one.tree.files.get('b'))
  expect(two.files.size).toBe(3)
})

describe('blobs', () => {
  const named = (content: string) => createHash('sha1').update(`blob ${content.length}\0${content}`).digest('hex')
  test('are taken by their length', () => {
    const blobs = new Map<string, Uint8Array>()
    const [one, two] = ['a\nb\n', '']
    parseBlobs(Buffer.from(`${named(one)} blob 4\n${one}\n${named(two)} blob 0\n\n`), blobs)
    expect([...blobs].map(([of, content]) => [of, Buffer.from(content).toString()])).toEqual([
      [named(one), one],
      [named(two), two],
    ])
  })
  test.each([`${named('abc')} missing\n`, `${named('abc')} blob 3\nabd\n`, `${named('abc')} blob 3\nab`, 'x'])(
    'that are missing, cut or not what they are called are refused (%#)',
    output => expect(() => parseBlobs(Buffer.from(output), new Map())).toThrow('the store '),
  )
})
