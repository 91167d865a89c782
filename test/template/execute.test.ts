import { describe, expect, test } from 'vitest'
import { fromBytes, toBytes } from '../../lib/base/text.ts'
import { Float, Struct, toValue, Uint, type Value } from '../../lib/base/value.ts'
import {
  parseTemplate,
  TemplateError,
  type FunctionTable,
  type TemplateFunction,
  type TemplateOptions,
} from '../../lib/template/template.ts'

const dot = toValue({
  a: 'A',
  n: null,
  zero: 0,
  list: [1, 2, 3],
  empty: [],
  map: { b: 2, a: 1, é: 3 },
  deep: { er: { est: 'x' } },
  pair: new Struct(
    'main.Pair',
    new Map<string, Value>([
      ['Key', 'k'],
      ['Value', 1],
    ]),
  ),
  float: new Float(1.5),
  uint: new Uint(7n),
  big: 2n ** 62n,
  password: 'hunter2',
})

const functions: FunctionTable<string> = new Map(
  [
    { name: 'context', signature: 'context', parameters: [], call: (context: string) => context },
    {
      name: 'join',
      signature: 'join',
      parameters: ['string'],
      variadic: 'string',
      call: (_: string, [by, ...all]: readonly Value[]) => (all as readonly string[]).join(by as string),
    },
    {
      name: 'fail',
      signature: 'fail',
      parameters: [],
      call: () => {
        throw new RangeError('no luck')
      },
    },
    {
      name: 'int',
      signature: 'int',
      parameters: ['int'],
      call: (_: string, [value]: readonly Value[]) => value as Value,
    },
    { name: 'not', signature: 'not', parameters: ['any'], call: () => 'mine' },
  ].map(each => [each.name, each as TemplateFunction<string>]),
)

function run(text: string, options: Partial<TemplateOptions<string>> = {}): string {
  return parseTemplate<string>({ name: 't', text, functions, ...options }).execute(dot, 'C')
}

