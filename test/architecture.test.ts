import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { HOMES, problemsOf } from './architecture/rules.ts'

const root = resolve(import.meta.dirname, '..')
const NOT_OURS: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage'])

describe('this repository', () => {
  test('keeps the rules of its architecture', () => {
    expect(problemsOf(readTree())).toEqual([])
  })

  test('gives each package that it ships a home, and no home to others', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

    expect(Object.keys(HOMES)).toEqual(expect.arrayContaining(Object.keys(dependencies)))
    expect({ ...dependencies, ...devDependencies }).toEqual(
      expect.objectContaining(Object.fromEntries(Object.keys(HOMES).map(name => [name, expect.any(String)]))),
    )
  })
})

describe('the layers', () => {
  test.each([
    ['lib/base/a.ts', 'lib/base/b.ts'],
    ['lib/a.ts', 'lib/base/b.ts'],
    ['lib/a.ts', 'lib/b.ts'],
    ['lib/template/a.ts', 'lib/base/b.ts'],
    ['lib/template/functions/a.ts', 'lib/template/b.ts'],
    ['lib/store/a.ts', 'lib/b.ts'],
    ['lib/render/a.ts', 'lib/template/b.ts'],
    ['lib/sync/a.ts', 'lib/b.ts'],
    ['providers/git/a.ts', 'providers/git/b.ts'],
    ['providers/git/a.ts', 'providers/poll.ts'],
    ['providers/git/a.ts', 'lib/b.ts'],
    ['providers/index.ts', 'providers/git/b.ts'],
    ['cmd/a.ts', 'lib/store/b.ts'],
    ['cmd/a.ts', 'cmd/verbs/b.ts'],
    ['cmd/verbs/a.ts', 'cmd/b.ts'],
    ['cmd/build/a.ts', 'lib/config/b.ts'],
  ])('let %s import %s', (from, to) => {
    expect(problemsOf(importing(from, to))).toEqual([])
  })

  test.each([
    ['lib/base/a.ts', 'lib/b.ts'],
    ['lib/base/a.ts', 'lib/template/b.ts'],
    ['lib/a.ts', 'lib/template/b.ts'],
    ['lib/a.ts', 'lib/store/b.ts'],
    ['lib/template/a.ts', 'lib/b.ts'],
    ['lib/store/a.ts', 'lib/render/b.ts'],
    ['lib/store/a.ts', 'lib/template/b.ts'],
    ['lib/render/a.ts', 'lib/sync/b.ts'],
    ['lib/state/a.ts', 'providers/poll.ts'],
    ['lib/sync/a.ts', 'lib/store/b.ts'],
    ['lib/sync/a.ts', 'lib/admin/b.ts'],
    ['lib/admin/a.ts', 'cmd/b.ts'],
    ['providers/git/a.ts', 'providers/file/b.ts'],
    ['providers/git/a.ts', 'providers/index.ts'],
    ['providers/git/a.ts', 'lib/store/b.ts'],
    ['providers/git/a.ts', 'lib/template/b.ts'],
    ['providers/poll.ts', 'providers/git/b.ts'],
    ['cmd/a.ts', 'cmd/build/b.ts'],
    ['cmd/a.ts', 'test/support/b.ts'],
    ['lib/other/a.ts', 'lib/b.ts'],
  ])('keep %s from importing %s', (from, to) => {
    expect(problemsOf(importing(from, to))).toHaveLength(1)
    expect(problemsOf(importing(from, to, 'export * from'))).toHaveLength(1)
    expect(problemsOf(importing(from, to, 'import'))).toHaveLength(1)
    expect(problemsOf(importing(from, to, 'await import'))).toHaveLength(1)
  })

  test('let the loop and the listener know the types of the second layer, and no more', () => {
    for (const from of ['lib/sync/a.ts', 'lib/admin/a.ts']) {
      expect(problemsOf(importing(from, 'lib/store/b.ts', 'import type { B } from'))).toEqual([])
      expect(problemsOf(importing(from, 'lib/store/b.ts', 'import { type B } from'))).toHaveLength(1)
    }
    expect(problemsOf(importing('lib/gate/a.ts', 'lib/store/b.ts', 'import type { B } from'))).toHaveLength(1)
  })

  test('have no import that leads nowhere', () => {
    expect(problemsOf(tree({ 'lib/a.ts': "import './base/gone.ts'" }))).toEqual([
      'lib/a.ts: imports lib/base/gone.ts, which is not there',
    ])
  })
})

describe('a package', () => {
  test('is imported in its home only', () => {
    expect(problemsOf(tree({ 'lib/base/yaml.ts': "import { parse } from 'yaml'" }))).toEqual([])
    expect(problemsOf(tree({ 'providers/git/a.ts': "import type { SimpleGit } from 'simple-git'" }))).toEqual([])
    expect(problemsOf(tree({ 'lib/config/yaml.ts': "import { parse } from 'yaml'" }))).toHaveLength(1)
    expect(problemsOf(tree({ 'lib/base/yaml.ts': "await import('yaml/util')\nawait import('pino')" }))).toHaveLength(1)
  })

  test('has a home before it is imported, and a name that can be read', () => {
    expect(problemsOf(tree({ 'lib/a.ts': "import 'left-pad'" }))).toEqual([
      'lib/a.ts: imports left-pad, which has no home',
    ])
    expect(problemsOf(tree({ 'lib/a.ts': "import '@scope/thing/part'" }))).toEqual([
      'lib/a.ts: imports @scope/thing, which has no home',
    ])
    expect(problemsOf(tree({ 'lib/a.ts': 'await import(process.argv[2])' }))).toHaveLength(1)
  })
})

