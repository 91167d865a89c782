import { describe, expect, test } from 'vitest'
import { ALONE_MAX, COVERS_MAX, coversOf, type Want } from '../../../providers/consul/cover.ts'

const NONE: ReadonlySet<string> = new Set()
const key = (path: string): Want => ({ path, isPrefix: false })
const prefix = (path: string): Want => ({ path, isPrefix: true })
const many = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => key(name(i)))

function pathsOf(wants: readonly Want[], shared = NONE, unshared = NONE): readonly string[] {
  const covers = coversOf(wants, { shared, unshared })
  return covers.map(({ path, isPrefix }) => (isPrefix ? `${path}*` : path)).toSorted()
}

describe('the queries for keys', () => {
  test.each<[string, readonly Want[], readonly string[]]>([
    ['a few keys of a folder are each their own', many(ALONE_MAX, i => `a/${i}`), ['a/0', 'a/1', 'a/2', 'a/3']],
    ['more of them are the folder', many(ALONE_MAX + 1, i => `a/${i}`), ['a/*']],
    ['the folder is the nearest one', many(10, i => `a/b/${i}`), ['a/b/*']],
    ['two folders are two', [...many(5, i => `a/${i}`), ...many(5, i => `b/${i}`)], ['a/*', 'b/*']],
    ['a key twice is one', [...many(3, i => `a/${i}`), ...many(3, i => `a/${i}`)], ['a/0', 'a/1', 'a/2']],
    ['what is below a prefix that is wanted is its', [prefix('a/'), ...many(3, i => `a/b/${i}`)], ['a/*']],
    ['so is another prefix', [prefix('a/'), prefix('a/b'), prefix('ab')], ['a/*', 'ab*']],
    ['all there is covers everything', [prefix(''), prefix('a/'), key('b')], ['*']],
    [
      'keys of the root stay alone while they are not too many',
      many(20, i => `k${i}`),
      many(20, i => `k${i}`)
        .map(w => w.path)
        .toSorted(),
    ],
    ['too many of them are all that begin alike', many(10_000, i => `k${i}`), ['k*']],
    ['too many folders are read with those beside them', many(10_000, i => `apps/a${i}/config`), ['apps/*']],
    [
      'and no farther up than it takes',
      [...many(10_000, i => `apps/${i % 50}/${i}/c`), key('other')],
      [...Array.from({ length: 50 }, (_, i) => `apps/${i}/*`), 'other'].toSorted(),
    ],
  ])('%s', (_, wants, paths) => {
    expect(pathsOf(wants)).toEqual(paths)
    expect(pathsOf(wants.toReversed())).toEqual(paths)
  })

  test('what is shared already covers a single key, and only where there is one', () => {
    expect(pathsOf([key('a/1')], new Set(['a/', 'b/']))).toEqual(['a/*'])
  })

  test('what cannot be read as one is left to its keys, however many they are', () => {
    const keys = many(COVERS_MAX * 2, i => `a/${i}`)
    const alone = keys.map(({ path }) => path).toSorted()
    expect(pathsOf(keys, new Set(['a/']), new Set(['a/']))).toEqual(alone)
    // Nor is it read with what is beside it.
    expect(pathsOf([...keys, key('b')], NONE, new Set(['a/']))).toEqual([...alone, 'b'])
  })
})
