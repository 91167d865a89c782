/** What `explain` shows while a provider is away. */
import { readdirSync } from 'node:fs'
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
