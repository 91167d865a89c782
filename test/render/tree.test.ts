import { describe, expect, test } from 'vitest'
import { Tree, type TreeFile } from '../../lib/base/value.ts'
import type { FileSource } from '../../lib/bundle.ts'
import { problemOf, start, template, texts, wanted } from './start.ts'

const SYNTAX = { delims: ['{{', '}}'], missingKey: 'error' } as const

/** One entry with a tree, the reading of `dir`. */
function tree(more: Omit<Extract<FileSource, { kind: 'tree' }>, 'kind' | 'reference'> = {}, mode?: number) {
  const source: FileSource = { kind: 'tree', reference: { provider: 'one', path: 'dir' }, ...more }
  return start([{ path: 'conf.d', source, mode }])
}

function file(content: string, mode?: number): TreeFile {
  return mode === undefined ? { content: Buffer.from(content) } : { content: Buffer.from(content), mode }
}

function treeOf(files: Readonly<Record<string, string | TreeFile>>): Tree {
  return new Tree(
    new Map(Object.entries(files).map(([path, one]) => [path, typeof one === 'string' ? file(one) : one])),
  )
}

describe('include and exclude', () => {
  const all = treeOf({ 'a.conf': '', 'sub/b.conf': '', 'sub/c.txt': '', '.hidden.conf': '', '.git/config': '' })

  test.each<[string, readonly string[] | undefined, readonly string[] | undefined, readonly string[]]>([
    ['neither: all, also what begins with a dot', undefined, undefined, [...all.files.keys()]],
    ['a pattern without **: the top only', ['*.conf'], undefined, ['a.conf', '.hidden.conf']],
    ['two patterns: what either matches', ['a*', 'sub/*.txt'], undefined, ['a.conf', 'sub/c.txt']],
    ['exclude alone', undefined, ['**/.*', '.git/**'], ['a.conf', 'sub/b.conf', 'sub/c.txt']],
    ['both: exclude wins', ['**/*.conf'], ['sub/**'], ['a.conf', '.hidden.conf']],
    ['none that is left', ['x'], undefined, []],
  ])('%s', (_, include, exclude, expected) => {
    const { set, render } = tree({ ...(include && { include }), ...(exclude && { exclude }) })
    set('dir', all)
    expect(Object.keys(texts(render())).toSorted()).toEqual(expected.map(path => `conf.d/${path}`).toSorted())
  })

  test('do not render again what only changed elsewhere', () => {
    const { set, render } = tree({ include: ['a'] })
    const a = file('a')
    set('dir', treeOf({ a, b: '1' }))
    const before = render()
    set('dir', treeOf({ a, b: '2' }))
    const after = render()
    expect(before).toMatchObject({ kind: 'complete' })
    expect(after).toMatchObject({ contents: { digest: before.kind === 'complete' ? before.contents.digest : '' } })
  })
})

