import { describe, expect, test } from 'vitest'
import { Struct, type Value } from '../../lib/base/value.ts'
import { absent } from '../../lib/reading.ts'
import { problemOf, start, template, texts, wanted, type StartOptions } from './start.ts'

const LIST = '{{ data "one://list" }}'

interface Each extends StartOptions {
  readonly path?: string
  readonly text?: string
  readonly forEach?: string
}

/** One entry with `forEach` over the reading of `list`. */
function each({ path = '{{ .Key }}.conf', text = '{{ .Key }}={{ .Value }}', forEach = LIST, ...more }: Each = {}) {
  return start([{ path, source: template(text, { forEach }) }], more)
}

function pairOf(key: string, value: Value): Struct {
  const fields = new Map<string, Value>([
    ['Path', `vhosts/${key}`],
    ['Key', key],
    ['Value', value],
  ])
  return new Struct('*dependency.KeyPair', fields)
}

describe('the items', () => {
  test('of a map have a Key and a Value', () => {
    const { set, render } = each()
    set(
      'list',
      new Map<string, Value>([
        ['b', 2],
        ['a', 1],
      ]),
    )
    expect(texts(render())).toEqual({ 'a.conf': 'a=1', 'b.conf': 'b=2' })
  })

  test('of a list of pairs are the pairs', () => {
    const { set, render } = each({ text: '{{ .Path }}: {{ .Key }}={{ .Value }}' })
    set('list', [pairOf('a', 1), pairOf('b', 2)])
    expect(texts(render())).toEqual({ 'a.conf': 'vhosts/a: a=1', 'b.conf': 'vhosts/b: b=2' })
  })

  test('of a list of maps are the maps', () => {
    const { set, render } = each({ path: '{{ .name }}.conf', text: '{{ .port }}' })
    set('list', [
      new Map<string, Value>([
        ['name', 'a'],
        ['port', 80],
      ]),
    ])
    expect(texts(render())).toEqual({ 'a.conf': '80' })
  })

  test('of a list of names are their own keys, so that one that goes renames no other', () => {
    const { set, render } = each({ text: '{{ .Value }}' })
    set('list', ['a', 'b', 3])
    expect(texts(render())).toEqual({ 'a.conf': 'a', 'b.conf': 'b', '3.conf': '3' })
    set('list', ['b', 3])
    expect(texts(render())).toEqual({ 'b.conf': 'b', '3.conf': '3' })
  })

  test('may be none', () => {
    const { set, render } = each()
    set('list', [])
    expect(texts(render())).toEqual({})
  })

  test.each<[string, Value, RegExp]>([
    ['a text', 'a,b', /^\{\{ \.Key \}\}\.conf: forEach: want a list or a map, got string\n.*data/],
    ['a number', 5, /got int/],
    ['nothing', null, /got nothing/],
    ['a list with a gap', ['a', null], /item 2 is nothing/],
    ['more than can be', Array.from({ length: 10_001 }, (_, i) => i), /10001 items, more than 10000/],
  ])('cannot be those of %s', (_, value, message) => {
    const { set, render } = each({ forEach: '{{ index (data "one://list") "it" }}' })
    set('list', new Map([['it', value]]))
    expect(problemOf(render())).toMatch(message)
  })
})

describe('forEach', () => {
  test('that is pending makes the bundle incomplete, not empty, and ends no watch of the items', () => {
    const { set, render } = each({ text: '{{ ref (printf "one://%s" .Key) }}' })
    expect(render()).toMatchObject({ kind: 'incomplete', missing: [{ path: 'list' }] })
    set('list', ['a'])
    expect(render()).toMatchObject({ kind: 'incomplete', missing: [{ path: 'a' }] })
    set('a', 'A')
    expect(texts(render())).toEqual({ 'a.conf': 'A' })

    set('list', absent)
    const gap = render()
    expect(gap).toMatchObject({ kind: 'incomplete', missing: [{ path: 'list' }] })
    expect(wanted(gap)).toEqual(['a', 'list'])
  })

  test('that is no list any more leaves the watches of the items as they were', () => {
    const { set, render } = each({ text: '{{ ref (printf "one://%s" .Key) }}' })
    set('list', ['a'])
    set('a', 'A')
    render()
    set('list', 'no list')
    const broken = render()
    expect(broken.kind).toBe('broken')
    expect(wanted(broken)).toEqual(['a', 'list'])
  })

  test('that gives no item any more ends its watches', () => {
    const { set, render } = each({ text: '{{ ref (printf "one://%s" .Key) }}' })
    set('list', ['a', 'b'])
    set('a', 'A')
    set('b', 'B')
    render()
    set('list', ['b'])
    expect(wanted(render())).toEqual(['b', 'list'])
  })

  test('renders an item again only when its own answers, or what the list says of it, changed', () => {
    const { set, render } = each({ text: '{{ .Value }} {{ ref (printf "one://%s" .Key) }}' })
    for (const name of ['a', 'b', 'c']) set(name, name)
    const list = new Map<string, Value>(['a', 'b', 'c'].map(name => [name, 1]))
    set('list', list)
    // The list and three items.
    expect(render()).toMatchObject({ kind: 'complete', renders: 4 })
    expect(render()).toMatchObject({ renders: 0 })
    set('b', 'new')
    expect(render()).toMatchObject({ renders: 1 })
    set('list', new Map([...list, ['c', 2]]))
    expect(render()).toMatchObject({ renders: 2 })
    set('list', new Map([['b', 1]]))
    const last = render()
    expect(last).toMatchObject({ renders: 1 })
    expect(texts(last)).toEqual({ 'b.conf': '1 new' })
  })

  test('asks what all items need in one go, though their paths are not known yet', () => {
    const { set, render } = each({
      path: '{{ ref "one://name" }}/{{ .Key }}',
      text: '{{ ref (printf "one://%s" .Key) }}',
    })
    set('list', ['a', 'b'])
    expect(wanted(render())).toEqual(['a', 'b', 'list', 'name'])
  })
})

