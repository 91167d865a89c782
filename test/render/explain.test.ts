import { describe, expect, test } from 'vitest'
import { fromBytes, toBytes } from '../../lib/base/text.ts'
import { toValue, Tree, type Value } from '../../lib/base/value.ts'
import type { FileOptions, FileSource } from '../../lib/bundle.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Reading } from '../../lib/reading.ts'
import { Explainer, type Provenance } from '../../lib/render/explain.ts'
import { renderFunctions, type Asker } from '../../lib/render/functions.ts'
import type { View } from '../../lib/render/question.ts'
import { plugins } from '../../providers/index.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'

const file = plugins.get('file') as NonNullable<ReturnType<typeof plugins.get>>
const askers = new Map<string, Asker>([
  ['one', { name: 'one', plugin: scriptedPlugin(new ScriptedProvider()), isDefault: true }],
  ['local', { name: 'local', plugin: file, isDefault: true }],
])

const readings: Readonly<Record<string, Value | Tree>> = {
  'local://db.json': '{"user": "u", "host": {"name": "h"}}',
  'one://map': toValue({ a: '1', b: '2' }),
  'one://tree': new Tree(
    new Map([
      ['d/x', { content: toBytes('in x') }],
      ['d/y.tmpl', { content: toBytes('of y: {{ ref "one://map#a" }}') }],
    ]),
  ),
  'one://nested': toValue({ words: ['w'], maps: { m: { x: '1' } } }),
  'one://hosts': toValue([{ name: 'a' }, { name: 'b' }]),
}

const view = {
  get({ provider, path }: Dependency): Reading | undefined {
    const value = readings[`${provider}://${path}`]
    return value === undefined ? undefined : { value, revision: path, observedAtMs: 0, sensitive: false }
  },
}

function template(text: string): FileSource {
  return { kind: 'template', name: 'x.tmpl', text, syntax: { delims: ['{{', '}}'], missingKey: 'error' } }
}

function explain(path: string, files: Readonly<Record<string, FileSource>>) {
  return explainer(files).explain(path)
}

function explainer(files: Readonly<Record<string, FileSource>>, seen: View = view): Explainer {
  const configured = Object.entries(files).map(([name, source]): FileOptions => ({
    path: name,
    source,
    mode: undefined,
    owner: undefined,
    group: undefined,
  }))
  const bundle = {
    name: 'web',
    volume: '/volume',
    files: configured,
    checks: [],
    hooks: [],
    probe: undefined,
    settle: { quietMs: 0, longestMs: 0 },
    keep: 1,
    keepAgeMs: 0,
  }
  const functions = renderFunctions(askers)
  const world = { environment: {}, now: () => 0, networkAddresses: () => [] }
  const owners = { uid: () => 0, gid: () => 0 }
  return new Explainer({ bundle, functions, askers, digestKey: Buffer.from('key'), owners, ...world }, seen)
}

function shown({ dependency, path, field, reading }: Provenance): string {
  return `${dependency.provider}://${path}#${field.join('.')} ${reading.revision}`
}

/** What each segment shows, for a template that is a file on its own. */
function sources(text: string): readonly string[] {
  const segments = explain('x', { x: template(text) })?.segments ?? []
  return segments.map(({ from }) => from.map(shown).join(', '))
}