describe('render', () => {
  test('renders what ends in .tmpl, without the ending, with the mode of the source; the rest is as it is', () => {
    const { set, render } = tree({ render: SYNTAX })
    set('dir', treeOf({ 'run.sh.tmpl': file('{{ ref "one://x" }}', 0o755), 'sub/raw': '{{ nope }}', '.tmpl': 'own' }))
    set('x', 'X')
    const rendered = render()
    expect(texts(rendered)).toEqual({ 'conf.d/run.sh': 'X', 'conf.d/sub/raw': '{{ nope }}', 'conf.d/.tmpl': 'own' })
    expect(rendered).toMatchObject({ contents: { files: [{}, { path: 'conf.d/run.sh', mode: 0o755 }, {}] } })
  })

  test('is off when it is not asked for', () => {
    const { set, render } = tree()
    set('dir', treeOf({ 'a.tmpl': '{{ nope }}' }))
    expect(texts(render())).toEqual({ 'conf.d/a.tmpl': '{{ nope }}' })
  })

  test('has the delimiters and the missingKey of the entry', () => {
    const { set, render } = tree({ render: { delims: ['<<', '>>'], missingKey: 'default' } })
    set('dir', treeOf({ 'a.tmpl': '{{ x }} << (parseJSON "{}").nothing >>' }))
    expect(texts(render())).toEqual({ 'conf.d/a': '{{ x }} <no value>' })
  })

  test('names provider, path and line of a template that does not parse', () => {
    const { set, render } = tree({ render: SYNTAX })
    set('dir', treeOf({ 'sub/a.tmpl': 'one\n{{ nope }}' }))
    expect(problemOf(render())).toBe('conf.d/sub/a.tmpl: template: one://dir/sub/a.tmpl:2: function "nope" not defined')
    set('dir', treeOf({ 'sub/a.tmpl': 'one' }))
    expect(texts(render())).toEqual({ 'conf.d/sub/a': 'one' })
  })

  test('refuses a template that is too large', () => {
    const { set, render } = tree({ render: SYNTAX })
    set('dir', treeOf({ 'a.tmpl': 'x'.repeat(8 * 1024 * 1024 + 1) }))
    expect(problemOf(render())).toBe('conf.d/a.tmpl: a template of 8388609 bytes, more than 8388608')
  })

  test('renders a file again only when it or its own answers changed', () => {
    const { set, render } = tree({ render: SYNTAX })
    const files = { 'a.tmpl': '{{ ref "one://x" }}', 'b.tmpl': '{{ ref "one://y" }}', c: '' }
    set('dir', treeOf(files))
    set('x', '1')
    set('y', '1')
    // The listing and two templates.
    expect(render()).toMatchObject({ kind: 'complete', renders: 3 })
    set('x', '2')
    expect(render()).toMatchObject({ renders: 1 })
    // Other objects with the same bytes, and another c.
    set('dir', treeOf({ ...files, c: 'new' }))
    expect(render()).toMatchObject({ renders: 1 })
    set('dir', treeOf({ ...files, 'a.tmpl': 'new' }))
    const last = render()
    expect(last).toMatchObject({ renders: 2 })
    expect(texts(last)).toEqual({ 'conf.d/a': 'new', 'conf.d/b': '1', 'conf.d/c': '' })
    expect(wanted(last)).toEqual(['dir', 'y'])
  })

  test('takes another mode alone for a change', () => {
    const { set, render } = tree({ render: SYNTAX })
    for (const mode of [0o644, 0o755]) {
      set('dir', treeOf({ 'a.tmpl': file('x', mode) }))
      expect(render()).toMatchObject({ contents: { files: [{ path: 'conf.d/a', mode }] } })
    }
  })

  test('refuses two files of one name, naming both, unless one is excluded', () => {
    const both = treeOf({ 'x/a': '1', 'x/a.tmpl': '2' })
    const { set, render } = tree({ render: SYNTAX })
    set('dir', both)
    expect(problemOf(render())).toMatch(
      /^conf\.d: two files of the tree want to be "x\/a": "x\/a" and "x\/a\.tmpl"\nexclude/,
    )
    const other = tree({ render: SYNTAX, exclude: ['x/a'] })
    other.set('dir', both)
    expect(texts(other.render())).toEqual({ 'conf.d/x/a': '2' })
  })

  test('names both where another entry has the name of a rendered file', () => {
    const source: FileSource = { kind: 'tree', reference: { provider: 'one', path: 'dir' }, render: SYNTAX }
    const { set, render } = start([
      { path: 'conf.d/a', source: template('') },
      { path: 'conf.d', source },
    ])
    set('dir', treeOf({ 'a.tmpl': '' }))
    expect(problemOf(render())).toMatch(/"conf\.d\/a": "conf\.d\/a" and "conf\.d\/a\.tmpl"/)
  })

  test('lets no file see what another defines', () => {
    const { set, render } = tree({ render: SYNTAX })
    set('dir', treeOf({ 'a.tmpl': '{{ define "x" }}X{{ end }}{{ template "x" }}', 'b.tmpl': '{{ template "x" }}' }))
    expect(problemOf(render())).toMatch(/^conf\.d\/b\.tmpl: .*template "x" not defined/)
  })
})

test('the configured mode goes before those of the source, also for rendered files', () => {
  const { set, render } = tree({ render: SYNTAX }, 0o640)
  set('dir', treeOf({ 'a.tmpl': file('', 0o755), b: file('', 0o755) }))
  expect(render()).toMatchObject({ contents: { files: [{ mode: 0o640 }, { mode: 0o640 }] } })
})
