import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../lib/base/text.ts'
import { Tree, type Value } from '../../lib/base/value.ts'
import type { FileOptions } from '../../lib/bundle.ts'
import { parseReference, type Reference } from '../../lib/dependency.ts'
import type { OutputFormat } from '../../lib/format.ts'
import type { Rendered } from '../../lib/render/renderer.ts'
import { start, texts, wanted } from './start.ts'

/** A renderer of these templates (by path), trees and values, and the readings that it sees. */
function startOf(files: Readonly<Record<string, FileLike>>) {
  return start(Object.entries(files).map(([path, file]) => fileOf(path, file)))
}

type FileLike = string | { readonly tree: string } | { readonly from: string; readonly format: OutputFormat }

function fileOf(path: string, file: FileLike): FileOptions {
  const attributes = { path, mode: undefined, owner: undefined, group: undefined }
  if (typeof file !== 'string' && 'from' in file) {
    const reference = parseReference(`one://${file.from}`) as Reference
    const chooses = file.format.name === 'dotenv'
    const keys = { only: undefined, except: chooses ? ['secret'] : [], prefix: '', upper: chooses }
    const source = { kind: 'from', reference, format: file.format, keys } as const
    return { ...attributes, mode: 0o640, group: 'www', source }
  }
  if (typeof file !== 'string')
    return { ...attributes, source: { kind: 'tree', reference: { provider: 'one', path: file.tree } } }
  const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
  return { ...attributes, source: { kind: 'template', name: path, text: file, syntax } }
}

describe('render()', () => {
  test('asks for as much as it can in one go, and is incomplete while anything is missing', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x" }}{{ ref "one://y" }}', b: '{{ ref "one://z" }}' })
    set('x', '1')
    const first = render()
    expect(first.kind).toBe('incomplete')
    expect(wanted(first)).toEqual(['x', 'y', 'z'])

    set('y', '2')
    set('z', '3')
    expect(texts(render())).toEqual({ a: '12', b: '3' })
  })

  test('renders again only what got another answer', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x" }}', b: '{{ ref "one://y" }}', c: '{{ ref "one://y" }}' })
    set('x', '1')
    set('y', '2')
    expect(render()).toMatchObject({ renders: 3 })
    set('x', '3')
    expect(render()).toMatchObject({ renders: 1 })
    set('y', '2')
    expect(render()).toMatchObject({ renders: 0 })
    expect(texts(render())).toEqual({ a: '3', b: '2', c: '2' })
  })

  test('notices a change in the middle of questions whose other readings changed too', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x" }}{{ ref "one://y" }}{{ ref "one://z" }}' })
    for (const path of ['x', 'y', 'z']) set(path, path)
    render()
    // The first reading is another one with the same answer, the second has another answer.
    set('x', 'x')
    set('y', 'new')
    set('z', 'z')
    expect(texts(render())).toEqual({ a: 'xnewz' })
    set('y', 'newer')
    expect(texts(render())).toEqual({ a: 'xnewerz' })
  })

  test('is whole again as soon as a reading can be answered from that could not', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x#field" }}', 'conf.d': { tree: 'dir' } })
    set('x', 'no map')
    set('dir', 'no tree')
    const broken = render()
    expect([broken.kind, wanted(broken)]).toEqual(['broken', ['dir', 'x']])
    expect(render()).toMatchObject({ kind: 'broken' })

    set('x', new Map([['field', '1']]))
    set('dir', new Tree(new Map([['b', { content: Buffer.from('2') }]])))
    expect(texts(render())).toEqual({ a: '1', 'conf.d/b': '2' })

    set('dir', 'no tree again')
    expect(render()).toMatchObject({ kind: 'broken' })
    set('dir', new Tree(new Map([['b', { content: Buffer.from('3') }]])))
    expect(texts(render())).toEqual({ a: '1', 'conf.d/b': '3' })
  })

  test('has another digest for other contents, and the same for the same', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x" }}', b: 'fixed' })
    set('x', '1')
    const before = render()
    set('x', '2')
    const between = render()
    set('x', '1')
    const after = render()

    expect(before).toMatchObject({ kind: 'complete' })
    expect(between).not.toMatchObject({ contents: { digest: digestOf(before) } })
    expect(after).toMatchObject({ contents: { digest: digestOf(before) } })
  })

  test('gives the files of a tree below its path, with their own modes', () => {
    const { set, render } = startOf({ 'conf.d': { tree: 'dir' } })
    set('dir', new Tree(new Map([['a/b.sh', { content: Buffer.from('sh'), mode: 0o700 }]])))
    expect(render()).toMatchObject({
      kind: 'complete',
      contents: { files: [{ path: 'conf.d/a/b.sh', mode: 0o700 }] },
    })
  })
})

