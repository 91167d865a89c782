import { describe, expect, test } from 'vitest'
import { Struct, toValue, type Value } from '../../../../lib/base/value.ts'
import type { TemplateFunction } from '../../../../lib/template/function.ts'
import { run } from './run.ts'

/** A provider's answer, and a function that gives it. */
function answering(answer: Value): TemplateFunction<unknown> {
  return { name: 'answer', signature: 'answer', parameters: [], givesShared: true, call: () => answer }
}

const READING = { port: 80, nested: { a: { b: 1 } }, list: [{ c: 2 }] }

describe('a template that changes a map', () => {
  test.each([
    ['{{$x := answer}}{{$_ := set $x "port" 81}}{{$x.port}}', '81'],
    ['{{$x := answer}}{{$_ := unset $x "port"}}{{hasKey $x "port"}}', 'false'],
    ['{{$x := answer}}{{$_ := set $x.nested.a "b" 2}}{{$x.nested.a.b}}', '2'],
    ['{{$x := answer}}{{$_ := set (first $x.list) "c" 3}}{{$x.list}}', '[map[c:3]]'],
    ['{{$x := merge (dict "nested" (dict "a" (dict "d" 4))) answer}}{{$x.nested}}', 'map[a:map[b:1 d:4]]'],
    ['{{$x := mergeOverwrite (dict) answer (dict "nested" (dict "a" (dict "b" 9)))}}{{$x.nested}}', 'map[a:map[b:9]]'],
    ['{{define "x"}}{{$_ := set . "port" 82}}{{end}}{{$x := answer}}{{template "x" $x}}{{$x.port}}', '82'],
  ])('sees it changed, and nobody else does: %s', (text, output) => {
    const reading = toValue(READING)

    expect(run(text, { functions: [answering(reading)] })).toBe(output)
    expect(reading).toEqual(toValue(READING))
  })

  test('changes no map in a struct, either', () => {
    const secret = new Struct('*dependency.Secret', new Map([['Data', toValue(READING)]]))

    const output = run('{{$s := answer}}{{$_ := set $s.Data "port" 81}}{{$s.Data.port}}', {
      functions: [answering(secret)],
    })

    expect(output).toBe('81')
    expect(secret.fields.get('Data')).toEqual(toValue(READING))
  })

  test('finds its dot as it was when it is executed again', () => {
    const text = '{{hasKey . "a"}}{{$_ := set . "a" 1}}{{hasKey . "a"}}{{$n := set nil "b" 1}}{{$n}}'

    expect(run(text, { dot: {} })).toBe('falsetruemap[b:1]')
    expect(run(text, { dot: {} })).toBe('falsetruemap[b:1]')
  })
})

test('an answer is not copied for a template that changes none', () => {
  const reading = toValue(READING)
  let given: Value = null
  const taking: TemplateFunction<unknown> = {
    name: 'take',
    signature: 'take VALUE',
    parameters: ['any'],
    call(_, [value = null]) {
      given = value
      return ''
    },
  }

  run('{{take answer}}', { functions: [answering(reading), taking] })

  expect(given).toBe(reading)
})
