import { describe, expect, test } from 'vitest'
import type { Value } from '../../lib/base/value.ts'
import { parseExpression } from '../../lib/template/expression.ts'
import { pending, TemplateError, type Pending, type TemplateFunction } from '../../lib/template/template.ts'

function define(name: string, call: (args: readonly Value[]) => Value | Pending): TemplateFunction<undefined> {
  return { name, signature: name, parameters: [], variadic: 'any', call: (_, args) => call(args) }
}

const functions = new Map(
  [
    define('list', args => args),
    define('later', () => pending),
    define('bad', () => {
      throw new Error('no')
    }),
  ].map(each => [each.name, each]),
)

function evaluate(text: string, bounds = {}): Value | Pending {
  return parseExpression({ name: 't', text, functions }).evaluate(undefined, bounds)
}

function failure(text: string, bounds = {}): TemplateError {
  try {
    evaluate(text, bounds)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error('it was evaluated')
}

describe('an expression', () => {
  test.each<[string, Value | Pending]>([
    ['{{ list 1 "a" }}', [1, 'a']],
    [' \n{{- list 1 | list -}}\n', [[1]]],
    ['{{/* why */}}{{ "text" }}{{/* and */}}\n', 'text'],
    ['{{ (list 1 2) }}', [1, 2]],
    ['{{ index (list "a" "b") 1 }}', 'b'],
    ['{{ . }}', null],
    ['{{ later }}', pending],
    ['{{ list (later) }}', pending],
    ['{{ (later).a.b }}', pending],
  ])('%j gives its value', (text, value) => {
    expect(evaluate(text)).toEqual(value)
  })

  test.each<[string, string, number, number]>([
    ['', 'want one action, got none', 1, 0],
    ['{{/* only this */}}', 'want one action, got none', 1, 0],
    ['hosts', 'want one action, got text', 1, 0],
    ['{{ list 1 }} and', 'want one action, got text after it', 1, 12],
    ['{{ list 1 }}\n é{{ list 2 }}', 'want one action, got text after it', 1, 12],
    ['{{ list 1 }}\n{{ list 2 }}', 'want one action, got a second one after it', 2, 3],
    ['\n{{ if . }}{{ end }}', 'want one action, got an if', 2, 6],
    ['{{ range . }}{{ end }}', 'want one action, got a range', 1, 9],
    ['{{ $x := list }}', 'want one action with a value, got one that sets a variable', 1, 3],
    ['{{ define "x" }}a{{ end }}{{ list }}', 'want one action and no other template, got a define or block', 1, 0],
  ])('%j is refused, and says where', (text, message, line, column) => {
    expect(failure(text)).toMatchObject({ code: 'parse', message: `template: t:${line}: ${message}`, line, column })
  })

  test('that does not parse is refused as in a template', () => {
    expect(failure('{{ lsit 1 }}')).toMatchObject({ message: 'template: t:1: function "lsit" not defined' })
  })

  test('fails as a template does, with its position', () => {
    expect(failure('\n{{ list (bad 1) }}').message).toBe(
      'template: t:2:9: executing "t" at <bad 1>: error calling bad: no',
    )
  })

  test('keeps to its bounds', () => {
    expect(failure('{{ list 1 2 3 4 }}', { stepsMax: 3 })).toMatchObject({ code: 'bound' })
  })
})
