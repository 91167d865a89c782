import { Script } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { withoutCommentEnds } from '../../../cmd/build/comment.ts'

describe('a program to stand in a comment', () => {
  test.each([
    ['a string', `'*/ */'`],
    ['a template', '`*/${1}*/`'],
    ['a template in a template', '`${`*/`}*/`'],
    ['a quantifier at the end of a regular expression', `'aab'.replace(/^a*/, '-')`],
    ['a lazy use of its source', `'aab'.replace(new RegExp(/^a*/.source + '?'), '-')`],
    ['an escaped star at the end', `'a*b'.replace(/\\*/g, '-')`],
    ['a quantifier behind an escaped backslash', `'\\\\\\\\b'.replace(/^\\\\*/, '-')`],
    ['flags', `'AAb'.replace(/^a*/gi, '-')`],
    ['a class', `['*', '/', 'x'].map(text => /^[*/]$/.test(text))`],
    ['a class at the end', `'*/*/x'.replace(/[*/]*/, '-')`],
    ['a regular expression in a template', '`${"aab".replace(/a*/, "-")}`'],
    ['a factor that is a regular expression', `2*/3/.source`],
    ['nothing of the kind', `[2 * 3 / 4, 'a/*b']`],
  ])('means the same with %s', (_, code) => {
    const rewritten = withoutCommentEnds(code)

    expect(rewritten).not.toContain('*/')
    expect(evaluate(rewritten)).toEqual(evaluate(code))
  })

  test('is refused when it has a tagged template for which there is no other way', () => {
    expect(() => withoutCommentEnds('String.raw`*/`')).toThrow('tagged template')
  })

  test('is refused when it does not parse', () => {
    expect(() => withoutCommentEnds('(')).toThrow('does not parse')
  })
})

function evaluate(code: string): unknown {
  return new Script(code).runInThisContext()
}