describe('Explainer names', () => {
  test.each<[string, string, readonly string[]]>([
    ['a text', '{{ref "local://db.json"}}', ['local://db.json# db.json']],
    ['a field of what is parsed', '{{ref "local://db.json#host.name"}}', ['local://db.json#host.name db.json']],
    ['the same field by another way', '{{(data "local://db.json").host.name}}', ['local://db.json#host.name db.json']],
    ['a field that the provider takes', '{{ref "one://map#a"}}', ['one://map#a map']],
    ['a field of what a function of a provider gives', '{{(scripted "map").b}}', ['one://map#b map']],
    ['two answers', '{{print (ref "one://map#a") (ref "one://map#b")}}', ['one://map#a map, one://map#b map']],
  ])('%s', (_, text, want) => {
    expect(sources(text)).toEqual(want)
  })

  test('a file of a tree, whole', () => {
    const tree = { kind: 'tree', reference: { provider: 'one', path: 'tree' } } as const
    const explanation = explain('conf/d/x', { x: template('x'), conf: tree })

    expect(fromBytes(explanation?.content ?? new Uint8Array())).toBe('in x')
    expect(explanation?.segments.map(({ bytes, from }) => [bytes, ...from.map(shown)])).toEqual([
      [4, 'one://tree/d/x# tree'],
    ])
  })

  test('a value without a template, by its field', () => {
    const keys = { only: undefined, except: [], prefix: '', upper: false }
    const reference = { provider: 'local', path: 'db.json', field: 'host.name' }
    const explanation = explain('x', { x: { kind: 'from', reference, format: { name: 'raw' }, keys } })

    expect(explanation?.segments.map(({ bytes, from }) => [bytes, ...from.map(shown)])).toEqual([
      [1, 'local://db.json#host.name db.json'],
    ])
  })

  test('a template of a tree, under the file that it is written in', () => {
    const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
    const tree = { kind: 'tree', reference: { provider: 'one', path: 'tree' }, render: syntax } as const
    const explanation = explain('conf/d/y', { conf: tree })

    expect(fromBytes(explanation?.content ?? new Uint8Array())).toBe('of y: 1')
    expect(explanation?.segments.map(({ from, under }) => [from.map(shown), under.map(shown)])).toEqual([
      [[], ['one://tree/d/y.tmpl# tree']],
      [['one://map#a map'], ['one://tree/d/y.tmpl# tree']],
    ])
  })

  test('one of many outputs, under its item and under what its path was made of', () => {
    const many = { ...template('{{ .name }}!'), forEach: '{{ scripted "hosts" }}' } as FileSource
    const explanation = explain('b-1', { '{{ .name }}-{{ ref "one://map#a" }}': many })

    expect(fromBytes(explanation?.content ?? new Uint8Array())).toBe('b!')
    const [name, mark] = explanation?.segments ?? []
    expect(name?.from.map(shown)).toEqual(['one://hosts#1.name hosts'])
    const under = ['one://hosts#1 hosts', 'one://hosts#1.name hosts', 'one://map#a map']
    expect(new Set(mark?.under.map(shown))).toEqual(new Set(under))
  })

  test.each<[string, string, string, readonly string[]]>([
    ['a map', '{{ scripted "map" }}', '{{ .Value }}', ['one://map#a map']],
    ['a map, of its key', '{{ scripted "map" }}', '{{ .Key }}', ['one://map#a map']],
    ['a field of a text', '{{ data "local://db.json#host" }}', '{{ .Value }}', ['local://db.json#host.name db.json']],
    ['a part of a text', '{{ (data "local://db.json").host }}', '{{ .Value }}', ['local://db.json#host.name db.json']],
    ['a list of words', '{{ (scripted "nested").words }}', '{{ .Value }}', ['one://nested#words.0 nested']],
    ['a map of maps', '{{ (scripted "nested").maps }}', '{{ .Value.x }}', ['one://nested#maps.m.x nested']],
    ['what was made of more', '{{ merge (dict) (scripted "map") }}', '{{ .Value }}', ['one://map# map']],
  ])('an item of %s', (_, forEach, text, want) => {
    const paths = ['a', 'name', 'w', 'm']
    const all = explainer({ '{{ .Key }}': { ...template(text), forEach } as FileSource })
    const first = paths.map(path => all.explain(path)).find(each => each !== undefined)

    expect(first?.segments.flatMap(({ from }) => from.map(shown))).toEqual(want)
  })

  test('the place in the template', () => {
    const [segment] = explain('x', { x: template('\n{{ref "one://map#a"}}') })?.segments.slice(1) ?? []

    expect(segment?.place).toEqual({ template: 'x.tmpl', line: 2, column: 2, isText: false })
  })

  test('nothing of a file that there is not', () => {
    expect(explain('y', { x: template('x') })).toBeUndefined()
  })
})

test.each([
  ['forward', [0, 1, 2, 3, 4]],
  ['backward', [4, 3, 2, 1, 0]],
])('an Explainer traces each file once, asked %s and again', (_, order) => {
  const asked: string[] = []
  const counted: View = {
    get(dependency) {
      asked.push(dependency.path)
      return view.get(dependency)
    },
  }
  const many = { ...template('{{ ref "one://map#a" }}{{ .Key }}'), forEach: '{{ list "0" "1" "2" "3" }}' } as FileSource
  const all = explainer({ '{{ .Key }}': many, '4': template('{{ ref "one://map#b" }}4') }, counted)
  const contents = () => order.map(path => fromBytes(all.explain(String(path))?.content ?? new Uint8Array()))

  expect(contents()).toEqual(order.map(path => (path === 4 ? '24' : `1${path}`)))
  const once = asked.length
  expect(contents()).toHaveLength(order.length)
  expect(all.explain('5')).toBeUndefined()
  expect(asked).toHaveLength(once)
  // Each file asks once; who answers looks, too.
  expect(once).toBe(2 * order.length)
})
