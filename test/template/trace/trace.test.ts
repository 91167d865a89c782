import { describe, expect, test } from 'vitest'
import { toValue, type Value } from '../../../lib/base/value.ts'
import { standardFunctions } from '../../../lib/template/functions/standard.ts'
import type { TemplateFunction } from '../../../lib/template/template.ts'
import { traceTemplate, type Lineage, type Origin } from '../../../lib/template/trace/template.ts'

interface Context {
  readonly asked: Origin[]
  readonly environment: Readonly<Record<string, string>>
  readonly now: () => number
  readonly networkAddresses: () => []
}

const answer = toValue({ a: '1', b: '2', yes: true, list: ['x', 'y'], deep: { er: 'z' } })
const functions = new Map<string, TemplateFunction<Context>>([
  ...standardFunctions<Context>(),
  [
    'data',
    {
      name: 'data',
      signature: 'data NAME',
      parameters: ['string'],
      givesShared: true,
      call({ asked }: Context, [token]: readonly Value[]) {
        asked.push({ token, path: [] })
        return answer
      },
    },
  ],
])

/** What is written, each piece with what it shows and, behind a bar, what decided that it is there. */
function trace(text: string, dot?: Lineage): readonly string[] {
  const asked: Origin[] = []
  const context: Context = { asked, environment: {}, now: () => 0, networkAddresses: () => [] }
  const options = { taken: () => asked.splice(0), ...(dot === undefined ? {} : { dot }) }
  const { output, segments } = traceTemplate({ name: 't', text, functions }).trace('dot', context, options)
  let end = 0
  return segments.map(({ bytes, from, under }) => {
    end += bytes
    return `${output.slice(end - bytes, end)} ${shown(from)}|${shown(under)}`
  })
}

function shown(origins: readonly Origin[]): string {
  return origins.map(({ token, path }) => [token, ...path].join('.')).join(' ')
}

describe('a piece names', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing when it is text', 'a{{"b"}}', ['a |', 'b |']],
    ['what it shows', '{{(data "p").a}}', ['1 p.a|']],
    ['a field of a field', '{{(data "p").deep.er}}', ['z p.deep.er|']],
    ['a field by its constant key', '{{index (data "p") "deep" "er"}}', ['z p.deep.er|']],
    ['an element by its constant index', '{{index (data "p").list 1}}', ['y p.list.1|']],
    ['the field of a variable', '{{$x := data "p"}}{{$x.b}}', ['2 p.b|']],
    ['the field of a dot', '{{with data "p"}}{{.a}}{{end}}', ['1 p.a|p']],
    ['all of it where it is printed', '{{len (data "p")}}', ['5 p|']],
    ['all that went into it', '{{printf "%s%s" (data "p").a (data "q").b | toUpper}}', ['12 p.a q.b|']],
    ['what decides over it', '{{if (data "p").yes}}a{{else}}b{{end}}c', ['a |p.yes', 'c |']],
    ['what keeps it from being the other', '{{if not (data "p").yes}}a{{else}}b{{end}}', ['b |p.yes']],
    [
      'the element of a range, and the list',
      '{{range (data "p").list}}{{.}}{{end}}',
      ['x p.list.0|p.list', 'y p.list.1|p.list'],
    ],
    ['what decided over a variable', '{{$x := "a"}}{{if (data "p").yes}}{{$x = "b"}}{{end}}{{$x}}', ['b p.yes|']],
    [
      'what would have decided over a variable',
      '{{$x := "a"}}{{if not (data "p").yes}}{{$x = "b"}}{{end}}{{$x}}',
      ['a p.yes|'],
    ],
    [
      'what could have ended the range before',
      '{{range 2}}a{{if (data "p").a | eq "3"}}{{break}}{{end}}b{{end}}c',
      ['a |', 'b |p.a', 'a |p.a', 'b |p.a', 'c |'],
    ],
    ['what a template was given', '{{define "x"}}{{.a}}{{end}}{{template "x" data "p"}}', ['1 p.a|']],
    [
      'what a template that was executed shows',
      '{{define "x"}}{{.a}}{{end}}{{executeTemplate "x" (data "p")}}',
      ['1 p.a|'],
    ],
    ['what an operand kept from being evaluated', '{{or (data "p").a (data "q").b}}', ['1 p.a|']],
    ['what was put into the scratch', '{{scratch.Set "k" (data "p").a}}{{scratch.Get "k"}}', ['1 p.a|']],
    ['what was put into a map', '{{$m := dict}}{{$n := set $m "k" (data "p").a}}{{$m.k}}', ['1 p.a|']],
    [
      'what would have been put into a map',
      '{{$m := dict "k" "a"}}{{if not (data "p").yes}}{{$n := set $m "k" "b"}}{{end}}{{$m.k}}',
      ['a p.yes|'],
    ],
    [
      'what a channel was used up by',
      '{{$c := loop 2}}{{if not (data "p").yes}}{{range $c}}{{end}}{{end}}{{range $c}}a{{end}}',
      ['a |p.yes', 'a |p.yes'],
    ],
  ])('%s', (_, text, want) => {
    expect(trace(text)).toEqual(want)
  })

  test.each<[string, Lineage, readonly string[]]>([
    ['is', { exact: { token: 'p', path: ['list'] }, also: [] }, ['dot p.list|']],
    ['was made of', { also: [{ token: 'p', path: ['list'] }] }, ['dot p.list|']],
    ['is, and what was beside it', { exact: { token: 'p', path: [] }, also: [{ token: 'q', path: [] }] }, ['dot q p|']],
  ])('what the dot %s', (_, dot, want) => {
    expect(trace('{{.}}', dot)).toEqual(want)
  })
})

test('each line of a text is a piece of its own, with its place', () => {
  const { segments } = traceTemplate({ name: 't', text: 'a\nbé\n{{"é"}}{{"c"}}', functions }).trace(
    null,
    undefined as never,
    {
      taken: () => [],
    },
  )

  expect(segments.map(({ bytes, line, column }) => [bytes, line, column])).toEqual([
    [2, 1, 0],
    [4, 2, 0],
    [2, 3, 2],
    [1, 3, 10],
  ])
})