function failureOf(text: string, options: Partial<TemplateOptions<string>> = {}): TemplateError {
  try {
    run(text, options)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error(`${text} executes`)
}

describe('a template gives', () => {
  test.each([
    ['plain', 'plain'],
    ['{{.a}} {{$.a}} {{.deep.er.est}} {{(.deep).er.est}}', 'A A x x'],
    ['{{.n}}', '<no value>'],
    [
      '{{.list}} {{.map}} {{.pair}} {{.float}} {{.uint}} {{.big}}',
      '[1 2 3] map[a:1 b:2 é:3] {k 1} 1.5 7 4611686018427387904',
    ],
    ['{{range .list}}{{.}},{{end}}', '1,2,3,'],
    ['{{range $i, $e := .list}}{{$i}}={{$e}} {{end}}', '0=1 1=2 2=3 '],
    ['{{range $k, $v := .map}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 é=3 '],
    ['{{range $v := .map}}{{$v}}{{end}}', '123'],
    ['{{range .empty}}x{{else}}none{{end}}', 'none'],
    ['{{range 3}}{{.}}{{end}}', '012'],
    ['{{range .uint}}{{.}}{{end}}', '0123456'],
    ['{{range .list}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}', '13'],
    ['{{range .list}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}', '1'],
    ['{{range .list}}{{range $.list}}{{if gt . 1}}{{break}}{{end}}{{.}}{{end}}{{.}} {{end}}', '11 12 13 '],
    ['{{if .zero}}a{{else if .a}}b{{else}}c{{end}}', 'b'],
    ['{{with .deep}}{{.er.est}}{{end}}{{with .n}}x{{else with .a}}{{.}}{{end}}', 'xA'],
    ['{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 3}}{{end}}{{$x}}', '2'],
    ['{{$x := 1}}{{range .list}}{{$x = .}}{{end}}{{$x}}', '3'],
    ['{{$x := 0}}{{if false}}{{$x := 1}}{{else}}{{$x}}{{end}}', '0'],
    ['{{define "x"}}[{{.}}{{$}}]{{end}}{{template "x" .a}}{{template "x"}}', '[AA][<no value><no value>]'],
    ['{{block "y" .deep}}{{.er.est}}{{end}}', 'x'],
    ['{{"a" | printf "%s%s" "b" | print "c"}}', 'cba'],
    ['{{and 1 0 2}}{{and 1 2}}{{or 0 "" 3}}{{or 0 ""}}{{and .zero (index .list 9)}}', '0230'],
    ['{{eq 1 2 1}}{{ne 1 2}}{{lt "a" "b"}}{{le 1.5 1.5}}{{gt 2 1}}{{ge 1 2}}', 'truetruetruetruetruefalse'],
    ['{{eq .uint 7}}{{lt .uint 8}}{{eq .n nil}}', 'truetruetrue'],
    ['{{len "é"}}{{len .list}}{{len .map}}', '233'],
    ['{{index .list 1}}{{index .map "b"}}{{index .deep "er" "est"}}{{index .map "x"}}', '22x<no value>'],
    ['{{slice .list 1 2}}{{slice "hello" 1 3}}', '[2]el'],
    ['{{html "<a&b>"}} {{js "it\'s"}} {{urlquery "a b&é"}}', "&lt;a&amp;b&gt; it\\'s a+b%26%C3%A9"],
    ['{{println 1 "a"}}{{print 1 2 "a" 3}}', '1 a\n1 2a3'],
    ['{{context}}{{join "-" "a" "b"}}{{"z" | join "-" "y"}}{{int 1e3}}', 'Ca-by-z1000'],
    ['{{not 1}}', 'mine'],
    ["{{1_000}} {{0x10}} {{0b11}} {{0o17}} {{017}} {{1e3}} {{'a'}} {{0x1p4}} {{1.0}}", '1000 16 3 15 15 1000 97 16 1'],
    ['{{/* c */}}a {{- "b" -}} c', 'abc'],
  ])('for %s: %j', (text, want) => {
    expect(run(text)).toBe(want)
  })

  test('the bytes that it was given, also those that are no text', () => {
    const bytes = Uint8Array.of(0x61, 0xff, 0xc3)
    const template = parseTemplate({ name: 't', text: `{{.}}{{slice . 1 2}}\udc80{{"\\xa9"}}`, functions: new Map() })
    expect([...toBytes(template.execute(fromBytes(bytes), undefined))]).toEqual([0x61, 0xff, 0xc3, 0xff, 0x80, 0xa9])
  })

  test('whole characters that came in pieces', () => {
    expect(run('{{eq (print (slice "é" 0 1) (slice "é" 1 2)) "é"}}{{slice "é" 0 1}}{{slice "é" 1 2}}')).toBe('trueé')
  })

  test('the same each time', () => {
    const template = parseTemplate({ name: 't', text: '{{$x := .}}{{range 2}}{{$x}}{{end}}', functions: new Map() })
    expect(template.name).toBe('t')
    expect([template.execute(1, undefined), template.execute('b', undefined)]).toEqual(['11', 'bb'])
  })
})

describe('a missing key', () => {
  test.each([
    ['error', '{{.x}}', 'map has no entry for key "x"'],
    ['error', '{{.n.x}}', 'nil pointer evaluating interface {}.x'],
    ['error', '{{$x := .n}}{{$x.y}}', 'nil data; no entry for key "y"'],
    ['zero', '{{.x.y}}', 'nil pointer evaluating interface {}.y'],
  ] as const)('with %s fails in %s: %s', (missingKey, text, want) => {
    expect(failureOf(text, { missingKey }).message.endsWith(`: ${want}`)).toBe(true)
  })

  test.each([
    ['default', '{{.x}}{{.x.y}}', '<no value><no value>'],
    ['zero', '{{.x}}', '<no value>'],
    ['default', '{{print .x}}{{if .x}}a{{else}}b{{end}}', '<nil>b'],
    ['error', '{{index .map "x"}}', '<no value>'],
  ] as const)('with %s in %s is %s', (missingKey, text, want) => {
    expect(run(text, { missingKey })).toBe(want)
  })

  test.each([
    ['{{.pasword}}', 'did you mean "password"?'],
    ['{{.deep.re}}', 'did you mean "er"?'],
    ['{{.pair.Kye}}', 'did you mean "Key"?'],
    ['{{.quite_another}}', expect.stringContaining('missingKey: default')],
    ['{{.map.quite_another}}', expect.stringContaining('index')],
    ['{{"a" | jion "b"}}', 'did you mean "join"?'],
    ['{{"a" | quite_another}}', undefined],
  ])('in %s comes with the hint %j', (text, hint) => {
    expect(failureOf(text).hint).toEqual(hint)
  })
})

describe('executing fails as in Go', () => {
  test.each([
    ['{{.a.b}}', 't:1:4: executing "t" at <.a.b>: can\'t evaluate field b in type interface {}'],
    ['{{(.a).b}}', 't:1:3: executing "t" at <.a>: can\'t evaluate field b in type string'],
    ['{{.pair.x}}', 't:1:7: executing "t" at <.pair.x>: can\'t evaluate field x in type interface {}'],
    ['\n {{.deep.er.x}}', 't:2:8: executing "t" at <.deep.er.x>: map has no entry for key "x"'],
    ['{{template "no"}}', 't:1:11: executing "t" at <{{template "no"}}>: template "no" not defined'],
    ['{{define "d"}}{{.x}}{{end}}{{template "d" .}}', 't:1:16: executing "d" at <.x>: map has no entry for key "x"'],
    ['{{len 3}}', 't:1:2: executing "t" at <len 3>: error calling len: len of type int'],
    ['{{index .list 9}}', 't:1:2: executing "t" at <index .list 9>: error calling index: index out of range: int'],
    [
      '{{eq 1 "a"}}',
      't:1:2: executing "t" at <eq 1 "a">: error calling eq: incompatible types for comparison: int and string',
    ],
    ['{{lt .list 1}}', 't:1:2: executing "t" at <lt .list 1>: error calling lt: invalid type for comparison'],
    ['{{int "a"}}', 't:1:6: executing "t" at <"a">: expected integer; found "a"'],
    ['{{int .float}}', 't:1:6: executing "t" at <.float>: wrong type for value; expected int; got float64'],
    ['{{int}}', 't:1:2: executing "t" at <int>: wrong number of args for int: want 1 got 0'],
    ['{{join}}', 't:1:2: executing "t" at <join>: wrong number of args for join: want at least 1 got 0'],
    ['{{join nil}}', 't:1:7: executing "t" at <nil>: cannot assign nil to string'],
    ['{{nil}}', 't:1:2: executing "t" at <nil>: nil is not a command'],
    ['{{1 2}}', 't:1:2: executing "t" at <1>: can\'t give argument to non-function 1'],
    ['{{.a 1}}', 't:1:2: executing "t" at <.a>: a is not a method but has arguments'],
    ['{{18446744073709551615}}', 't:1:2: executing "t" at <18446744073709551615>: 18446744073709551615 overflows int'],
    [
      '{{if .a}}{{$x := 1}}{{end}}{{if .n}}{{$y := 1}}{{else}}{{$y}}{{end}}',
      't:1:57: executing "t" at <$y>: undefined variable: $y',
    ],
    ['é{{fail}}', 't:1:4: executing "t" at <fail>: error calling fail: no luck'],
    ['{{call .a}}', 't:1:2: executing "t" at <call .a>: error calling call: non-function .a of type string'],
  ])('%j: template: %s', (text, want) => {
    const [, line, column] = /^t:(\d+):(\d+):/.exec(want)!
    expect(failureOf(text)).toMatchObject({
      name: 'TemplateError',
      code: 'execute',
      message: `template: ${want}`,
      template: 't',
      line: Number(line),
      column: Number(column),
    })
  })

  test('with the error of a function as the cause', () => {
    expect(failureOf('{{fail}}').cause).toEqual(new RangeError('no luck'))
  })
})

describe('an error shows no value', () => {
  test.each([
    ['{{range .password}}{{end}}', "range can't iterate over string", "range can't iterate over hunter2"],
    [
      '{{eq (slice .list 0 1) .list}}',
      'non-comparable type []interface {}: []interface {}',
      'non-comparable type [%!s(int=1) %!s(int=2) %!s(int=3)]: []interface {}',
    ],
    ['{{.password | call}}', 'non-function string of type string', 'non-function hunter2 of type string'],
    [
      '{{range $i, $e := .zero}}{{end}}',
      "can't use int to iterate over more than one variable",
      "can't use 0 to iterate over more than one variable",
    ],
  ])('in %s, unless it may', (text, safe, open) => {
    expect(failureOf(text).message.endsWith(safe)).toBe(true)
    expect(failureOf(text, { showValues: true }).message.endsWith(open)).toBe(true)
  })
})
