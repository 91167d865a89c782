import { expect, test } from 'vitest'
import { fromBytes } from '../../lib/base/text.ts'
import { ProviderError } from '../../lib/errors.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { providerConformance } from '../providers/conformance.ts'
import { ScriptedProvider, scriptedPlugin } from './scripted-provider.ts'

providerConformance('scripted', async () => {
  const provider = new ScriptedProvider()
  return {
    plugin: scriptedPlugin(provider),
    options: {},
    write: async (path, content) => provider.set(path, fromBytes(content)),
    remove: async path => provider.remove(path),
    reference: path => [path],
    breakBackend: async () => provider.breakAll(),
    mendBackend: async () => provider.mend(),
    close: async () => {},
  }
})

const dependency = { provider: 'mine', kind: 'value', path: 'a', params: {} }

test('ScriptedProvider wakes a watch in the same turn, with the newest value only', async () => {
  const provider = new ScriptedProvider()
  const controller = new AbortController()
  const readings = provider.watch(dependency, controller.signal)
  expect((await readings.next()).value.value).toBe(absent)
  const next = readings.next()
  provider.set('a', 'one')
  provider.set('a', 'two')
  expect((await next).value).toMatchObject({ value: 'two', revision: 'r2', sensitive: false })
  expect([provider.active(), provider.active('a'), provider.active('b'), provider.started()]).toEqual([1, 1, 0, 1])
  const last = readings.next()
  controller.abort(new Error('over'))
  await expect(last).rejects.toBe(controller.signal.reason)
  expect(provider.active()).toBe(0)
})

test('ScriptedProvider fails and hangs as told, until it heals', async () => {
  const provider = new ScriptedProvider()
  provider.set('a', 'one')
  const { signal } = new AbortController()
  const first = provider.watch(dependency, signal)
  await first.next()
  const failing = first.next()
  const error = new ProviderError('forbidden', 'no')
  provider.fail('a', error)
  await expect(failing).rejects.toBe(error)
  await expect(provider.watch(dependency, signal).next()).rejects.toBe(error)
  provider.heal('a')
  provider.hang('a')
  const hanging = provider.watch(dependency, signal).next()
  let reading: Reading | undefined
  void hanging.then(({ value }) => (reading = value))
  await new Promise(resolve => setImmediate(resolve))
  expect(reading).toBeUndefined()
  provider.heal('a')
  expect((await hanging).value).toMatchObject({ value: 'one', revision: 'r1' })
})
