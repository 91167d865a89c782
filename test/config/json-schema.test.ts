import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { schemaText } from '../../cmd/build/schema.ts'
import { isAlias, isMap, isScalar, isSeq, parseDocument } from '../../lib/base/yaml.ts'
import { configSchema, type JsonSchema } from '../../lib/config/json-schema.ts'
import { plugins } from './load.ts'

const examples = resolve(import.meta.dirname, '../../examples')

describe('configSchema()', () => {
  const schema = configSchema(plugins)
  const { bundles, providers, state } = schema.properties as Readonly<Record<string, JsonSchema>>

  test.each<[string, unknown]>([
    ['one bundle', { bundles: { a: { volume: '/v', files: [{ path: 'a', content: 'x' }] } } }],
    [
      'every kind of file',
      {
        bundles: {
          a: {
            files: [
              { path: '/a', template: 't', delims: ['<<', '>>'] },
              { path: '/b', tree: 'r://x', owner: 'www', group: 5 },
              { path: '/c/{{ .Key }}', template: 't', forEach: '{{ list }}' },
              { path: '/d', tree: 'r://x', include: ['*'], exclude: ['b'], render: true, missingKey: 'zero' },
            ],
          },
        },
      },
    ],
    [
      'every kind of hook',
      {
        bundles: {
          a: {
            files: [{ path: '/a', content: '' }],
            hooks: [
              { signal: 'HUP', process: 'x' },
              { http: 'http://x', expect: 200, headers: { A: '${B}' } },
              { command: ['x'], env: { A: 'b' } },
            ],
          },
        },
      },
    ],
    [
      'both kinds of probe',
      {
        bundles: {
          a: { files: [{ path: '/a', content: '' }], probe: { http: 'http://x', expect: [200] } },
          b: { files: [{ path: '/b', content: '' }], probe: { command: ['x'], for: '1s' } },
        },
      },
    ],
    [
      'providers',
      {
        providers: {
          a: { type: 'git', url: 'x', default: true },
          b: { type: 'vault', address: 'x', auth: { method: 'kubernetes', role: 'x' } },
        },
        bundles: {},
      },
    ],
    [
      'what is expanded',
      {
        providers: { a: { type: 'git', url: '${A}', poll: '${B}' } },
        bundles: {},
        state: '${C}',
        admin: { listen: '${D}' },
      },
    ],
    ['its own name', { $schema: './config.schema.json', bundles: {} }],
  ])('takes %s', (_what, input) => {
    expect(errorsOf(schema, input)).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['no bundles', {}, '/'],
    ['an unknown key', { bundles: {}, stat: 'x' }, '/stat'],
    ['a bundle without files', { bundles: { a: {} } }, '/bundles/a'],
    ['a misspelt option', { bundles: { a: { files: [], keeep: 1 } } }, '/bundles/a/keeep'],
    [
      'a mode that is a number',
      { bundles: { a: { files: [{ path: 'a', content: '', mode: 640 }] } } },
      '/bundles/a/files/0',
    ],
    ['a hook of no kind', { bundles: { a: { files: [], hooks: [{ process: 'x' }] } } }, '/bundles/a/hooks/0'],
    ['an unknown type', { providers: { a: { type: 'gti' } }, bundles: {} }, '/providers/a/type'],
    [
      'an unknown option of a provider',
      { providers: { a: { type: 'git', url: 'x', pol: '1s' } }, bundles: {} },
      '/providers/a/pol',
    ],
    ['a missing option of a provider', { providers: { a: { type: 'git' } }, bundles: {} }, '/providers/a'],
    ['an option of another type', { providers: { a: { type: 'env', url: 'x' } }, bundles: {} }, '/providers/a/url'],
    ['a name with a space', { bundles: { 'a b': { files: [] } } }, '/bundles/a b'],
  ])('refuses %s, and says where', (_what, input, place) => {
    expect(errorsOf(schema, input)).toContain(place)
  })

  test('describes every key, and marks what is sensitive', () => {
    const missing = undescribed(bundles, 'bundles')
    const git = JSON.stringify(providers)

    expect(missing).toEqual([])
    expect(git).toContain('"sensitive":true')
  })

  test('shows defaults', () => {
    const { additionalProperties } = bundles as JsonSchema

    expect((additionalProperties as JsonSchema).properties?.['keep']).toMatchObject({ default: 3, minimum: 1 })
    expect(state).toMatchObject({ default: '/var/lib/outrigger' })
  })

  test('that the examples name is the one of this program', () => {
    expect(readFileSync(join(examples, 'config.schema.json'), 'utf8'), 'run `node cmd/build/schema.ts`').toBe(
      schemaText(),
    )
  })

  test('takes every example', () => {
    const files = readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter(path =>
      /(^|\/)outrigger\.ya?ml$/.test(path),
    )

    const errors = files.map(file => {
      const { contents } = parseDocument(readFileSync(join(examples, file), 'utf8'))
      return [file, errorsOf(JSON.parse(schemaText()) as JsonSchema, plain(contents))]
    })

    expect(errors).toEqual(files.map(file => [file, []]))
  })
})

