import { expect, test } from 'vitest'
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
