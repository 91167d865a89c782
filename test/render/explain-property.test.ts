import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBytes, toBytes } from '../../lib/base/text.ts'
import { toValue, Tree } from '../../lib/base/value.ts'
import type { FileSource } from '../../lib/bundle.ts'
import type { Explanation, Provenance } from '../../lib/render/explain.ts'
import { start, template, texts } from './start.ts'

// Inputs of a known shape, so that every template executes: `db` is a map of maps, `list` a list of maps, `words` a list of words,
// `tree` a tree of a plain file and a template.

interface Item {
  readonly x: string
  readonly y: string
  readonly list: readonly string[]
}

interface Inputs {
  readonly db: Readonly<Record<string, Item>>
  readonly list: readonly (Item & { readonly name: string })[]
  readonly words: readonly string[]
  readonly tree: { readonly plain: string; readonly 'made.tmpl': string }
}

const WORD = fc.constantFrom('', 'p', 'q', 'é\n', 'rr')
const ITEM = fc.record<Item>({ x: WORD, y: WORD, list: fc.array(WORD, { maxLength: 3 }) })
const NAMES = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 })
const DB = NAMES.chain(names => fc.record(Object.fromEntries(names.map(name => [name, ITEM]))))
const LIST = NAMES.chain(names => fc.tuple(...names.map(name => ITEM.map(item => ({ ...item, name })))))

/** What a template shows of an item, whichever way that is named. */
const shown = (item: string) =>
  fc.constantFrom(
    `{{ ${item}.x }}`,
    `{{ ${item}.y | toUpper }}`,
    `{{ if ${item}.x }}yes{{ else }}no{{ end }}`,
    `{{ range ${item}.list }}({{ . }}){{ end }}`,
    `{{ range $i, $each := ${item}.list }}{{ $i }}{{ $each }}{{ end }}`,
    `{{ with ${item} }}{{ .y }}{{ end }}`,
    `{{ index ${item} "x" }}`,
    `{{ toJSON ${item} }}`,
    `{{ $v := ${item} }}{{ $v.x }}`,
  )
const BESIDE = fc.constantFrom(
  ' text ',
  '\n',
  '{{ range $k, $v := data "one://db" }}{{ $k }}{{ $v.x }}{{ end }}',
  '{{ len (data "one://list") }}',
  '{{ index (data "one://words") 0 }}',
)

function textOf(...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.array(fc.oneof(BESIDE, ...parts), { minLength: 1, maxLength: 5 }).map(all => all.join(''))
}

const KEY = fc.constant('{{ .Key }}')
const PAIRS = textOf(shown('.Value'), KEY)
const OF_ITEM = textOf(shown('$'), fc.constant('{{ .name }}{{ .x }}'))
const OF_WORD = textOf(KEY, fc.constant('{{ .Value }}'))

const INPUTS = fc.record<Inputs>({
  db: DB,
  list: LIST,
  words: fc.uniqueArray(fc.constantFrom('p', 'q', 'rr'), { minLength: 1 }),
  tree: fc.record({ plain: WORD, 'made.tmpl': textOf(WORD) }),
})

const FILES = fc.record({
  db: PAIRS,
  part: OF_WORD,
  list: OF_ITEM,
  words: OF_WORD,
  made: PAIRS,
})

function filesOf(texts: typeof FILES extends fc.Arbitrary<infer T> ? T : never) {
  const many = (path: string, forEach: string, text: string) => ({ path, source: template(text, { forEach }) })
  const keys = { only: undefined, except: [], prefix: '', upper: false }
  const from = (path: string, field: string): FileSource => ({
    kind: 'from',
    reference: { provider: 'one', path, field },
    format: { name: 'json' },
    keys,
  })
  const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
  return [
    many('db/{{ .Key }}', '{{ data "one://db" }}', texts.db),
    many('part/{{ .Key | len }}{{ .Key }}', '{{ (index (data "one://list") 0).list | uniq }}', texts.part),
    many('list/{{ .name }}', '{{ data "one://list" }}', texts.list),
    many('words/{{ .Key }}', '{{ data "one://words" }}', texts.words),
    many('made/{{ .Key }}', '{{ merge (dict) (data "one://db") }}', texts.made),
    { path: 'tree', source: { kind: 'tree', reference: { provider: 'one', path: 'tree' }, render: syntax } } as const,
    { path: 'from', source: from('outer', 'db') },
  ]
}

