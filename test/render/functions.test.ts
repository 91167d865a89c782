import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../lib/base/text.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { Tree, type Value } from '../../lib/base/value.ts'
import type { FileOptions } from '../../lib/bundle.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { refer, renderFunctions, type Asker } from '../../lib/render/functions.ts'
import { parseByExtension } from '../../lib/render/parse.ts'
import { Questioning } from '../../lib/render/question.ts'
import { Renderer, type Rendered } from '../../lib/render/renderer.ts'
import { parseTemplate } from '../../lib/template/template.ts'
import { plugins } from '../../providers/index.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'

const scripted = scriptedPlugin(new ScriptedProvider())
const file = plugins.get('file') as NonNullable<ReturnType<typeof plugins.get>>
const askers = new Map<string, Asker>([
  ['one', { name: 'one', plugin: scripted, isDefault: false }],
  ['local', { name: 'local', plugin: file, isDefault: false }],
])

interface Setup {
  /** Readings by `PROVIDER://PATH`; what is not there has no reading yet. */
  readonly readings?: Readonly<Record<string, Value | Tree | typeof absent>>
  readonly environment?: Readonly<Record<string, string>>
}

function makeRenderer(
  files: readonly Pick<FileOptions, 'path' | 'source'>[],
  environment: Readonly<Record<string, string>> = {},
): Renderer {
  return new Renderer({
    bundle: {
      name: 'web',
      volume: '/volume',
      files: files.map(one => ({ ...one, mode: undefined, owner: undefined, group: undefined })),
      checks: [],
      hooks: [],
      probe: undefined,
      settle: { quietMs: 0, longestMs: 0 },
      keep: 1,
      keepAgeMs: 0,
    },
    functions: renderFunctions(askers),
    askers,
    environment,
    now: () => 0,
    networkAddresses: () => [],
    digestKey: Buffer.from('key'),
    owners: { uid: () => 0, gid: () => 0 },
  })
}

function viewOf(readings: NonNullable<Setup['readings']>) {
  return {
    get({ provider, path }: Dependency): Reading | undefined {
      const value = readings[`${provider}://${path}`]
      return value === undefined ? undefined : { value, revision: '1', observedAtMs: 0, sensitive: false }
    },
  }
}

function render(content: string, { readings = {}, environment }: Setup = {}): Rendered {
  const syntax = { delims: ['{{', '}}'], missingKey: 'error' } as const
  const source = { kind: 'template', name: 'out', text: content, syntax } as const
  return makeRenderer([{ path: 'out', source }], environment).render(viewOf(readings))
}

function output(content: string, setup?: Setup): string {
  const rendered = render(content, setup)
  if (rendered.kind !== 'complete') throw new Error(JSON.stringify(rendered))
  return fromBytes(rendered.contents.files[0]?.content ?? Buffer.alloc(0))
}

function problem(content: string, setup?: Setup): string {
  const rendered = render(content, setup)
  return rendered.kind === 'broken' ? rendered.problem.message : rendered.kind
}

