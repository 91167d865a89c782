import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../lib/template/error.ts'
import { sourceOf } from '../../lib/template/nodes.ts'
import { NESTING_MAX } from '../../lib/template/parse-context.ts'
import { parse, type TemplateSet } from '../../lib/template/parser.ts'

const functions = new Set(['print', 'printf', 'f', 'and'])

function parseText(text: string): TemplateSet {
  return parse({ name: 't', text, delims: ['{{', '}}'], hasFunction: name => functions.has(name) })
}

function failureOf(text: string): TemplateError {
  try {
    parseText(text)
  } catch (error) {
    if (error instanceof TemplateError) return error
  }
  throw new Error(`${text} parses`)
}

describe('a parsed template is the same source again', () => {
  test.each([
    ['{{.}}'],
    ['a{{.a.b}}b'],
    ['{{$x := 1}}{{$x}}{{$x.a}}'],
    ['{{$x := 1}}{{$x = 2}}'],
    ['{{f 1 "a" `b` true nil . $ .a (f 2) (f 2).b}}'],
    ['{{. | f | print "a"}}'],
    ["{{'a'}}"],
    ['{{if .a}}b{{else}}c{{end}}'],
    ['{{with $x := .a}}{{$x}}{{end}}'],
    ['{{range $i, $e := .a}}{{break}}{{continue}}{{else}}x{{end}}'],
    ['{{template "x"}}{{template "x" .a}}'],
  ])('%s', text => {
    expect(sourceOf(parseText(text).get('t')!)).toBe(text)
  })

  test.each([
    ['{{- 1 -}}', '{{1}}'],
    ['{{ (  1 ) }}', '{{(1)}}'],
    ['{{if .a}}b{{else if .c}}d{{end}}', '{{if .a}}b{{else}}{{if .c}}d{{end}}{{end}}'],
    ['{{with .a}}b{{else with .c}}d{{end}}', '{{with .a}}b{{else}}{{with .c}}d{{end}}{{end}}'],
    ['{{block "x" .a}}b{{end}}', '{{template "x" .a}}'],
    ['{{define "x"}}b{{end}}c', 'c'],
    ['a{{/* b */}}', 'a'],
  ])('%s, as %s', (text, want) => {
    expect(sourceOf(parseText(text).get('t')!)).toBe(want)
  })
})

test('a text defines templates beside its own', () => {
  const set = parseText('{{define "x"}}1{{end}}{{block "y" .}}2{{end}}')
  expect([...set].map(([name, list]) => [name, sourceOf(list)])).toEqual([
    ['x', '1'],
    ['y', '2'],
    ['t', '{{template "y" .}}'],
  ])
})

test('an empty definition gives way to another', () => {
  const set = parseText('{{define "x"}} \n{{end}}{{define "x"}}1{{end}}{{define "x"}}{{end}}')
  expect(sourceOf(set.get('x')!)).toBe('1')
})

describe('parsing fails as in Go', () => {
  test.each([
    ['{{', 't:1: unclosed action'],
    ['a\n{{nope}}', 't:2: function "nope" not defined'],
    ['{{$x}}', 't:1: undefined variable "$x"'],
    ['{{if .a}}', 't:1: unexpected EOF'],
    ['{{if}}{{end}}', 't:1: missing value for if'],
    ['{{end}}', 't:1: unexpected {{end}}'],
    ['{{else}}', 't:1: unexpected {{else}}'],
    ['{{if .a}}{{else}}{{else}}{{end}}', 't:1: expected end; found {{else}}'],
    ['{{break}}', 't:1: {{break}} outside {{range}}'],
    ['{{range .a}}{{end}}{{continue}}', 't:1: {{continue}} outside {{range}}'],
    ['{{range .a}}{{else}}{{break}}{{end}}', 't:1: {{break}} outside {{range}}'],
    ['{{.a | 1}}', 't:1: non executable command in pipeline stage 2'],
    ['{{1.x}}', 't:1: bad number syntax: "1.x"'],
    ['{{true.x}}', 't:1: unexpected . after term "true"'],
    ['{{$x, $y := 1}}', 't:1: too many declarations in command'],
    ['{{range $x, .a}}{{end}}', 't:1: range can only initialize variables'],
    ['{{template .a}}', 't:1: unexpected ".a" in template clause'],
    ['{{define "x"}}', 't:1: unexpected EOF'],
    ['{{if .a}}{{define "x"}}{{end}}{{end}}', 't:1: unexpected <define> in command'],
    ['{{define "x"}}1{{end}}{{define "x"}}2{{end}}', 't:1: template: multiple definition of template "x"'],
    ['{{"\\q"}}', 't:1: invalid syntax'],
    ["{{'ab'}}", "t:1: malformed character constant: 'ab'"],
    ['{{08}}', 't:1: integer overflow: "08"'],
    ['{{\n\n"a', 't:3: unterminated quoted string in action started at t:1'],
    ['{{\n\n.a', 't:3: unclosed action started at t:1'],
    ['{{()}}', 't:1: missing value for parenthesized pipeline'],
    ['{{f)}}', 't:1: unexpected right paren'],
  ])('%j: template: %s', (text, want) => {
    expect(failureOf(text)).toMatchObject({ code: 'parse', message: `template: ${want}`, template: 't' })
  })

  test('at a line and a column of bytes', () => {
    expect(failureOf('a\né {{nope}}')).toMatchObject({ line: 2, column: 5 })
  })
})

describe('nesting has a bound', () => {
  const deep = NESTING_MAX + 1
  test.each([
    ['parentheses', `{{${'('.repeat(deep)}1${')'.repeat(deep)}}}`],
    ['blocks', '{{if 1}}'.repeat(100_000)],
    ['else ifs', `{{if 1}}${'{{else if 1}}'.repeat(100_000)}{{end}}`],
    ['block templates', '{{block "a" .}}'.repeat(100_000)],
  ])('for %s', (_, text) => {
    expect(failureOf(text)).toMatchObject({ code: 'bound' })
  })

  test('within which everything parses', () => {
    const within = NESTING_MAX
    expect(parseText(`{{${'('.repeat(within)}1${')'.repeat(within)}}}`).has('t')).toBe(true)
    expect(parseText('{{if 1}}'.repeat(within) + '{{end}}'.repeat(within)).has('t')).toBe(true)
  })
})