describe('the process', () => {
  test.each(['process.exit(1)', 'process.exitCode = 1', 'process.abort()'])('is ended in main only: %s', text => {
    expect(problemsOf(tree({ 'cmd/main.ts': text, 'cmd/build/a.ts': text }))).toEqual([])
    expect(problemsOf(tree({ 'cmd/app.ts': text }))).toHaveLength(1)
    expect(problemsOf(tree({ 'lib/sync/a.ts': text }))).toHaveLength(1)
  })

  test.each(['process.stdout.write("")', 'process.stderr.fd'])('speaks through the terminal only: %s', text => {
    expect(problemsOf(tree({ 'cmd/terminal.ts': text, 'cmd/build/a.ts': text }))).toEqual([])
    expect(problemsOf(tree({ 'cmd/verbs/a.ts': text }))).toHaveLength(1)
  })

  test('has no console', () => {
    expect(problemsOf(tree({ 'cmd/terminal.ts': 'console.log(1)' }))).toHaveLength(1)
  })
})

describe('what is heavy', () => {
  test('is not loaded: the facade of the HTTP modules', () => {
    expect(problemsOf(tree({ 'lib/base/a.ts': "import type { Agent } from 'node:http'" }))).toEqual([])
    expect(problemsOf(tree({ 'lib/base/a.ts': "let http: typeof import('node:http')" }))).toEqual([])
    expect(problemsOf(tree({ 'lib/base/a.ts': "process.getBuiltinModule('node:http')" }))).toEqual([])
    expect(problemsOf(tree({ 'lib/base/a.ts': "import { request } from 'node:https'" }))).toHaveLength(1)
    expect(problemsOf(tree({ 'lib/base/a.ts': "import { type Agent } from 'node:http'" }))).toHaveLength(1)
    expect(problemsOf(tree({ 'lib/base/a.ts': "await import('node:http')" }))).toHaveLength(1)
  })

  test.each([
    'fetch("http://127.0.0.1")',
    'globalThis.fetch',
    'new Headers()',
    'Response.json({})',
    'new WebSocket(url)',
  ])('is not touched: %s', text => {
    expect(problemsOf(tree({ 'lib/base/a.ts': text }))).toHaveLength(1)
  })
})

describe('a file', () => {
  test('has at most 400 lines', () => {
    expect(problemsOf(tree({ 'lib/a.ts': '\n'.repeat(400) }))).toEqual([])
    expect(problemsOf(tree({ 'lib/a.ts': '\n'.repeat(401) }))).toEqual(['lib/a.ts: 401 lines, more than 400'])
  })

  test.each(['lib/Store.ts', 'lib/fake_clock.ts', 'test/FakeClock.ts', 'examples/quickStart.ts'])(
    'has a name in kebab-case, so not %s',
    path => {
      expect(problemsOf(tree({ [path]: '' }))).toEqual([`${path}: not a name in kebab-case`])
    },
  )

  test.each([
    ['/', 'home/ada/project/main.ts'],
    ['/', 'Users/ada/project/main.ts'],
    ['/', 'workspace/project/main.ts'],
  ])('names no path of a machine: %s%s', (slash, rest) => {
    expect(problemsOf(tree({ 'docs/a.md': `one\nsee ${slash}${rest}` }))).toEqual([
      'docs/a.md:2: names a path of a machine',
    ])
  })

  // In two halves, because this file is looked at as well.
  test.each([
    ['"resolved"', ': "x"'],
    ['https://', 'registry.example.org/a'],
    ['//host/:_auth', 'Token=x'],
  ])('names no package registry: %s%s', (first, second) => {
    expect(problemsOf(tree({ 'package-lock.json': `{}\n${first}${second}` }))).toEqual([
      'package-lock.json:2: names a package registry',
    ])
  })
})

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

/** Every file of the repository. */
function readTree(directory = root, files = new Map<string, string>()): ReadonlyMap<string, string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory() && !NOT_OURS.has(entry.name)) readTree(path, files)
    if (entry.isFile()) files.set(relative(root, path), readFileSync(path, 'utf8'))
  }
  return files
}

function tree(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(files))
}

/** A tree of two files, one of which imports the other. */
function importing(from: string, to: string, how = 'import { b } from'): ReadonlyMap<string, string> {
  const target = relative(join(from, '..'), to)
  const specifier = `'${target.startsWith('.') ? target : `./${target}`}'`
  const statement = how === 'await import' ? `await import(${specifier})` : `${how} ${specifier}`
  return tree({ [from]: `${statement}\n`, [to]: 'export const b = 1\nexport type B = 1\n' })
}
