import { describe, expect, test } from 'vitest'
import { parseTemplate } from '../../../lib/template/template.ts'
import { functions, nowhere, run } from './run.ts'

describe('a scratch', () => {
  test('is new in each execution', () => {
    const text = '{{scratch.Key "a"}}{{scratch.Set "a" 1}}{{scratch.Key "a"}}'
    const template = parseTemplate({ name: 't', text, functions })

    expect(template.execute(null, nowhere)).toBe('falsetrue')
    expect(template.execute(null, nowhere)).toBe('falsetrue')
  })

  test('is one for a template and those it executes', () => {
    const inner = '{{define "x"}}{{scratch.Get "a"}}{{scratch.Set "b" 2}}{{end}}'

    expect(run(`${inner}{{scratch.Set "a" 1}}{{executeTemplate "x"}}{{template "x"}}{{scratch.Get "b"}}`)).toBe('112')
  })

  test('leaves the map that it was given to its owner', () => {
    const dot = new Map([['m', new Map([['x', 1]])]])

    expect(run('{{scratch.Set "k" .m}}{{scratch.MapSet "k" "y" 2}}{{scratch.Get "k"}}', dot)).toBe('map[x:1 y:2]')
    expect(dot).toEqual(new Map([['m', new Map([['x', 1]])]]))
  })

  test.each([
    ['what is awaited', '{{scratch.Set "a" awaited}}[{{scratch.Get "a"}}{{(scratch.Get "a").b.c}}]', '[]'],
    ['that it is there', '{{scratch.Set "a" awaited}}{{scratch.Key "a"}}', 'true'],
    ['a map that awaits a value', '{{scratch.MapSet "m" "k" awaited}}[{{(index (scratch.MapValues "m") 0).x}}]', '[]'],
    ['that a map cannot be known', '{{scratch.MapSet "m" awaited 1}}[{{(scratch.Get "m").a.b}}]', '[]'],
    [
      'that any key may be the awaited one',
      '{{scratch.Set awaited 1}}[{{(scratch.Get "a").b}}{{scratch.Key "a"}}]',
      '[]',
    ],
    ['what it has all the same', '{{scratch.Set "a" 1}}{{scratch.Set awaited 1}}{{scratch.Get "a"}}', '1'],
    [
      'not the first value when that is awaited',
      '{{scratch.SetX "a" awaited}}{{scratch.SetX "a" 1}}[{{scratch.Get "a"}}]',
      '[]',
    ],
  ])('remembers %s', (_, text, want) => {
    expect(run(text)).toBe(want)
  })
})