describe('a value without a template', () => {
  const dotenv = { name: 'dotenv', dialect: 'docker' } as const

  test('is waited for, then written in its format, with the attributes of its file', () => {
    const { set, render } = startOf({ 'db.env': { from: 'db', format: dotenv } })
    expect(render()).toMatchObject({ kind: 'incomplete', missing: [{ path: 'db' }] })
    set(
      'db',
      new Map<string, Value>([
        ['user', 'app'],
        ['secret', 'x'],
        ['port', 9007199254740993n],
      ]),
    )
    const rendered = render()

    expect(texts(rendered)).toEqual({ 'db.env': 'PORT=9007199254740993\nUSER=app\n' })
    expect(rendered).toMatchObject({ contents: { files: [{ mode: 0o640, gid: 0 }] } })
  })

  test('is written again only when its own answer changed', () => {
    const { set, render } = startOf({
      a: { from: 'x#a', format: { name: 'json' } },
      b: { from: 'x#b', format: { name: 'raw' } },
    })
    const both = (a: string, b: string) =>
      set(
        'x',
        new Map<string, Value>([
          ['a', new Map([['k', a]])],
          ['b', b],
        ]),
      )
    both('1', '1')
    expect(render()).toMatchObject({ kind: 'complete', renders: 2 })
    both('1', '1')
    expect(render()).toMatchObject({ kind: 'complete', renders: 0 })
    both('1', '2')
    expect(render()).toMatchObject({ kind: 'complete', renders: 1 })
  })

  test('is parsed by the extension of its path when it is a text', () => {
    const { set, render } = startOf({ 'a.env': { from: 'dir/a.toml', format: dotenv } })
    set('dir/a.toml', 'port = 8080\nsecret = "x"\n')
    expect(texts(render())).toEqual({ 'a.env': 'PORT=8080\n' })
  })

  test('has the dates and times of TOML as they were in TOML, and as texts elsewhere', () => {
    const { set, render } = startOf({
      toml: { from: 'a.toml', format: { name: 'toml' } },
      json: { from: 'a.toml', format: { name: 'json' } },
    })
    const toml = 'at = 1979-05-27T07:32:00.999999Z\nfrom = 07:32:00\nlist = [1979-05-27]\ntext = "07:32:00"\n'
    set('a.toml', toml)
    expect(JSON.parse(texts(render())['json'] ?? '')).toEqual({
      at: '1979-05-27T07:32:00.999999Z',
      from: '07:32:00',
      list: ['1979-05-27'],
      text: '07:32:00',
    })
    expect(texts(render())['toml']).toBe(toml)
  })

  test('is a text or bytes as they are when raw', () => {
    const { set, render } = startOf({ a: { from: 'a.json', format: { name: 'raw' } } })
    set('a.json', fromBytes(Uint8Array.of(0xff, 0, 0x0a)))
    expect(render()).toMatchObject({ contents: { files: [{ content: Buffer.from([0xff, 0, 0x0a]) }] } })
  })

  test.each<[string, Value, RegExp, RegExp]>([
    ['a.json', '{"secret": 1, "token": "5entinel\\n"}', /^db\.env: the value of "TOKEN" has a line break/, /except/],
    ['a.json', '{"token": "5entinel', /^db\.env: not valid JSON/, /^$/],
    ['a', 'TOKEN=5entinel', /^db\.env: cannot tell how to parse "a".*format: raw/, /^$/],
    ['a.json', '["5entinel"]', /^db\.env: want a map of keys .*, got a list/, /#FIELD/],
  ])('of %s that is %j is a problem that names the file, and no value', (path, value, message, hint) => {
    const { set, render } = startOf({ 'db.env': { from: path, format: dotenv } })
    set(path, value)
    const rendered = render()
    if (rendered.kind !== 'broken') throw new Error(`it is ${rendered.kind}`)

    expect(rendered.problem.message).toMatch(message)
    expect(rendered.problem.message).not.toContain('5entinel')
    expect(rendered.problem.hint ?? '').toMatch(hint)
  })
})

describe('wanted', () => {
  test('is the very same list while the same is asked for, so that nobody need compare it', () => {
    const { set, render } = startOf({ a: '{{ ref "one://x" }}', b: '{{ ref "one://y" }}' })
    set('x', '1')
    set('y', '1')
    const before = render()
    set('x', '2')
    expect(render().wanted).toBe(before.wanted)
  })

  test('keeps what was asked for before while a template is broken', () => {
    const { set, render } = startOf({
      a: '{{ if eq (ref "one://x") "bad" }}{{ index 1 2 }}{{ end }}{{ ref "one://y" }}',
    })
    set('x', 'good')
    set('y', '1')
    render()
    set('x', 'bad')
    const broken = render()

    expect(broken.kind).toBe('broken')
    expect(wanted(broken)).toEqual(['x', 'y'])
  })

  test('does not grow while a template stays broken and asks for something else each time', () => {
    const { set, render } = startOf({
      a: '{{ ref (printf "one://%s" (ref "one://name")) }}{{ if ne (ref "one://name") "good" }}{{ index 1 2 }}{{ end }}',
    })
    for (const name of ['good', 'bad1', 'bad2', 'bad3', 'bad4']) {
      set('name', name)
      set(name, 'v')
      render()
    }
    expect(wanted(render())).toEqual(['bad4', 'good', 'name'])
  })
})

function digestOf(rendered: Rendered): string {
  return rendered.kind === 'complete' ? rendered.contents.digest : ''
}
