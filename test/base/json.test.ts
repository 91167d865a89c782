import { expect, test } from 'vitest'
import { needsSpelling, parseJson } from '../../lib/base/json.ts'
import { Float, Uint, type Value } from '../../lib/base/value.ts'

test.each<[string, Value]>([
  ['null', null],
  ['[true, false, "a"]', [true, false, 'a']],
  ['[0, -0, 1, -1]', [0, 0, 1, -1]],
  ['[1.0, 1e3, -0.0, 0.5]', [new Float(1), new Float(1000), new Float(-0), new Float(0.5)]],
  ['[9007199254740993, -9223372036854775808]', [9007199254740993n, -9223372036854775808n]],
  ['[18446744073709551615, 18446744073709551616]', [new Uint(18446744073709551615n), new Float(18446744073709551616)]],
  [
    '{"b": 1, "a": {"__proto__": 2}, "10": 3}',
    new Map<string, Value>([
      ['b', 1],
      ['a', new Map([['__proto__', 2]])],
      ['10', 3],
    ]),
  ],
  ['{"a": 1, "a": 2}', new Map([['a', 2]])],
  ['"\\ud800\\udc80"', '\u{10080}'],
  ['"\\udc80"', '\ufffd'],
])('%s is read exactly', (text, want) => {
  expect(parseJson(text)).toEqual(want)
})

test.each([
  ['', ': there is nothing in it'],
  [' \n', ': there is nothing in it'],
  ['{"a": s3cret}', ' at line 1, column 7'],
  ['{\n  "a": 1,\n  s3cret: 2}', ' at line 3, column 3'],
  ['[1, 2', ': it ends too early'],
  ['[1,]', ' at line 1, column 4'],
  ['{"a" 1}', ' at line 1, column 6'],
  ['{,}', ' at line 1, column 2'],
  ['[1] s3cret', ' at line 1, column 5'],
  ['"s3cret', ' at line 1, column 1'],
  ['[1}', ' at line 1, column 3'],
  ['01', ' at line 1, column 2'],
])('%j is no JSON%s, and no word of it is told', (text, want) => {
  expect(() => parseJson(text)).toThrow(new Error(`not valid JSON${want}`))
})

test('JSON that is nested too deeply is refused', () => {
  expect(() => parseJson('['.repeat(200_000) + ']'.repeat(200_000))).toThrow('nested too deeply')
})

test.each([
  ['{"at":"2026-11-26T15:00:01.5Z","id":"1e9","n":1}', false],
  ['{"a \\" 1.5":"\\\\","n":-1}', false],
  ['{"n":1.5}', true],
  ['{"a":"x","n":12345678901234567}', true],
  ['{"a":"\\"","n":-0}', true],
  [`{"a":"${'1.5 '.repeat(20_000)}"}`, true],
])('only numbers outside of strings ask for their spelling: %#', (text, needs) => {
  expect(needsSpelling(text)).toBe(needs)
})
