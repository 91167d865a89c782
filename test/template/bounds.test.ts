import { describe, expect, test } from 'vitest'
import { toValue, type Value } from '../../lib/base/value.ts'
import { parseTemplate, TemplateError, type Bounds, type TemplateFunction } from '../../lib/template/template.ts'

function run(text: string, bounds: Bounds = {}, dot: Value = null): string {
  return parseTemplate({ name: 't', text, functions: new Map() }).execute(dot, undefined, bounds)
}

function failureOf(text: string, bounds: Bounds = {}, dot: Value = null): TemplateError {
  try {
    run(text, bounds, dot)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error(`${text} executes`)
}

const double = '{{$x := "xxxxxxxxxxxxxxxx"}}{{range 20}}{{$x = print $x $x}}{{end}}'
let nested: Value = []
for (let i = 0; i < 100_000; i++) nested = [nested]

describe('what is too much ends with an error of code bound', () => {
  test.each<[string, string, RegExp]>([
    ['turns', '{{range 1000000000}}{{end}}', /more than 10000000 steps$/],
    ['turns without an end', '{{range 9223372036854775807}}{{end}}', /more than 10000000 steps$/],
    ['turns in turns', '{{range 100000}}{{range 100000}}{{end}}{{end}}', /more than 10000000 steps$/],
    ['a recursion', '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', /maximum template depth \(1000\)$/],
    [
      'a recursion of two',
      '{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{end}}{{template "a"}}',
      /depth \(1000\)$/,
    ],
    [
      'a recursion through deep blocks',
      `{{define "a"}}${'{{if true}}'.repeat(400)}{{template "a"}}${'{{end}}'.repeat(400)}{{end}}{{template "a"}}`,
      /(nested too deeply|depth \(1000\))$/,
    ],
    [
      'output',
      '{{range 1000000000}}0123456789012345678901234567890123456789012345678901234567890123456789{{end}}',
      /the output is longer than 67108864 bytes$/,
    ],
    ['output at once', `${double}{{range 5}}{{$x}}{{end}}`, /the output is longer than 67108864 bytes$/],
    [
      'a string that doubles',
      '{{$x := "xxxxxxxxxxxxxxxx"}}{{range 100}}{{$x = print $x $x}}{{end}}',
      /a string is longer than 67108864 bytes$/,
    ],
    [
      'a string that grows eightfold',
      '{{$x := "xxxxxxxxxxxxxxxx"}}{{range 100}}{{$x = printf "%s%s%s%s%s%s%s%s" $x $x $x $x $x $x $x $x}}{{end}}',
      /a string is (longer than 67108864 bytes|too long)$/,
    ],
    [
      'long strings made in turns',
      `${double}{{range 1000000}}{{$y := print $x "a"}}{{end}}`,
      /more than 10000000 steps$/,
    ],
    [
      'long strings measured in turns',
      `${double}{{range 1000000}}{{$y := len $x}}{{end}}`,
      /more than 10000000 steps$/,
    ],
  ])('%s', (_, text, want) => {
    const failure = failureOf(text)
    expect(failure.code).toBe('bound')
    expect(failure.message).toMatch(want)
  })

  test.each(['{{.}}', '{{printf "%v" .}}', '{{$x := print .}}'])('a value nested too deeply, in %s', text => {
    expect(failureOf(text, {}, nested)).toMatchObject({ code: 'bound' })
  })
})

test('bounds can be set', () => {
  expect(failureOf('{{range 100}}{{end}}', { stepsMax: 50 })).toMatchObject({ code: 'bound' })
  expect(run('{{range 10}}{{end}}', { stepsMax: 50 })).toBe('')
  expect(
    failureOf('{{define "a"}}{{if .}}{{template "a" (slice . 1)}}{{end}}{{end}}{{template "a" "12345"}}', {
      depthMax: 3,
    }),
  ).toMatchObject({ code: 'bound' })
  expect(
    run('{{define "a"}}{{if .}}{{template "a" (slice . 1)}}{{end}}{{end}}{{template "a" "12345"}}', { depthMax: 6 }),
  ).toBe('')
})

test.each(['a', 'é', '€', '𝄞'])('the output is measured in bytes, exactly, with %s', character => {
  const bytes = Buffer.byteLength(character)
  const text = '{{range 10}}{{$}}{{end}}'
  expect(run(text, { outputBytesMax: 10 * bytes }, character)).toBe(character.repeat(10))
  expect(failureOf(text, { outputBytesMax: 10 * bytes - 1 }, character)).toMatchObject({ code: 'bound' })
})

test.each([
  ['{{printf "%1000000000d" 1}}', '%!(NOVERB)%!(EXTRA int=1)'],
  ['{{printf "%*d" 1000000000 1}}', '%!(BADWIDTH)1'],
  ['{{printf "%.*d" 1000000000 1}}', '%!(BADPREC)1'],
  ['{{len (printf "%1000000d" 1)}}', '1000000'],
  ['{{len (printf "%.1000000f" 1.5)}}', '1000002'],
])('a width is bounded as in Go: %s', (text, want) => {
  expect(run(text)).toBe(want)
})

test('a template can be executed again after it went over a bound', () => {
  const template = parseTemplate({ name: 't', text: '{{range .}}x{{end}}', functions: new Map() })
  expect(() => template.execute(1_000, undefined, { stepsMax: 100 })).toThrow(TemplateError)
  expect(template.execute(10, undefined, { stepsMax: 100 })).toBe('x'.repeat(10))
})

test('a function that runs out of stack or of string is over a bound', () => {
  const overflow: TemplateFunction<undefined> = {
    name: 'overflow',
    signature: 'overflow',
    parameters: [],
    call: function again(): string {
      return again() + again()
    },
  }
  const long: TemplateFunction<undefined> = {
    name: 'long',
    signature: 'long',
    parameters: [],
    call: () => 'x'.repeat(2 ** 30),
  }
  for (const each of [overflow, long]) {
    const template = parseTemplate({ name: 't', text: `{{${each.name}}}`, functions: new Map([[each.name, each]]) })
    expect(() => template.execute(null, undefined)).toThrow(expect.objectContaining({ code: 'bound' }) as Error)
  }
})

test('a thousand rows are no matter', () => {
  const rows = toValue(Array.from({ length: 1_000 }, (_, i) => ({ name: `server${i}`, port: 8_000 + i })))
  expect(run('{{range .}}{{.name}}:{{.port}}\n{{end}}', {}, rows).split('\n')).toHaveLength(1_001)
})
