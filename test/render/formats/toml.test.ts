import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseToml } from '../../../lib/base/toml.ts'
import { fromBytes } from '../../../lib/base/text.ts'
import { encode } from '../../../lib/render/formats/encode.ts'
import { parseWithDates } from '../../../lib/render/parse.ts'
import { pythonReader } from './readers.ts'
import { ALL, encoded, encodedOrRefused, expectSurvival, refused, texts, valueOf } from './values.ts'

const toml = { name: 'toml' } as const

describe('a TOML file', () => {
  test.each<[string, unknown, string]>([
    ['a key', { 'a b': 'c\n' }, '"a b" = "c\\n"\n'],
    ['what is no text', { a: 9007199254740993n, b: true }, 'a = 9007199254740993\nb = true\n'],
    ['nothing, by leaving it out', { a: null, b: 1 }, 'b = 1\n'],
    ['maps and lists', { l: [1, 'a'], t: { a: 1 } }, 'l = [1, "a"]\n\n[t]\n  a = 1\n'],
    ['an empty map', {}, ''],
  ])('holds %s', (_what, input, file) => {
    expect(encoded(input, toml)).toBe(file)
  })

  test.each<[string, unknown, RegExp]>([
    ['a null in a list', { a: { b: [1, null] } }, /the value of "a\.b" is a list with a null in it/],
    ['an integer beyond 64 bits', { a: 2n ** 63n }, /the value of "a" is greater than 9223372036854775807, and TOML/],
    ['bytes that are no text', { a: fromBytes(Buffer.from([0xff])) }, /the value of "a" is not UTF-8 text, and TOML/],
    ['a list', [1], /want a map of keys for TOML, got a list/],
  ])('refuses %s', (_what, input, message) => {
    expect(refused(input, toml).message).toMatch(message)
    expect(refused(input, toml).hint).toMatch(/except|#FIELD/)
  })

  test('of any map is read by Python as it was', async context => {
    const read = await pythonReader('toml', context)
    const values = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { maxDepth: 3 },
        texts,
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(texts, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value
    await fc.assert(
      fc.asyncProperty(fc.dictionary(texts, values, { maxKeys: 4, noNullPrototype: true }), async map => {
        expect(await read(encodedOrRefused(valueOf(map), toml) as Uint8Array)).toEqual(map)
      }),
      { numRuns: 300 },
    )
  }, 60_000)

  test('has dates and times as they were, to Python as well', async context => {
    const read = await pythonReader('toml', context)
    const dates = ['1979-05-27', '07:32:00', '07:32:00.999999', '1979-05-27 07:32:00', '1979-05-27T07:32:00-07:00']
    const text = `a = ${dates[2]}\nb = [${dates.join(', ')}]\n\n[c]\n  d = "${dates[0]}"\n`
    const bytes = encode(parseWithDates('a.toml', text), toml, ALL)

    expect(Buffer.from(bytes).toString()).toBe(text)
    expect(await read(bytes)).toMatchObject({ a: { time: '07:32:00.999999' }, c: { d: '1979-05-27' } })
  })

  test('of any map of texts is read by smol-toml as it was', async () => {
    const read = (bytes: Uint8Array) => {
      return Object.fromEntries(parseToml(Buffer.from(bytes).toString()) as ReadonlyMap<string, string>)
    }
    await expectSurvival(read, toml)
  })
})
