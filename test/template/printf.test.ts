import { describe, expect, test } from 'vitest'
import { Float, Struct, Uint, type Value } from '../../lib/base/value.ts'
import { Complex } from '../../lib/template/complex.ts'
import { formatFloat, type FloatVerb } from '../../lib/template/float.ts'
import { print, println } from '../../lib/template/print.ts'
import { printf } from '../../lib/template/printf.ts'
import { canBackquote, quote, quoteToAscii, unquote, unquoteCharacter } from '../../lib/template/quote.ts'

const pair = new Struct(
  'main.Pair',
  new Map<string, Value>([
    ['Key', 'k'],
    ['Value', null],
  ]),
)
const map = new Map<string, Value>([
  ['b', 1],
  ['a', ['x', null]],
])

describe('printf gives', () => {
  test.each<[string, readonly (Value | Complex | undefined)[], string]>([
    ['%v %s %d', [1, 'a', 2], '1 a 2'],
    ['%5d|%-5d|%05d|%+d|% d', [42, 42, 42, 42, 42], '   42|42   |00042|+42| 42'],
    ['%b %o %O %x %X %#x %#o %#b', [5, 8, 8, 255, 255, 255, 8, 5], '101 10 0o10 ff FF 0xff 010 0b101'],
    ['%c|%q|%U|%#U', [0x263a, 0x263a, 0x263a, 0x263a], "☺|'☺'|U+263A|U+263A '☺'"],
    ['%c %U %q', [-1, -1, 0xd800], "\ufffd U+FFFFFFFFFFFFFFFF '\ufffd'"],
    ['%d %d', [2n ** 62n, new Uint(2n ** 64n - 1n)], '4611686018427387904 18446744073709551615'],
    ['%.3d|%8.3d|%-8.3d|%.0d|', [7, 7, 7, 0], '007|     007|007     ||'],
    ['%t %v', [true, false], 'true false'],
    [
      '%f %.2f %8.2f|%-8.2f|%08.2f|%+.1f',
      Array.from({ length: 6 }, () => new Float(1.23456)),
      '1.234560 1.23     1.23|1.23    |00001.23|+1.2',
    ],
    [
      '%e %E %g %G %.3g %#g',
      Array.from({ length: 6 }, () => new Float(1234567)),
      '1.234567e+06 1.234567E+06 1.234567e+06 1.234567E+06 1.23e+06 1.234567e+06',
    ],
    [
      '%v %5v|%05v|%+v',
      [new Float(NaN), new Float(NaN), new Float(Infinity), new Float(-Infinity)],
      'NaN   NaN| +Inf|-Inf',
    ],
    [
      '%s|%10s|%-10s|%.2s|%q|%#q|%+q|%x|% x|%#x',
      Array.from({ length: 10 }, () => 'hé"'),
      'hé"|       hé"|hé"       |hé|"hé\\""|`hé"`|"h\\u00e9\\""|68c3a922|68 c3 a9 22|0x68c3a922',
    ],
    ['%v %+v %#v', [pair, pair, pair], '{k <nil>} {Key:k Value:<nil>} main.Pair{Key:"k", Value:interface {}(nil)}'],
    [
      '%v %#v',
      [map, map],
      'map[a:[x <nil>] b:1] map[string]interface {}{"a":[]interface {}{"x", interface {}(nil)}, "b":1}',
    ],
    [
      '%T %T %T %T %T %T %T',
      [1, 'a', new Float(1), new Uint(1n), map, [], pair],
      'int string float64 uint64 map[string]interface {} []interface {} main.Pair',
    ],
    ['%v %d %T', [null, undefined, null], '<nil> %!d(<nil>) <nil>'],
    ['%v %.1f', [new Complex(1, -2), new Complex(0, 1)], '(1-2i) (0.0+1.0i)'],
    ['%*d|%-*d|%.*f', [5, 1, 5, 1, 2, new Float(1.23456)], '    1|1    |1.23'],
    ['%*d', [-5, 1], '1    '],
    ['%[2]d %[1]d', [1, 2], '2 1'],
    ['%[2]*[1]d', [7, 4], '   7'],
    ['100%%', [], '100%'],
    ['%d', [[1, 2]], '[1 2]'],
  ])('for %s', (format, args, want) => {
    expect(printf(format, args)).toBe(want)
  })
})