/** Inputs, and the same with one thing or one field of it changed. */
const CHANGED = INPUTS.chain(before =>
  fc.tuple(fc.constantFrom(...pathsIn(before)), INPUTS).map(([path, other]) => ({
    before,
    after: replaced(before, path, other) as Inputs,
    path,
  })),
)

/** Every thing that may change. */
function pathsIn({ db, list, words }: Inputs): readonly (readonly string[])[] {
  const fields = [[], ['x'], ['y'], ['list']]
  const inDb = Object.keys(db).flatMap(key => fields.map(field => ['db', key, ...field]))
  const inList = list.flatMap((_, i) => [...fields, ['name']].map(field => ['list', String(i), ...field]))
  const whole = [['db'], ['list'], ['words'], ['words', String(words.length - 1)]]
  return [...whole, ...inDb, ...inList, ['tree', 'plain'], ['tree', 'made.tmpl']]
}

/** A value with what is at a path taken from another, where that has it. */
function replaced(value: unknown, [key, ...rest]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other === undefined ? value : other
  const old = value as Readonly<Record<string, unknown>>
  const part = replaced(old[key], rest, (other as typeof old | undefined)?.[key])
  return Array.isArray(value) ? value.with(Number(key), part) : { ...old, [key]: part }
}

function explainAll(files: ReturnType<typeof filesOf>, { tree, ...values }: Inputs) {
  const { set, render, explainer } = start(files)
  for (const [path, value] of Object.entries({ ...values, outer: { db: values.db } })) set(path, toValue(value))
  set('tree', new Tree(new Map(Object.entries(tree).map(([path, text]) => [path, { content: toBytes(text) }]))))
  const rendered = render()
  // What two items made to one path, and the like, is of no interest here.
  if (rendered.kind === 'broken') return undefined
  const [outputs, all] = [texts(rendered), explainer()]
  return new Map(Object.entries(outputs).map(([path, text]) => [path, { text, its: all.explain(path) as Explanation }]))
}

/** What is written in segments that do not name what changed. */
function independent({ content, segments }: Explanation, changed: readonly string[]): readonly string[] {
  let end = 0
  return segments.flatMap(({ bytes, place, from, under }) => {
    end += bytes
    if ([...from, ...under].some(each => overlaps(each, changed))) return []
    return [`${place?.line}:${place?.column} ${fromBytes(content.subarray(end - bytes, end))}`]
  })
}

function overlaps({ path, field }: Provenance, changed: readonly string[]): boolean {
  const named = [...path.split('/'), ...field]
  const inside = named[0] === 'outer' ? named.slice(1) : named
  return inside.slice(0, changed.length).every((key, i) => key === changed[i])
}

const RUNS = 200

test('what is explained is what is published, and a change of an input changes only bytes that name it', () => {
  let changes = 0
  let untouched = 0
  fc.assert(
    fc.property(FILES, CHANGED, (sources, { before, after, path }) => {
      const files = filesOf(sources)
      const [one, other] = [explainAll(files, before), explainAll(files, after)]
      fc.pre(one !== undefined && other !== undefined)

      for (const { text, its } of [...one.values(), ...other.values()]) {
        expect(fromBytes(its.content)).toBe(text)
        expect(its.segments.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(its.content.length)
      }
      for (const output of new Set([...one.keys(), ...other.keys()])) {
        const [was, is] = [one.get(output), other.get(output)]
        const stays = was === undefined ? [] : independent(was.its, path)
        expect([output, is === undefined ? [] : independent(is.its, path)]).toEqual([output, stays])
        if (was?.text !== is?.text) changes++
        untouched += stays.length
      }
    }),
    { numRuns: RUNS },
  )
  // Else it has shown nothing.
  expect(changes).toBeGreaterThan(RUNS / 2)
  expect(untouched).toBeGreaterThan(RUNS * 5)
}, 60_000)
