import { describe, expect, test } from 'vitest'
import { expand } from '../../lib/config/expand.ts'

const environment = { A: '1', B_2: 'two', EMPTY: '', NESTED: '${A}', DOLLAR: '$&$1' }

describe('expand()', () => {
  test.each([
    ['nothing', 'plain $A $(A) {A}', 'plain $A $(A) {A}', false],
    ['a variable', '${A}', '1', true],
    ['several', 'x${A}y${B_2}z', 'x1ytwoz', true],
    ['an empty one', '[${EMPTY}]', '[]', true],
    ['a value as it is, however it looks', '${NESTED}${DOLLAR}', '${A}$&$1', true],
    ['a literal mark', '$${A}', '${A}', false],
    ['a literal mark beside a variable', '$${A}${A}$${', '${A}1${', true],
    ['two dollars before a literal mark', '$$${A}', '$${A}', false],
  ])('puts in %s', (_what, text, result, expanded) => {
    expect(expand(text, environment)).toEqual({ text: result, expanded, problems: [] })
  })

  test.each([
    ['unset', 'a${UNSET}', [0]],
    ['inherited from objects', '${toString}${constructor}', [0, 1]],
    ['without a name', '$${}${}', [1]],
    ['with a space', '${ A }', [0]],
    ['with a default', '${A:-x}', [0]],
    ['without an end', '${A} ${A', [1]],
    ['that begins with a digit', '${2}', [0]],
  ])('finds a variable %s', (_what, text, ordinals) => {
    expect(expand(text, environment).problems.map(({ ordinal }) => ordinal)).toEqual(ordinals)
  })

  test('says which variable was probably meant', () => {
    expect(expand('${EMTPY}', environment).problems[0]?.hint).toContain('${EMPTY}')
  })
})
