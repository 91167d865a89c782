import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import { Float, Uint } from '../../../lib/base/value.ts'
import { encoded, encodedOrRefused, refused, texts, valueOf } from './values.ts'

const json = { name: 'json' } as const

describe('a JSON file', () => {
  test('is printed over several lines, its keys sorted, and ends with a line break', () => {
    expect(encoded({ b: [1, {}], a: '<é>' }, json)).toBe('{\n  "a": "<é>",\n  "b": [\n    1,\n    {}\n  ]\n}\n')
  })

  test.each<[unknown, string]>([
    [9007199254740993n, '9007199254740993\n'],
    [new Uint(2n ** 64n - 1n), '18446744073709551615\n'],
    [new Float(1e21), '1e+21\n'],
    [null, 'null\n'],
    ['a\0', '"a\\u0000"\n'],
  ])('may be a single value: %o', (input, text) => {
    expect(encoded(input, json)).toBe(text)
  })

  test.each<[string, unknown, RegExp]>([
    [
      'bytes that are no text',
      { a: [fromBytes(Buffer.from([0xff]))] },
      /the value of "a\[0\]" is not UTF-8 text, and JSON/,
    ],
    ['keys that are no text', { [fromBytes(Buffer.from([0xff]))]: {} }, /is not UTF-8 text/],
    ['what is no number', { a: { b: new Float(NaN) } }, /the value of "a\.b" is no finite number/],
  ])('refuses %s', (_what, input, message) => {
    expect(refused(input, json).message).toMatch(message)
    expect(refused(input, json).hint).toMatch(/except/)
  })

  test('of any value is read as it was', () => {
    const values = fc.letrec<{ value: unknown }>(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        texts,
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(texts, tie('value'), { maxKeys: 3, noNullPrototype: true }),
      ),
    })).value
    fc.assert(
      fc.property(values, value => {
        const bytes = encodedOrRefused(valueOf(value), json) as Uint8Array
        expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(value)
      }),
    )
  })
})
