import { describe, expect, test } from 'vitest'
import { parseToml } from '../../lib/base/toml.ts'
import { Float, type Value } from '../../lib/base/value.ts'

test('TOML is read with exact integers, floats as floats, and dates as text', () => {
  const text = 'a = 1\nb = 9007199254740993\nc = 1.0\nd = 1979-05-27\n[e]\nf = [true, "x"]\n'
  expect(parseToml(text)).toEqual(
    new Map<string, Value>([
      ['a', 1],
      ['b', 9007199254740993n],
      ['c', new Float(1)],
      ['d', '1979-05-27'],
      ['e', new Map([['f', [true, 'x']]])],
    ]),
  )
})

test('what is no TOML is refused with its place, and no word of it is told', () => {
  expect(() => parseToml('a = 1\nb = s3cret')).toThrow(new Error('not valid TOML at line 2, column 5'))
})

describe('a date or time', () => {
  const read = (text: string) => (parseToml(`a = ${text}`) as ReadonlyMap<string, Value>).get('a')

  test.each([
    '07:32:00',
    '07:32',
    '07:32:00.5',
    '07:32:00.1234567891',
    '1979-05-27',
    '0000-01-01',
    '2024-02-29',
    '1979-05-27T07:32:00',
    '1979-05-27 07:32:00.999999',
    '1979-05-27t07:32:00z',
    '1979-05-27T07:32:00.000Z',
    '1979-05-27T00:32:00.999999-07:00',
    '1979-05-27 00:32-00:00',
    '9999-12-31T23:59:59-23:59',
  ])('is its text as it stands there: %s', text => {
    expect(read(text)).toBe(text)
    expect(read(`[{ b = ${text} }]`)).toEqual([new Map([['b', text]])])
  })

  test('is the longer one of two spellings of the same, also where one is in a string', () => {
    expect(read('07:32:00 # 07:32')).toBe('07:32:00')
    expect(read('07:32:00 # 07:32:00.0')).toBe('07:32:00.0')
  })

  test('is told to the millisecond where two differ in less', () => {
    expect(read('[07:32:00.1234, 07:32:00.1235, 07:32:00.5]')).toEqual(['07:32:00.123', '07:32:00.123', '07:32:00.5'])
  })

  test.each(['2024-02-30', '2023-02-29', '2024-04-31T00:00:00Z'])('is refused where there is no such day: %s', text => {
    expect(() => read(text)).toThrow(new Error('not valid TOML: a date is of a day that its month does not have'))
    expect(read(`1979-05-27 # ${text}`)).toBe('1979-05-27')
  })

  test('is what it is given to', () => {
    expect(parseToml('a = 07:32:00\nb = "07:32:00"', text => [text])).toEqual(
      new Map<string, Value>([
        ['a', ['07:32:00']],
        ['b', '07:32:00'],
      ]),
    )
  })
})