describe('printf says what does not fit', () => {
  test.each<[string, readonly Value[], string]>([
    ['%d', ['hi'], '%!d(string=hi)'],
    ['%5d', ['hi'], '%!d(string=   hi)'],
    ['%s', [1], '%!s(int=1)'],
    ['%z', [true], '%!z(bool=true)'],
    ['%d', [], '%!d(MISSING)'],
    ['a', [1, 'b', null], 'a%!(EXTRA int=1, string=b, <nil>)'],
    ['%', [], '%!(NOVERB)'],
    ['%!', [], '%!!(MISSING)'],
    ['%[3]d', [1], '%!d(BADINDEX)'],
    ['%[x]d', [1], '%!d(BADINDEX)'],
    ['%[1', [1], '%!(NOVERB)'],
    ['%[1]2d', [1], '%!d(BADINDEX)'],
    ['%*d', ['a', 1], '%!(BADWIDTH)1'],
    ['%.*d', [-1, 1], '%!(BADPREC)1'],
    ['%w', ['x'], '%!w(string=x)'],
    ['%s', [[1, 'a']], '[%!s(int=1) a]'],
  ])('in %j of %j: %j', (format, args, want) => {
    expect(printf(format, args)).toBe(want)
  })
})

test('print puts blanks between operands where neither is a string, println everywhere', () => {
  expect(print([1, 2, 'a', 'b', 3, null])).toBe('1 2ab3 <nil>')
  expect(println([1, 'a', 'b'])).toBe('1 a b\n')
})

describe('a float is written as in Go', () => {
  test.each<[number, FloatVerb, number, string]>([
    [0, 'g', -1, '0'],
    [-0, 'g', -1, '-0'],
    [100_000, 'g', -1, '100000'],
    [1_000_000, 'g', -1, '1e+06'],
    [0.0001, 'g', -1, '0.0001'],
    [0.00001, 'g', -1, '1e-05'],
    [0.1, 'g', 17, '0.10000000000000001'],
    [1e-7, 'g', 17, '9.9999999999999995e-08'],
    [1e23, 'e', 16, '9.9999999999999992e+22'],
    [0.5, 'f', 0, '0'],
    [1.5, 'f', 0, '2'],
    [2.5, 'f', 0, '2'],
    [1.005, 'f', 2, '1.00'],
    [0.125, 'f', 2, '0.12'],
    [1e21, 'f', 0, '1000000000000000000000'],
    [1e21, 'f', -1, '1000000000000000000000'],
    [5e-324, 'g', -1, '5e-324'],
    [5e-324, 'x', -1, '0x1p-1074'],
    [1, 'b', -1, '4503599627370496p-52'],
    [3, 'x', -1, '0x1.8p+01'],
    [1.9999999, 'x', 1, '0x1.0p+01'],
    [123.456, 'e', 2, '1.23e+02'],
    [9.999, 'e', 1, '1.0e+01'],
    [Number.MAX_VALUE, 'g', 3, '1.8e+308'],
    [0.1, 'f', 60, '0.100000000000000005551115123125782702118158340454101562500000'],
  ])('%d by %s.%d: %s', (value, verb, precision, want) => {
    expect(formatFloat(value, verb, precision)).toBe(want)
  })
})

test.each([
  ['a"b\\c', '"a\\"b\\\\c"', '"a\\"b\\\\c"'],
  ['\n\t\u0007\u0001\u007f', '"\\n\\t\\a\\x01\\x7f"', '"\\n\\t\\a\\x01\\x7f"'],
  ['é☺𝄞', '"é☺𝄞"', '"\\u00e9\\u263a\\U0001d11e"'],
  ['\u200b\ufeff', '"\\u200b\\ufeff"', '"\\u200b\\ufeff"'],
  ['\udcff', '"\\xff"', '"\\xff"'],
])('%j is quoted as %s, and back', (text, quoted, ascii) => {
  expect(quote(text)).toBe(quoted)
  expect(quoteToAscii(text)).toBe(ascii)
  expect([unquote(quoted), unquote(ascii)]).toEqual([text, text])
})

test('what Go unquotes is unquoted, what it refuses is refused', () => {
  expect(unquote('"\\xc3\\xa9\\303\\251\\u00e9\\x80"')).toBe('ééé\udc80')
  expect(unquote('`a\\n\r\nb`')).toBe('a\\n\nb')
  expect(["'a'", "'\\n'", "'\\''", "'\\x41'", "'☺'"].map(unquoteCharacter)).toEqual([97, 10, 39, 65, 0x263a])
  for (const bad of ['"\\q"', '"\\x4"', '"\\ud800"', '"\\400"', '"\\\'"'])
    expect(() => unquote(bad)).toThrow('invalid syntax')
  for (const bad of ["''", "'ab'", "'\\\"'"]) expect(() => unquoteCharacter(bad)).toThrow(/invalid syntax|malformed/)
  expect([canBackquote('a"\tb'), canBackquote('a`b'), canBackquote('a\nb')]).toEqual([true, false, false])
})