/** The keys below a schema that say nothing of themselves. */
function undescribed(schema: JsonSchema | boolean | undefined, path: string): readonly string[] {
  if (typeof schema !== 'object') return []
  const { properties = {}, items, additionalProperties, anyOf = [] } = schema
  return [
    ...Object.entries(properties).flatMap(([key, value]) => {
      const child = value as JsonSchema
      const isPlain = child.properties === undefined && child.anyOf === undefined
      const own = isPlain && child.description === undefined && key !== 'missingKey' ? [`${path}.${key}`] : []
      return [...own, ...undescribed(child, `${path}.${key}`)]
    }),
    ...anyOf.flatMap(each => undescribed(each as JsonSchema, path)),
    ...undescribed(items as JsonSchema, `${path}[]`),
    ...undescribed(additionalProperties, `${path}.*`),
  ]
}

/** Where a value breaks a schema: as much of JSON Schema as ours has. What it does not know is an error of this test. */
function errorsOf(schema: JsonSchema, value: unknown, path = ''): readonly string[] {
  const here = path === '' ? '/' : path
  const unknown = Object.keys(schema).filter(keyword => !(keyword in KEYWORDS) && !ANNOTATIONS.has(keyword))
  if (unknown.length > 0) throw new Error(`unknown keywords: ${unknown.join(', ')}`)
  return Object.entries(schema).flatMap(
    ([keyword, argument]) => KEYWORDS[keyword]?.(argument as never, value, here, schema) ?? [],
  )
}

const ANNOTATIONS = new Set(['$schema', 'title', 'description', 'examples', 'default', 'sensitive', 'then'])

type Keyword = (argument: never, value: unknown, path: string, schema: JsonSchema) => readonly string[]

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  type: (type: string, value, path) => (typesOf(value).includes(type) ? [] : [path]),
  enum: (options: readonly unknown[], value, path) => (options.includes(value) ? [] : [path]),
  const: (only: unknown, value, path) => (value === only ? [] : [path]),
  pattern: (pattern: string, value, path) =>
    typeof value !== 'string' || new RegExp(pattern).test(value) ? [] : [path],
  minLength: (least: number, value, path) => (typeof value !== 'string' || value.length >= least ? [] : [path]),
  maxLength: (most: number, value, path) => (typeof value !== 'string' || value.length <= most ? [] : [path]),
  minimum: (least: number, value, path) => (typeof value !== 'number' || value >= least ? [] : [path]),
  maximum: (most: number, value, path) => (typeof value !== 'number' || value <= most ? [] : [path]),
  minItems: (least: number, value, path) => (!Array.isArray(value) || value.length >= least ? [] : [path]),
  items: (items: JsonSchema, value, path) =>
    Array.isArray(value) ? value.flatMap((item, i) => errorsOf(items, item, join(path, String(i)))) : [],
  required: (keys: readonly string[], value, path) =>
    isObject(value) && keys.some(key => !Object.hasOwn(value, key)) ? [path] : [],
  properties: (properties: Record<string, JsonSchema>, value, path) =>
    Object.entries(isObject(value) ? value : {}).flatMap(([key, child]) => {
      return Object.hasOwn(properties, key) ? errorsOf(properties[key] as JsonSchema, child, join(path, key)) : []
    }),
  additionalProperties: (others: JsonSchema | false, value, path, { properties = {} }) =>
    Object.entries(isObject(value) ? value : {}).flatMap(([key, child]) => {
      if (Object.hasOwn(properties, key)) return []
      return others === false ? [join(path, key)] : errorsOf(others, child, join(path, key))
    }),
  propertyNames: (names: JsonSchema, value, path) =>
    Object.keys(isObject(value) ? value : {}).flatMap(key => errorsOf(names, key, join(path, key))),
  anyOf: (options: readonly JsonSchema[], value, path) =>
    options.some(option => errorsOf(option, value, path).length === 0) ? [] : [path],
  oneOf: (options: readonly JsonSchema[], value, path) =>
    options.filter(option => errorsOf(option, value, path).length === 0).length === 1 ? [] : [path],
  allOf: (all: readonly JsonSchema[], value, path) => all.flatMap(each => errorsOf(each, value, path)),
  if: (condition: JsonSchema, value, path, { then }) =>
    errorsOf(condition, value, path).length === 0 ? errorsOf(then as JsonSchema, value, path) : [],
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number']
  return [value === null ? 'null' : typeof value]
}

function plain(node: unknown): unknown {
  if (isMap(node)) return Object.fromEntries(node.items.map(({ key, value }) => [String(plain(key)), plain(value)]))
  if (isSeq(node)) return node.items.map(plain)
  if (isAlias(node)) throw new Error('the examples have no aliases')
  return isScalar(node) ? node.value : null
}
