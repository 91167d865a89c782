import { describe, expect, test } from 'vitest'
import type { Value } from '../../lib/base/value.ts'
import { parseTemplate, pending, type TemplateFunction } from '../../lib/template/template.ts'

interface Asked {
  readonly calls: string[]
}

/** `key NAME` is pending, `have NAME` is the name; both say that they were called. */
const functions = new Map<string, TemplateFunction<Asked>>(
  [
    {
      name: 'key',
      signature: 'key NAME',
      parameters: ['string'],
      call: ({ calls }: Asked, [name]: readonly Value[]) => (calls.push(`key ${name as string}`), pending),
    },
    {
      name: 'have',
      signature: 'have NAME',
      parameters: ['string'],
      call: ({ calls }: Asked, [name]: readonly Value[]) => (calls.push(`have ${name as string}`), name as string),
    },
    {
      name: 'count',
      signature: 'count ANY…',
      parameters: [],
      variadic: 'any',
      call: ({ calls }: Asked, args: readonly Value[]) => (calls.push(`count ${args.length}`), args.length),
    },
  ].map(each => [each.name, each as TemplateFunction<Asked>]),
)

function run(text: string): { readonly output: string; readonly calls: readonly string[] } {
  const calls: string[] = []
  const output = parseTemplate<Asked>({ name: 't', text, functions }).execute(new Map(), { calls })
  return { output, calls }
}

describe('pending', () => {
  test.each([
    ['prints as nothing', '[{{key "a"}}]', '[]'],
    ['is false', '{{if key "a"}}yes{{else}}no{{end}}', 'no'],
    ['is false for with', '{{with key "a"}}yes{{else}}no{{end}}', 'no'],
    ['is ranged over neither with the body nor with else', '[{{range key "a"}}body{{else}}else{{end}}]', '[]'],
    ['is ranged over so with two variables', '[{{range $k, $v := key "a"}}body{{else}}else{{end}}]', '[]'],
    ['yields itself on field access', '[{{(key "a").b.c}}]', '[]'],
    ['yields itself through a variable', '{{$x := key "a"}}[{{$x}}{{$x.y}}]', '[]'],
    ['yields itself on an index', '[{{index (key "a") "b" 0}}]', '[]'],
    ['yields itself as an index', '[{{index $ (key "a")}}]', '[]'],
    ['yields itself through a pipeline', '[{{key "a" | printf "%s" | len}}]', '[]'],
    [
      'yields itself from the builtins',
      '[{{len (key "a")}}{{print 1 (key "a")}}{{html (key "a")}}{{slice (key "a") 1}}]',
      '[]',
    ],
    [
      'yields itself from comparisons',
      '[{{eq (key "a") 1}}{{lt 1 (key "a")}}{{ne (key "a") (key "b")}}{{not (key "a")}}]',
      '[]',
    ],
    ['is false when negated', '{{if not (key "a")}}yes{{else}}no{{end}}', 'no'],
    ['ends an and', '[{{and (key "a") 1}}]', '[]'],
    ['is what and gives when it is last', '[{{and 1 (key "a")}}]', '[]'],
    ['does not end an or', '{{or (key "a") "b"}}', 'b'],
    ['is what or gives when nothing else is true', '[{{or (key "a") ""}}]', '[]'],
    ['is passed to templates', '{{define "x"}}[{{.}}{{.y}}]{{end}}{{template "x" key "a"}}', '[]'],
  ])('%s', (_, text, want) => {
    expect(run(text).output).toBe(want)
  })

  test('as an argument keeps a function from being called, but not the other arguments from being asked for', () => {
    expect(run('{{count 1 (key "a") (have "b")}}').calls).toEqual(['key a', 'have b'])
    expect(run('{{key "a" | count 1}}').calls).toEqual(['key a'])
    expect(run('{{have (key "a")}}').calls).toEqual(['key a'])
  })

  test('lets one execution find as many questions as it can', () => {
    const { calls } = run(
      '{{if key "a"}}{{key "b"}}{{else}}{{key "c"}}{{end}}{{range key "d"}}{{key "e"}}{{end}}{{or (key "f") (key "g")}}{{and (key "h") (key "i")}}',
    )
    expect(calls).toEqual(['key a', 'key c', 'key d', 'key f', 'key g', 'key h'])
  })
})
