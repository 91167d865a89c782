import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { once } from '../../cmd/verbs/once.ts'
import { Tree } from '../../lib/base/value.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { OPTIONS, place, startRun, testWorld } from './world.ts'

/** A place whose bundle has a file for each item of a list, one with all of them, and the files of a tree. */
function listing(shrinkGuard: unknown = { hold: '1h' }, seal = 'all') {
  const { root, write } = place()
  const provider = new ScriptedProvider()
  const config = write({
    providers: { one: { type: 'scripted', shrinkGuard, seal } },
    bundles: {
      web: {
        volume: './volume',
        files: [
          { path: 'all', content: '{{ range scripted "list" }}{{ . }} {{ end }}' },
          { path: 'each/{{ .Key }}', content: 'x', forEach: '{{ scripted "list" }}' },
          { path: 'conf.d', tree: 'one://tree' },
        ],
      },
    },
  })
  const set = (names: readonly string[], revision: string) => {
    provider.set('list', names, { revision: `list ${revision}` })
    const files = new Map(names.map(name => [name, { content: Buffer.from('x') }]))
    provider.set('tree', new Tree(files), { revision: `tree ${revision}` })
  }
  set(['a', 'b'], 'full')
  const below = (name: string) => {
    try {
      return readdirSync(join(root, 'volume', name))
    } catch {
      return []
    }
  }
  const shown = () => [readFileSync(join(root, 'volume', 'all'), 'utf8'), below('each'), below('conf.d')]
  return { config, set, shown, plugins: new Map([['scripted', scriptedPlugin(provider)]]) }
}

const FULL = ['a b ', ['a', 'b'], ['a', 'b']]
const EMPTY = ['', [], []]

test('run holds an empty list and tree back, also across a restart, and once believes it', async () => {
  const { config, set, shown, plugins } = listing()
  const first = startRun(config, { plugins })
  await eventually(() => expect(shown()).toEqual(FULL))
  set([], 'empty')
  await eventually(() => expect(first.said().match(/"held back/g)).toHaveLength(2))
  first.send('SIGTERM')
  await first.ended

  const second = startRun(config, { plugins })
  await eventually(() => expect(second.said().match(/"held back/g)).toHaveLength(2))
  await eventually(() => expect(second.said()).toContain('"unchanged"'))
  second.send('SIGTERM')
  await second.ended
  expect(shown()).toEqual(FULL)

  expect(await once({ ...OPTIONS, config, timeoutMs: 20_000, hooks: true }, testWorld({ plugins }).world)).toBe(0)
  expect(shown()).toEqual(EMPTY)
})

test('run holds them back across a reload as well, where nothing is sealed', async () => {
  const { config, set, shown, plugins } = listing({ hold: '1h' }, 'none')
  const { said, send } = startRun(config, { plugins })
  await eventually(() => expect(shown()).toEqual(FULL))
  set([], 'empty')
  await eventually(() => expect(said().match(/"held back/g)).toHaveLength(2))
  send('SIGHUP')
  await eventually(() => expect(said()).toContain('"configuration loaded"'))
  await eventually(() => expect(said().match(/"held back/g)).toHaveLength(4))
  await eventually(() => expect(said()).toContain('"unchanged"'))
  expect(shown()).toEqual(FULL)
})

test('run believes what is still empty when its time is over', async () => {
  const { config, set, shown, plugins } = listing({ hold: '50ms' })
  const { said } = startRun(config, { plugins })
  await eventually(() => expect(shown()).toEqual(FULL))
  set([], 'empty')
  await eventually(() => expect(shown()).toEqual(EMPTY))
  expect(said().match(/"still so/g)).toHaveLength(2)
})

test('run believes everything at once where the guard is off', async () => {
  const { config, set, shown, plugins } = listing('off')
  const { said } = startRun(config, { plugins })
  await eventually(() => expect(shown()).toEqual(FULL))
  set([], 'empty')
  await eventually(() => expect(shown()).toEqual(EMPTY))
  expect(said()).not.toContain('held back')
})
