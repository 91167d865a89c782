/** What `explain` shows while a provider is away. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { explain } from '../../cmd/verbs/explain.ts'
import { ProviderError } from '../../lib/errors.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { OPTIONS, place, startRun, testWorld } from './world.ts'

const AWAY = new ProviderError('unavailable', 'connection refused')

/** A place where a value is shown, and what `explain` says of it. */
function shown() {
  const { root, write } = place()
  const config = write({
    providers: { one: { type: 'scripted' } },
    bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: 'port={{ ref "one://port" }}' }] } },
  })
  const pluginsOf = (provider: ScriptedProvider) => new Map([['scripted', scriptedPlugin(provider)]])
  return {
    root,
    /** Publishes a value, and keeps it for a restart. */
    publish: async (value: string) => {
      const provider = new ScriptedProvider()
      provider.set('port', value)
      const { send, ended, said } = startRun(config, { plugins: pluginsOf(provider) })
      await eventually(() => expect(said()).toContain('"published"'))
      send('SIGTERM')
      await ended
    },
    explained: async (provider: ScriptedProvider, timeoutMs = 60_000) => {
      const { world, said } = testWorld({ plugins: pluginsOf(provider) })
      const code = await explain({ ...OPTIONS, config, file: 'app.conf', reveal: false, timeoutMs }, world)
      return { code, said: said() }
    },
    state: () => readdirSync(join(root, 'state'), { recursive: true }).map(String).toSorted(),
  }
}

test('explain shows what was last known while the provider is away, says so, and changes nothing of what is kept', async () => {
  const { publish, explained, state } = shown()
  await publish('8080')
  const before = state()
  const provider = new ScriptedProvider()
  provider.breakAll(AWAY)
  const { code, said } = await explained(provider)

  expect(said).toMatch(/1: port=8080\n[^]*last-known-good\n/)
  expect(code).toBe(0)
  expect(state()).toEqual(before)
})

test('explain shows what is live where the provider answers', async () => {
  const { publish, explained } = shown()
  await publish('8080')
  const provider = new ScriptedProvider()
  provider.set('port', '9090')

  expect((await explained(provider)).said).toMatch(/1: port=9090\n[^]*live\n/)
})

test('explain makes no state where there is none', async () => {
  const { explained, root } = shown()
  const provider = new ScriptedProvider()
  provider.breakAll(AWAY)

  expect((await explained(provider, 50)).said).toMatch(/still waiting for one:\/\/port: connection refused/)
  expect(readdirSync(root)).not.toContain('state')
})

test('explain that still waits says that it cannot look at what was kept, and why', async () => {
  const { publish, explained, root } = shown()
  await publish('8080')
  rmSync(join(root, 'state', 'sealed', 'readings'))
  mkdirSync(join(root, 'state', 'sealed', 'readings'))
  const provider = new ScriptedProvider()
  provider.breakAll(AWAY)
  const { code, said } = await explained(provider, 50)

  expect(said.match(/note: .*/g)).toEqual([expect.stringContaining('what was kept before cannot be looked at: EISDIR')])
  expect(code).toBe(3)
})

/** A place where `gen` may have any file, and waits for its list. */
function beside(files: readonly object[]) {
  const { root, write, value } = place()
  const config = write({
    bundles: {
      gen: {
        volume: './gen',
        files: [{ path: '{{ .Key }}.txt', content: 'of gen', forEach: '{{ data "local://list.yaml" }}' }],
      },
      web: { volume: './web', files },
    },
  })
  return {
    root,
    value,
    /** Without an end, where it waits for what does not come. */
    explained: async (file: string, timeoutMs = 0) => {
      const { world, said } = testWorld()
      const code = await explain({ ...OPTIONS, logLevel: 'silent', config, file, reveal: false, timeoutMs }, world)
      return { code, said: said() }
    },
  }
}

test.each([
  ['as configured', () => 'a.txt'],
  ['where it is on disk', (root: string) => join(root, 'web', 'a.txt')],
])('explain waits for no bundle that may have the file when another is known to, named %s', async (_, name) => {
  const { root, explained } = beside([{ path: 'a.txt', content: 'of web' }])
  const { code, said } = await explained(name(root))

  expect(said).toContain('==> web: a.txt\n')
  expect(code).toBe(0)
})

test('explain says nothing of a bundle that cannot be rendered when the file is found elsewhere, and else says why', async () => {
  const { root, value, explained } = beside([{ path: '.', tree: 'local://tree' }])
  mkdirSync(join(root, 'values', 'tree'))
  value('tree/a.txt', 'of web')
  const inTree = await explained('a.txt')
  const nowhere = await explained('b.txt', 500)

  expect(inTree).toEqual({ code: 0, said: expect.stringContaining('==> web: a.txt\n') as string })
  expect(inTree.said).not.toContain('gen')
  expect(nowhere).toEqual({
    code: 3,
    said: expect.stringContaining('gen: still waiting for local://list.yaml') as string,
  })
})

test('explain asks which is meant when two bundles have the file', async () => {
  const { root, value, explained } = beside([
    { path: '{{ .Key }}.txt', content: '', forEach: '{{ data "local://list.yaml" }}' },
  ])
  value('list.yaml', '[a]')

  expect(await explained('a.txt')).toEqual({
    code: 2,
    said: `"a.txt" is a file of 2 bundles\nhint: name it by where it is: ${join(root, 'gen/a.txt')}, ${join(root, 'web/a.txt')}`,
  })
})
