import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import type { IniDialect } from '../../../lib/format.ts'
import { phpReader, pythonReader } from './readers.ts'
import { encoded, expectSurvival, refused } from './values.ts'

function ini(dialect: IniDialect, section?: string) {
  return { name: 'ini', dialect, section } as const
}

describe('an INI file', () => {
  test.each<[string, unknown, string]>([
    ['a key', { user: 'app' }, 'user = app\n'],
    ['nothing', { a: '', b: null }, 'a =\nb =\n'],
    ['what is no text', { a: 9007199254740993n, b: true }, 'a = 9007199254740993\nb = true\n'],
    ['maps as sections', { s: { b: 1 }, r: {}, a: 1 }, 'a = 1\n\n[r]\n\n[s]\nb = 1\n'],
    ['what is deeper as JSON', { s: { b: { c: [1] } }, l: [1] }, 'l = [1]\n\n[s]\nb = {"c":[1]}\n'],
    ['an empty map', {}, ''],
  ])('holds %s', (_what, input, file) => {
    expect(encoded(input, ini('plain'))).toBe(file)
  })

  test('has the section that is asked for', () => {
    expect(encoded({ a: 1, b: { c: 2 } }, ini('plain', 'client'))).toBe('[client]\na = 1\n\n[b]\nc = 2\n')
  })

  test.each<[string, unknown, RegExp, RegExp]>([
    ['a key that no reader takes', { 'a=b': 1 }, /"a=b" is no key of an INI file/, /except/],
    ['keys that differ in case', { a: 1, A: 2 }, /"A" and "a" are one key/, /except/],
    ['a name of a section with a bracket', { 'a]': { b: 1 } }, /"a\]" is no name of a section/, /except/],
    ['two sections of one name', { a: 1, s: { b: 1 } }, /two sections want to be "s"/, /section/],
    ['a line break', { a: 'sentinel\n' }, /the value of "a" has a line break/, /raw/],
    ['blanks at an end', { a: 'sentinel ' }, /the value of "a" has blanks at an end/, /raw/],
    ['bytes that are no text', { a: fromBytes(Buffer.from([0xff])) }, /not UTF-8/, /raw/],
    ['a list', [1], /want a map of keys for INI, got a list/, /#FIELD/],
  ])('refuses %s', (_what, input, message, hint) => {
    const refusal = refused(input, ini('plain', 's'))
    expect(refusal.message).toMatch(message)
    expect(refusal.message).not.toContain('sentinel')
    expect(refusal.hint).toMatch(hint)
  })

  test.each(['a;b', 'a # b', 'C:\\x', '100%', '"a"', "'", '`a'])('does not hold %j when plain', text => {
    const { message, hint } = refused({ a: text }, ini('plain'))
    expect(message).toMatch(/the value of "a" has a character .* that readers of INI take differently/)
    expect(hint).toMatch(/verbatim or python/)
    expect(encoded({ a: text }, ini('verbatim'))).toBe(`a = ${text}\n`)
  })
})

test.each<[string, unknown, RegExp]>([
  ['a word for a key', { on: 1 }, /"on" is no key but a value to some readers/],
  ['a word for a key in another case', { Null: 1 }, /"Null" is no key but a value/],
  ['a comment in the name of a section', { 'a;b': { c: 1 } }, /the section "a;b" has a character/],
  ['a quote in the name of a section', { "it's": { c: 1 } }, /the section "it's" has a character/],
])('a plain INI file does not hold %s', (_what, input, message) => {
  expect(refused(input, ini('plain', 's')).message).toMatch(message)
  expect(encoded(input, ini('verbatim', 's'))).toContain(' = 1')
})

describe('an INI file for Python', () => {
  test('doubles %, and indents further lines', () => {
    expect(encoded({ a: '100%', b: 'c\n\nd' }, ini('python', 's'))).toBe('[s]\na = 100%%\nb = c\n\n\td\n')
  })

  test('has no keys without a section', () => {
    expect(refused({ a: 1 }, ini('python'))).toMatchObject({
      message: '"a" is in no section, and Python reads no such keys',
      hint: 'name one with section:',
    })
  })

  test.each<[string, unknown, string | undefined]>([
    ['a map', { DEFAULT: { a: 1 }, other: { b: 2 } }, undefined],
    ['section:', { a: 1 }, 'DEFAULT'],
  ])('has no section of the name DEFAULT from %s, since its keys would be in all others', (_what, input, section) => {
    for (const dialect of ['python', 'plain'] as const) {
      const { message, hint } = refused(input, ini(dialect, section))
      expect(message).toMatch(/"DEFAULT" are in all other sections as well/)
      expect(hint).toMatch(/except/)
    }
    expect(encoded(input, ini('verbatim', section))).toContain('[DEFAULT]\na = 1\n')
    expect(encoded({ default: { a: 1 } }, ini('python'))).toBe('[default]\na = 1\n')
  })

  test.each(['a\n', 'a\n#b', 'a\n b'])('does not hold %j', text => {
    expect(refused({ a: text }, ini('python', 's')).message).toMatch(/^the value of "a" has/)
  })
})

const READERS: readonly (readonly [IniDialect, string])[] = [
  ['plain', 'verbatim'],
  ['plain', 'python'],
  ['verbatim', 'verbatim'],
  ['python', 'python'],
]

for (const [dialect, reader] of READERS) {
  test(`any map in the dialect ${dialect} is read by ConfigParser (${reader}) as it was, or refused`, async context => {
    const read = await pythonReader(reader, context)
    const as = (map: ReadonlyMap<string, string>) => {
      return map.size === 0
        ? {}
        : { 'a é': Object.fromEntries([...map].map(([key, text]) => [key.toLowerCase(), text])) }
    }
    await expectSurvival(read, ini(dialect, 'a é'), { as, runs: 400 })
  }, 60_000)
}

test('any map in the dialect plain is read by PHP as it stands, or refused', async context => {
  const as = (map: ReadonlyMap<string, string>) => (map.size === 0 ? {} : { 'a é': Object.fromEntries(map) })
  await expectSurvival(phpReader(context), ini('plain', 'a é'), { as, runs: 400 })
}, 60_000)
