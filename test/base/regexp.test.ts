import { describe, expect, test } from 'vitest'
import { compileRegExp, RegExpError } from '../../lib/base/regexp.ts'

describe('an expression', () => {
  test.each([
    ['a+', 'caat', '<$0>', 'c<aa>t'],
    ['(?P<x>a)(b)?', 'aab', '[${x}|$2]', '[a|][a|b]'],
    ['(a)', 'a', '$1x', ''],
    ['(a)', 'a', '${1}x', 'ax'],
    ['a', 'a', '$$1$', '$1$'],
    ['', 'a😀', '-', '-a-😀-'],
    ['(?P<n>a)|(?P<n>b)', 'ab', '<$n>', '<a><b>'],
    ['[(?P<n>](?P<n>a)\\Q(?P<n>\\E(?P<n>b)', '(a(?P<n>b', '$n', 'a'],
    ['.', '\udcffa', 'x', 'xx'],
  ])('%j in %j replaced by %j gives %j', (expression, text, replacement, want) => {
    expect(compileRegExp(expression).replaceAll(text, replacement)).toBe(want)
  })

  test('finds as many matches as are wanted', () => {
    const expression = compileRegExp('a.')

    expect(expression.findAll('abacad', 2)).toEqual([
      { start: 0, end: 2 },
      { start: 2, end: 4 },
    ])
    expect(expression.findAll('abacad', -1)).toHaveLength(3)
    expect(expression.findAll('b', -1)).toEqual([])
  })

  test('that is none quotes itself only where it is asked to', () => {
    const failure = failureOf('s3cret(')

    expect(failure.message).toBe('error parsing regexp: missing closing )')
    expect(failure.quoting).toBe('error parsing regexp: missing closing ): `s3cret(`')
    expect(failure.cause).toBeUndefined()
  })

  test.each(['(?<!a)b', '(?=a)', '(a)\\1'])('may not be %s, which takes more than linear time', expression => {
    expect(() => compileRegExp(expression)).toThrow(RegExpError)
  })
})

function failureOf(expression: string): RegExpError {
  try {
    compileRegExp(expression)
  } catch (error) {
    if (error instanceof RegExpError) return error
    throw error
  }
  throw new Error(`${expression} is an expression`)
}