describe('ref', () => {
  test('gives a file its text, byte for byte', () => {
    expect(output('{{ ref "local://a" }}', { readings: { 'local://a': 'text\n' } })).toBe('text\n')
  })

  test.each([
    ['local://a.json#port', '{"port": 9007199254740993}', '9007199254740993'],
    ['local://a.yaml#db.user', 'db: {user: me}', 'me'],
    ['local://dir/a.toml#x', 'x = true', 'true'],
    ['local://a.toml#at', 'at = 07:32:00', '07:32:00'],
  ])('takes a field of %s', (reference, text, expected) => {
    const path = reference.slice(0, reference.indexOf('#'))
    expect(output(`{{ ref "${reference}" }}`, { readings: { [path]: text } })).toBe(expected)
  })

  test('leaves the field to a provider that has fields of its own', () => {
    expect(output('{{ ref "one://a#user" }}', { readings: { 'one://a': new Map([['user', 'me']]) } })).toBe('me')
  })

  test('names a field that is not there, and the nearest one', () => {
    const setup = { readings: { 'local://a.json': '{"password": "sentinel"}' } }
    const rendered = render('{{ ref "local://a.json#pasword" }}', setup)
    expect(rendered).toMatchObject({
      problem: {
        message: expect.stringMatching(/out:1:3: .*#pasword: there is no "pasword"$/) as string,
        hint: 'did you mean "password"?',
      },
    })
    expect(JSON.stringify(rendered)).not.toContain('sentinel')
  })

  test('says how to ask for a field that may be absent', () => {
    expect(render('{{ ref "local://a.json#b" }}', { readings: { 'local://a.json': '{"other": 1}' } })).toMatchObject({
      problem: { hint: 'where the field may be absent, take all with data, and ask for it with get or dig' },
    })
  })

  test.each([
    ['{{ ref "plain" }}', /want a reference such as/],
    ['{{ ref "nobody://x" }}', /no provider is named "nobody"; the configuration has one, local/],
    ['{{ ref "local://../x" }}', /without \.\./],
    ['{{ ref "local://a#f" }}', /cannot tell how to parse/],
  ])('%s is an error at its place', (content, expected) => {
    const message = problem(content, { readings: { 'local://a': 'x' } })
    expect(message).toMatch(expected)
    expect(message).toMatch(/^template: out:1:\d+: /)
  })
})

test('a table of TOML that is a field keeps its times when it becomes TOML', () => {
  const reference = { provider: 'local', path: 'a.toml', field: 'in' }
  const keys = { only: undefined, except: [], prefix: '', upper: false }
  const renderer = makeRenderer([{ path: 'out', source: { kind: 'from', reference, format: { name: 'toml' }, keys } }])

  expect(renderer.render(viewOf({ 'local://a.toml': '[in]\nat = 07:32:00\n' }))).toMatchObject({
    contents: { files: [{ content: Buffer.from('at = 07:32:00\n') }] },
  })
})

describe('data', () => {
  test('parses by the extension, and keeps what is a structure already', () => {
    const readings = { 'local://a.yaml': 'list: [1, 2]', 'one://m': new Map([['k', 'v']]) }
    expect(output('{{ (data "local://a.yaml").list }} {{ (data "one://m").k }}', { readings })).toBe('[1 2] v')
  })
})

describe('what is not there yet', () => {
  test('is waited for, and everything else is asked for in the same render', () => {
    const rendered = render(
      '{{ range (data "local://list.yaml") }}{{ ref . }}{{ end }}{{ ref "one://b" }}{{ ref "one://c" | toUpper }}',
    )
    expect(rendered).toMatchObject({ kind: 'incomplete' })
    expect(rendered.kind === 'incomplete' && rendered.missing.map(({ path }) => path)).toEqual(['list.yaml', 'b', 'c'])
  })

  test('counts as waited for when the backend says there is nothing', () => {
    expect(render('{{ ref "one://a" }}', { readings: { 'one://a': absent } })).toMatchObject({ kind: 'incomplete' })
  })

  test('makes no error of what fails because of it', () => {
    expect(render('{{ ref "one://a" }}{{ index "abc" 9 }}')).toMatchObject({ kind: 'incomplete' })
    expect(render('{{ index (data "one://a") 3 }}{{ (ref "one://b").x.y | len }}')).toMatchObject({
      kind: 'incomplete',
    })
  })
})

test('env, mustEnv and envOrDefault read our environment', () => {
  const environment = { HOME: '/root' }
  expect(
    output('{{ env "HOME" }} {{ env "NOPE" }} {{ envOrDefault "NOPE" "d" }} {{ mustEnv "HOME" }}', { environment }),
  ).toBe('/root  d /root')
  expect(problem('{{ mustEnv "NOPE" }}', { environment })).toContain('NOPE')
})

test('a tree at . is the volume itself', () => {
  const tree = new Tree(new Map([['a/b', { content: Buffer.from('x'), mode: 0o755 }]]))
  const renderer = makeRenderer([{ path: '.', source: { kind: 'tree', reference: { provider: 'one', path: 'dir' } } }])
  const rendered = renderer.render(viewOf({ 'one://dir': tree }))

  expect(rendered).toMatchObject({ kind: 'complete', contents: { files: [{ path: 'a/b', mode: 0o755 }] } })
})

test('a function of a provider asks the only provider of its type', () => {
  expect(output('{{ scripted "a" }}', { readings: { 'one://a': 'x' } })).toBe('x')
})

describe('a function of a provider type', () => {
  const problemWith = (text: string, ...configured: readonly Partial<Asker>[]) => {
    const vault = plugins.get('vault') as NonNullable<ReturnType<typeof plugins.get>>
    const own = configured.map((each, i) => ({ name: `v${i}`, plugin: vault, isDefault: false, ...each }))
    const table = renderFunctions(new Map(own.map(each => [each.name, each])), plugins.values())
    try {
      parseTemplate({ name: 't', text, functions: table })
    } catch (error) {
      return error
    }
    return undefined
  }

  const asking = [...plugins.values()].flatMap(({ type, functions }) =>
    Object.keys(functions).map(name => [name, type]),
  )

  test.each(asking)('%s says that no provider of type %s is configured, and what to do', (name, type) => {
    expect(problemWith(`{{ with ${name} "x" }}{{ end }}`)).toMatchObject({
      message: `template: t:1: function "${name}" not available: it asks a provider of type ${type}, and none is configured`,
      hint: `add one under providers:, with type: ${type}`,
    })
  })

  test('says that none of several providers is the default one, and what to do', () => {
    expect(problemWith('{{ with secret "x" }}{{ end }}', {}, {})).toMatchObject({
      message:
        'template: t:1: function "secret" not available: it asks the default provider of type vault, and none of v0, v1 is that',
      hint: 'say default: true at one of them; ref asks each by its name',
    })
  })

  test.each([[[{}]], [[{}, { isDefault: true }]]])('is there with a single or a default one: %j', configured => {
    expect(problemWith('{{ with secret "x" }}{{ end }}', ...configured)).toBeUndefined()
  })

  test('is what no other name was meant to be while there is none to ask', () => {
    expect(problemWith('{{ secrt "x" }}')).not.toHaveProperty('hint', expect.anything())
    expect(problemWith('{{ secrt "x" }}', {})).toHaveProperty('hint', 'did you mean "secret"?')
  })

  test('does not take the place of one that is there', () => {
    const types = [{ type: 'other', functions: { toUpper: scripted.reference, scripted: scripted.reference } }]
    const table = renderFunctions(askers, types)
    expect(table.get('toUpper')?.unavailable).toBeUndefined()
    expect(table.get('scripted')?.unavailable).toBeUndefined()
  })
})

test('a text is parsed once for each reading, however many ask for a field of it', () => {
  let readings = { value: fromBytes(Buffer.from('a: 1\nb: 2\n')), revision: '1', observedAtMs: 0, sensitive: false }
  const view = { get: () => readings }
  let parsed = 0
  const parse = (path: string, text: string) => {
    parsed++
    return parseByExtension(path, text)
  }
  const ask = (field: string) =>
    refer(askers, new Questioning(view), { provider: 'local', path: 'values.yaml', field }, parse)
  expect([ask('a'), ask('b'), ask('a')]).toEqual([1, 2, 1])
  expect(parsed).toBe(1)
  readings = { ...readings, value: fromBytes(Buffer.from('a: 3\n')), revision: '2' }
  expect(ask('a')).toBe(3)
  expect(() => ask('b')).toThrow('there is no "b"')
  expect(parsed).toBe(2)
})