describe('of what is sensitive', () => {
  const REFUSED =
    /the path shows a value of something sensitive, and anyone can see the names of files\nname the outputs by/

  test('the keys may be in a path', () => {
    const { set, render } = each({ sensitive: true, path: '{{ .Key }}/{{ len (toString .Key) }}.conf' })
    set('list', new Map<string, Value>([['orders', 'hunter2']]))
    expect(texts(render())).toEqual({ 'orders/6.conf': 'orders=hunter2' })
  })

  test('the keys may be in a path also where a value is the same text', () => {
    const { set, render } = each({ sensitive: true, forEach: '{{ ref "one://list#apps" }}', text: '{{ .Value.name }}' })
    set('list', new Map([['apps', new Map([['web', new Map([['name', 'web']])]])]]))
    expect(texts(render())).toEqual({ 'web.conf': 'web' })
  })

  test('the names in a list of pairs may be in a path', () => {
    const { set, render } = each({ sensitive: true, path: '{{ .Path }}' })
    set('list', [pairOf('a', 'hunter2')])
    expect(texts(render())).toEqual({ 'vhosts/a': 'a=hunter2' })
  })

  test.each<[string, Value, string]>([
    ['an item', ['hunter2'], '{{ .Key }}'],
    ['a value of a map', new Map([['a', 'hunter2']]), '{{ .Key }}-{{ .Value }}'],
    ['a changed value', new Map([['a', 'hunter2']]), '{{ sha256Hex .Value }}'],
    ['a number', new Map([['a', 4711]]), '{{ .Value }}'],
    ['a field', [new Map<string, Value>([['Key', 'hunter2']])], '{{ .Key }}'],
    ['a field in a field', new Map([['a', new Map([['b', ['hunter2']]])]]), '{{ index .Value.b 0 }}'],
    ['a value of a pair', [pairOf('a', 'hunter2')], '{{ .Value }}'],
    ['a part of a value, whatever it begins with', new Map([['a', 'one']]), '{{ slice .Value 0 1 }}'],
    ['what is the same for small numbers only', new Map([['a', 443]]), '{{ gt .Value 1000 }}'],
  ])('%s may not', (_, list, path) => {
    const { set, render } = each({ sensitive: true, path })
    set('list', list)
    expect(problemOf(render())).toMatch(REFUSED)
    expect(problemOf(render())).not.toMatch(/hunter2|4711/)
  })

  test('a key that the template makes of a value may not', () => {
    const { set, render } = each({ sensitive: true, forEach: '{{ dict (ref "one://list" | trimSpace) 1 }}' })
    set('list', 'hunter2\n')
    expect(problemOf(render())).toMatch(/forEach: a key of the map is a value of something sensitive/)
    expect(problemOf(render())).not.toContain('hunter2')
  })

  test('nothing may be asked for by a path', () => {
    const { set, render } = each({
      sensitive: true,
      path: '{{ .Key }}-{{ ref "one://name" }}',
      forEach: '{{ list "a" }}',
    })
    set('name', 'hunter2')
    expect(problemOf(render())).toMatch(/for item 1: the path asks for something sensitive/)
    expect(problemOf(render())).not.toContain('hunter2')
  })
})

