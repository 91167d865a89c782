import { describe, expect, test } from 'vitest'
import { parseYaml } from '../../lib/base/parse-yaml.ts'
import { printYaml } from '../../lib/base/print-yaml.ts'
import { Float, Struct, toValue, Uint, type Value } from '../../lib/base/value.ts'

describe('YAML is read as by yaml.v2', () => {
  test.each<[string, Value]>([
    ['', null],
    ['# nothing', null],
    ['a', 'a'],
    ['[~, null, yes, Off, tRue]', [null, null, true, false, 'tRue']],
    ['[0, -1, +1, 010, 0o10, 0x1F, 0b11, 1_000, 08]', [0, -1, 1, 8, 8, 31, 3, 1000, new Float(8)]],
    ['[9223372036854775807, 18446744073709551615]', [9223372036854775807n, new Uint(18446744073709551615n)]],
    [
      '[1.0, .5, 1e3, .inf, -.Inf]',
      [new Float(1), new Float(0.5), new Float(1000), new Float(Infinity), new Float(-Infinity)],
    ],
    ['[., e5, 1e, _1, 1:30, 1.2.3, 2001-01-01]', ['.', 'e5', '1e', '_1', '1:30', '1.2.3', '2001-01-01']],
    ['["1", \'yes\', !!str 2, !!int "3", !!float 4, !!binary aGk=]', ['1', 'yes', '2', 3, new Float(4), 'hi']],
    [
      '{yes: 1, 2: b, ~: c}',
      new Map<string, Value>([
        ['yes', 1],
        ['2', 'b'],
        ['~', 'c'],
      ]),
    ],
    ['a: 1\na: 2', new Map([['a', 2]])],
    [
      'a: &x [1]\nb: *x',
      new Map<string, Value>([
        ['a', [1]],
        ['b', [1]],
      ]),
    ],
    ['a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}', toValue({ a: { p: 1, q: 2 }, b: { p: 1, q: 3 } })],
    ['- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]', toValue([{ p: 1 }, { p: 2, q: 2 }, { p: 1, q: 2 }])],
    [
      'a: |\n  x\n  y\nb: >-\n  x\n  y',
      new Map([
        ['a', 'x\ny\n'],
        ['b', 'x y'],
      ]),
    ],
    ['a: 1\n---\nb: 2', new Map([['a', 1]])],
  ])('%j', (text, want) => {
    expect(parseYaml(text)).toEqual(want)
  })

  test.each([
    ['a: [1', 'not valid YAML at line 1, column 6: bad indent'],
    ['a: s3cret: b', 'not valid YAML at line 1, column 4: block as implicit key'],
    ['a: *s3cret', 'the YAML has an alias of what is not there, or not complete'],
    ['? {a: 1}\n: s3cret', 'the YAML has a key that is no scalar'],
    ['<<: s3cret', 'the YAML merges with << what is no map'],
  ])('%j is refused, and no word of it is told', (text, want) => {
    expect(() => parseYaml(text)).toThrow(new Error(want))
  })

  test('what would grow without bounds is refused', () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `a${i}: &a${i} [${i === 0 ? 'x' : `*a${i - 1}, *a${i - 1}`}]`,
    ).join('\n')
    expect(() => parseYaml(bomb)).toThrow('through aliases')
    expect(() => parseYaml('a: &a [*a]')).toThrow('not complete')
    expect(() => parseYaml('['.repeat(600) + ']'.repeat(600))).toThrow('deeper than 500')
    expect(() => parseYaml('['.repeat(10_000))).toThrow('not valid YAML')
  })
})

describe('YAML is written as by yaml.v2', () => {
  test.each<[string, Value, string]>([
    [
      'scalars',
      [null, true, 1, -1, 2n ** 62n, new Uint(7n), new Float(1.5), new Float(1e6), new Float(-Infinity)],
      '- null\n- true\n- 1\n- -1\n- 4611686018427387904\n- 7\n- 1.5\n- 1e+06\n- -.inf',
    ],
    ['empty collections', toValue({ a: [], b: {} }), 'a: []\nb: {}'],
    ['nested lists', [[1, [2, 3]], []], '- - 1\n  - - 2\n    - 3\n- []'],
    ['maps in lists in maps', toValue({ a: [{ b: 1, c: { d: [2] } }] }), 'a:\n- b: 1\n  c:\n    d:\n    - 2'],
    [
      'keys by their numbers',
      toValue({ a10: 1, a2: 2, b: 3, '10': 4, '9': 5, A: 6, 'a-1': 7 }),
      '"9": 5\n"10": 4\nA: 6\na-1: 7\na2: 2\na10: 1\nb: 3',
    ],
    [
      'a struct',
      new Struct(
        'x',
        new Map<string, Value>([
          ['Key', 'k'],
          ['Value', 1],
        ]),
      ),
      'key: k\nvalue: 1',
    ],
    [
      'text of several lines',
      toValue({ a: 'x\ny', b: 'x\n', c: 'x\n\n', d: ' x\ny', e: 'x \ny' }),
      'a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\nd: |2-\n   x\n  y\ne: "x \\ny"',
    ],
    ['text at the top', 'x\ny', '|-\n  x\n  y'],
    ['bytes', '\udcff', '!!binary /w=='],
  ])('%s', (_, value, want) => {
    expect(printYaml(value)).toBe(want)
  })

  test.each([
    ['plain', 'plain'],
    ['a b-c/d.e', 'a b-c/d.e'],
    ['', '""'],
    ['yes', '"yes"'],
    ['1', '"1"'],
    ['1:30', '"1:30"'],
    ['2001-01-01', '"2001-01-01"'],
    ['<<', '<<'],
    ['- a', "'- a'"],
    ['-a', '-a'],
    ['a: b', "'a: b'"],
    ['a:b', 'a:b'],
    ['a #b', "'a #b'"],
    ["'it", "'''it'"],
    [' a', "' a'"],
    ['a\tb', '"a\\tb"'],
    ['\u0001\u0085\ufeff', '"\\x01\\N\\uFEFF"'],
    ['𝄞', '"\\U0001D11E"'],
    ['é', 'é'],
  ])('the text %j as %s', (text, want) => {
    expect(printYaml(text)).toBe(want)
    expect(parseYaml(want)).toBe(text)
  })
})
