import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import { javaReader } from './readers.ts'
import { encoded, expectSurvival, refused } from './values.ts'

const properties = { name: 'properties' } as const

describe('a properties file', () => {
  test.each<[string, unknown, string]>([
    ['a key and a value', { 'db.user': 'app' }, 'db.user=app\n'],
    ['nothing', { a: '', b: null }, 'a=\nb=\n'],
    ['blanks', { 'a b': '  c d ' }, 'a\\ b=\\  c d \n'],
    ['what ends a key', { 'a=b:c': 'd=e:f' }, 'a\\=b\\:c=d=e:f\n'],
    ['what begins a comment', { '#a': '#b', '!c': '!d' }, '\\!c=!d\n\\#a=#b\n'],
    ['backslashes', { 'a\\': 'C:\\x' }, 'a\\\\=C:\\\\x\n'],
    ['line breaks and tabs', { a: 'b\r\n\tc\f' }, 'a=b\\r\\n\\tc\\f\n'],
    ['what is not ASCII', { é: '😀\0\u007f' }, '\\u00E9=\\uD83D\\uDE00\\u0000\\u007F\n'],
    ['what is no text', { a: 9007199254740993n, b: true }, 'a=9007199254740993\nb=true\n'],
    ['maps and lists', { db: { hosts: ['a', { b: 1 }], none: [] } }, 'db.hosts[0]=a\ndb.hosts[1].b=1\ndb.none=\n'],
    ['an empty map', {}, ''],
  ])('holds %s', (_what, input, file) => {
    expect(encoded(input, properties)).toBe(file)
  })

  test('refuses two values of one name', () => {
    expect(refused({ 'a.b': 1, a: { b: 2 } }, properties)).toMatchObject({
      message: 'two values want to be "a.b"',
      hint: 'leave one of them out with except',
    })
  })

  test('refuses bytes that are no text, and what is no map', () => {
    const bytes = fromBytes(Buffer.from([0xff]))
    expect(refused({ a: { b: bytes } }, properties).message).toMatch(/the value of "a\.b" is not UTF-8 text/)
    expect(refused({ [bytes]: '' }, properties).message).toMatch(/is not UTF-8 text/)
    expect(refused('a', properties).message).toMatch(/want a map of keys for properties, got a single value/)
  })
})

for (const how of ['latin1', 'utf8'] as const) {
  test(`any map is loaded by Java as it was, from a stream as ${how}`, async context => {
    await expectSurvival(javaReader(how, context), properties)
  }, 60_000)
}
