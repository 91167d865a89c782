import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

interface Place {
  readonly root: string
  readonly config: string
  /** The names of the files that an application sees in `vhosts`. */
  readonly names: () => readonly string[]
  readonly text: (name: string) => string
}

/** One file for each host of a list: below a volume, or at absolute paths. */
function place(mode: 'volume' | 'files'): Place {
  const root = scratch()
  mkdirSync(join(root, 'values'))
  const shown = join(root, mode === 'volume' ? 'volume' : 'etc', 'vhosts')
  const above = mode === 'volume' ? 'vhosts' : shown
  const files = [
    {
      path: `${above}/{{ .Key }}.conf`,
      content: 'listen {{ .Value.port }}\n',
      forEach: '{{ data "local://hosts.json" }}',
    },
  ]
  const hooks = [{ command: ['sh', '-c', `echo $OUTRIGGER_GENERATION $OUTRIGGER_CHANGED >> ${join(root, 'told')}`] }]
  const config = join(root, 'outrigger.yaml')
  const volume = mode === 'volume' ? { volume: './volume' } : {}
  writeFileSync(
    config,
    JSON.stringify({
      providers: { local: { type: 'file', path: './values' } },
      bundles: { web: { settle: { quiet: '20ms', longest: '200ms' }, ...volume, files, hooks } },
      state: './state',
    }),
  )
  return {
    root,
    config,
    names: () => (existsSync(shown) ? readdirSync(shown).toSorted() : []),
    text: name => readFileSync(join(shown, name), 'utf8'),
  }
}

function hosts({ root }: Place, value: unknown): void {
  writeFileSync(join(root, 'values', 'hosts.json'), JSON.stringify(value))
}

async function told({ root }: Place, generation: number): Promise<string> {
  const path = join(root, 'told')
  await eventually(() => expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toContain(`${generation} `))
  const line = readFileSync(path, 'utf8')
    .split('\n')
    .find(each => each.startsWith(`${generation} `))
  return (line ?? '').replaceAll(`${root}/etc/`, '')
}

test.each(['volume', 'files'] as const)('a file whose item leaves the list disappears (%s)', async mode => {
  const at = place(mode)
  hosts(at, { a: { port: 80 }, b: { port: 81 }, c: { port: 82 } })
  const { stderr } = startBuilt(['run', '-c', at.config])
  await told(at, 1)
  expect(at.names()).toEqual(['a.conf', 'b.conf', 'c.conf'])

  hosts(at, { a: { port: 80 }, c: { port: 8082 } })
  expect(await told(at, 2)).toMatch(/^2 .*b\.conf.*c\.conf/)
  expect(at.names()).toEqual(['a.conf', 'c.conf'])
  expect(at.text('c.conf')).toBe('listen 8082\n')

  // A list that is wrong takes nothing away.
  hosts(at, 'no list')
  await eventually(() => expect(stderr()).toContain('want a list or a map'))
  expect(at.names()).toEqual(['a.conf', 'c.conf'])
  hosts(at, { 'a/../../x': { port: 1 } })
  await eventually(() => expect(stderr()).toContain('got one with a'))
  expect(at.names()).toEqual(['a.conf', 'c.conf'])

  hosts(at, {})
  await told(at, 3)
  expect(at.names()).toEqual([])
})

test('the templates of a tree are rendered, and what is excluded or goes is not there', async () => {
  const root = scratch()
  const dir = join(root, 'values', 'conf.d')
  mkdirSync(join(dir, 'sub'), { recursive: true })
  writeFileSync(join(root, 'values', 'name'), 'one')
  writeFileSync(join(dir, 'app.conf.tmpl'), 'name {{ ref "local://name" }}\n', { mode: 0o640 })
  writeFileSync(join(dir, 'sub', 'raw.conf'), '{{ raw }}\n')
  writeFileSync(join(dir, 'README.md'), 'not this\n')
  const config = join(root, 'outrigger.yaml')
  const file = { path: 'conf.d', tree: 'local://conf.d', include: ['**/*.conf{,.tmpl}'], render: true }
  writeFileSync(
    config,
    JSON.stringify({
      providers: { local: { type: 'file', path: './values' } },
      bundles: { web: { volume: './volume', settle: { quiet: '20ms', longest: '200ms' }, files: [file] } },
      state: './state',
    }),
  )
  const shown = join(root, 'volume', 'conf.d')
  const names = () => readdirSync(shown, { recursive: true }).map(String).toSorted()
  const { stderr } = startBuilt(['run', '-c', config])
  await eventually(() => expect(readFileSync(join(shown, 'app.conf'), 'utf8')).toBe('name one\n'))
  expect(names()).toEqual(['app.conf', 'sub', 'sub/raw.conf'])

  writeFileSync(join(root, 'values', 'name'), 'two')
  await eventually(() => expect(readFileSync(join(shown, 'app.conf'), 'utf8')).toBe('name two\n'))
  writeFileSync(join(dir, 'sub', 'bad.conf.tmpl'), 'one\n{{ nope }}\n')
  await eventually(() =>
    expect(stderr()).toContain('template: local://conf.d/sub/bad.conf.tmpl:2: function \\"nope\\" not defined'),
  )
  expect(names()).toEqual(['app.conf', 'sub', 'sub/raw.conf'])
})