describe('the path of an item', () => {
  test.each<[string, RegExp]>([
    [
      'a/../b',
      /^\{\{ \.Key \}\}\.conf for "a\/\.\.\/b": |for a\/\.\.\/b: want a plain relative path, got one with a "\.\."/,
    ],
    ['/etc/a', /want a path below the volume, got an absolute one/],
    ['a//b', /empty part/],
    ['..data', /begins with "\.\."/],
    ['a\0', /NUL/],
    ['n'.repeat(300), /at most 255 bytes/],
  ])('%j is refused, with the key of the item', (key, message) => {
    const { set, render } = each()
    set('list', new Map([[key, 1]]))
    expect(problemOf(render())).toMatch(message)
    expect(problemOf(render())).toContain(/^[\w./]+$/.test(key) ? key : JSON.stringify(key))
  })

  test('is absolute without a volume', () => {
    const { set, render } = each({ path: '/etc/{{ .Key }}', volume: '' })
    set('list', ['a'])
    expect(texts(render())).toEqual({ '/etc/a': 'a=a' })
    set('list', ['a/../../b'])
    expect(problemOf(render())).toMatch(
      /^\/etc\/\{\{ \.Key \}\} for item 1: want a plain absolute path, got one with a "\.\."/,
    )
  })

  test('with a value that is missing is refused', () => {
    const { set, render } = each({ path: '{{ .Value }}.conf', text: '' })
    set('list', new Map([['a', null]]))
    expect(problemOf(render())).toMatch(/for a: want a path, got one with a missing value/)
  })

  test('names a value of a list nowhere in an error: the place stands for it', () => {
    const { set, render } = each()
    set('list', ['ok', 'geheim/../x'])
    expect(problemOf(render())).toMatch(/for item 2: /)
    expect(problemOf(render())).not.toContain('geheim')
  })

  test('that two items have is an error that names both, until one changes', () => {
    const { set, render } = each({ path: 'v/{{ .Value }}', text: '' })
    set(
      'list',
      new Map([
        ['a', 'x'],
        ['b', 'y'],
      ]),
    )
    expect(Object.keys(texts(render()))).toEqual(['v/x', 'v/y'])
    set(
      'list',
      new Map([
        ['a', 'x'],
        ['b', 'x'],
      ]),
    )
    const message = /"v\/x": "v\/\{\{ \.Value \}\} for a" and "v\/\{\{ \.Value \}\} for b"/
    expect(problemOf(render())).toMatch(message)
    // Nothing changed, and it is still wrong.
    expect(problemOf(render())).toMatch(message)
  })

  test('that another entry has is an error that names both', () => {
    const files = [
      { path: 'a.conf', source: template('') },
      { path: '{{ .Key }}.conf', source: template('', { forEach: LIST }) },
    ]
    const { set, render } = start(files)
    set('list', ['b', 'a'])
    expect(problemOf(render())).toMatch(/"a\.conf": "a\.conf" and "\{\{ \.Key \}\}\.conf for item 2"/)
  })
})

describe('an error', () => {
  test('of the template names the item and the place in the template', () => {
    const { set, render } = each({ text: 'x\n{{ .Valeu }}' })
    set('list', new Map([['a', 1]]))
    expect(problemOf(render())).toMatch(
      /^\{\{ \.Key \}\}\.conf for a: template: text:2:3: executing "text" at <\.Valeu>/,
    )
  })

  test('of one item goes with the item', () => {
    const { set, render } = each({ text: '{{ index "x" .Value }}' })
    set(
      'list',
      new Map([
        ['a', 0],
        ['b', 7],
      ]),
    )
    expect(problemOf(render())).toMatch(/for b: /)
    set('list', new Map([['a', 0]]))
    expect(Object.keys(texts(render()))).toEqual(['a.conf'])
  })

  test('of each of the three templates is found when the renderer is made', () => {
    const make = () => each({ path: '{{ .Key', text: '{{ nope }}', forEach: '{{ if true }}{{ end }}' })
    const { errors } = caught(make) as AggregateError
    expect(errors.map(error => (error as Error).message)).toEqual([
      'template: {{ .Key (forEach):1: want one action, got an if',
      expect.stringMatching(/^template: \{\{ \.Key \(path\):1: unclosed action/),
      'template: text:1: function "nope" not defined',
    ])
  })
})

describe('the bounds', () => {
  test('hold for the list and for each item', () => {
    const list = each({ forEach: '{{ until 100000 | len }}', bounds: { stepsMax: 1_000 } })
    expect(problemOf(list.render())).toMatch(/forEach.*more than 1000 steps/)
    const item = each({ text: '{{ range until 1000 }}{{ . }}{{ end }}', bounds: { stepsMax: 500 } })
    item.set('list', ['a'])
    expect(problemOf(item.render())).toMatch(/for item 1: .*more than 500 steps/)
  })
})

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it was done')
}
