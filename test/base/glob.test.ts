import { describe, expect, test } from 'vitest'
import { compileGlob } from '../../lib/base/glob.ts'

describe('a pattern', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['a.conf', ['a.conf'], ['b.conf', 'x/a.conf', 'a.conf/x', 'aXconf']],
    ['*.conf', ['a.conf', '.conf', '.a.conf'], ['a.conf.bak', 'x/a.conf']],
    ['*', ['a', '.hidden'], ['a/b']],
    ['**', ['a', 'a/b/c', '.git/config'], []],
    ['**/*.conf', ['a.conf', 'x/a.conf', 'x/y/a.conf'], ['x/a.txt']],
    ['x/**', ['x/a', 'x/y/z'], ['y/a', 'xx/a']],
    ['x/**/z', ['x/z', 'x/a/z', 'x/a/b/z', 'x/z/z'], ['x/z/a', 'z']],
    ['**/x/**', ['x/a', 'a/x/b', 'a/b/x/c/d'], ['a/xx/b']],
    ['a**z', ['az', 'abcz'], ['a/z']],
    ['?.conf', ['a.conf', 'é.conf', '😀.conf'], ['.conf', 'ab.conf', '/.conf']],
    ['[a-c_].conf', ['b.conf', '_.conf'], ['d.conf', 'B.conf', '-.conf']],
    ['[!a-c].conf', ['d.conf'], ['a.conf', '/.conf']],
    ['[^a].conf', ['b.conf'], ['a.conf']],
    ['[]-].conf', ['].conf', '-.conf'], ['a.conf']],
    ['[\\]].conf', ['].conf'], ['\\.conf']],
    ['{a,b}.conf', ['a.conf', 'b.conf'], ['c.conf', '{a,b}.conf']],
    ['{a,b{c,d}}/{x,**}', ['a/x', 'bc/y/z', 'bd/x'], ['b/x', 'bcd/x']],
    ['{x/,}a', ['a', 'x/a'], ['y/a']],
    ['a,b', ['a,b'], ['a', 'b']],
    ['a}', ['a}'], ['a']],
    ['\\*.\\{conf', ['*.{conf'], ['a.{conf']],
    ['[{]a', ['{a'], ['a']],
  ])('%s', (pattern, matching, others) => {
    const matches = compileGlob(pattern)

    expect(matching.filter(path => !matches(path))).toEqual([])
    expect(others.filter(path => matches(path))).toEqual([])
  })

  test.each<[string, RegExp]>([
    ['', /empty/],
    ['/a', /begins with a slash/],
    ['a/', /ends with a slash/],
    ['a//b', /empty part/],
    ['./a', /"\."/],
    ['../a', /"\.\."/],
    ['a[b', /a \[ that is not closed/],
    ['[]', /a \[ that is not closed/],
    ['a{b,c', /a \{ that is not closed/],
    ['{a{b}', /a \{ that is not closed/],
    ['a\\', /backslash/],
    ['a'.repeat(1_001), /more than 1000 characters/],
    ['{a,b}'.repeat(10), /more than 1000 patterns/],
  ])('%j is refused, and says why', (pattern, why) => {
    expect(() => compileGlob(pattern)).toThrow(why)
  })

  test('of many stars takes no longer than its length times that of the path', () => {
    const startMs = performance.now()
    expect(compileGlob(`${'*a'.repeat(100)}b`)('a'.repeat(4_000))).toBe(false)
    expect(compileGlob(`${'**/a/'.repeat(100)}b`)('a/'.repeat(2_000))).toBe(false)
    expect(compileGlob(`${'**/*a*a/'.repeat(100)}b`)('aaaa/'.repeat(800))).toBe(false)
    // A pattern that is tried in every way takes longer than the universe; this takes milliseconds.
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })
})
