import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { once } from '../../cmd/verbs/once.ts'
import { eventually } from '../support/eventually.ts'
import { OPTIONS, place, testWorld } from './world.ts'

const FILES = [{ path: 'app.conf', content: '{{ ref "local://v" }}' }]

function start(config: string, timeoutMs = 10_000) {
  const { world, said, send } = testWorld()
  const ended = once({ ...OPTIONS, config, timeoutMs, hooks: true, logLevel: 'silent' }, world)
  return { said, send, ended }
}

test('a bundle that is broken does not keep the others from being published', async () => {
  const { root, write, value } = place()
  const broken = { volume: './broken', files: [{ path: 'app.conf', content: '{{ index 1 2 }}' }] }
  const config = write({ bundles: { broken, web: { volume: './volume', files: FILES } } })
  const { said, ended } = start(config)
  await eventually(() => expect(existsSync(join(root, 'state', 'bundles', 'web'))).toBe(true))
  setTimeout(() => value('v', 'one'), 200)

  expect(await ended).toBe(1)
  expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe('one')
  expect(said()).toContain('broken: broken: ')
  expect(said()).toContain('web: generation 1 published')
})

test('at the deadline it says which hook it waits for, not which readings it had waited for before', async () => {
  const { root, write, value } = place()
  const hooks = [{ command: ['sh', '-c', 'exit 3'], name: 'reload' }]
  const config = write({ bundles: { web: { volume: './volume', files: FILES, hooks } } })
  const { said, ended } = start(config, 700)
  await eventually(() => expect(existsSync(join(root, 'state', 'bundles', 'web'))).toBe(true))
  value('v', 'one')

  expect(await ended).toBe(1)
  expect(said()).toContain('web: waiting for hook reload')
  expect(said()).not.toContain('local://')
})

test('a hook that is still owed is waited for, also when the generation was confirmed without hooks in between', async () => {
  const { write, value } = place()
  value('v', 'one')
  const hooks = [{ command: ['sh', '-c', 'exit 3'], name: 'reload' }]
  const config = write({ bundles: { web: { volume: './volume', files: FILES, hooks } } })
  const { world, said } = testWorld()
  const run = (tellHooks: boolean) =>
    once({ ...OPTIONS, config, timeoutMs: 700, hooks: tellHooks, logLevel: 'silent' }, world)

  expect([await run(true), await run(false), await run(true)]).toEqual([1, 0, 1])
  expect(said()).toMatch(/is up to date[^]*waiting for hook reload/)
})

test('a bad first generation is told as that again and again, and at once', async () => {
  const { write, value } = place()
  value('v', 'one')
  const probe = { command: ['false'], for: '1s', every: '1s' }
  const config = write({ bundles: { web: { volume: './volume', files: FILES, probe } } })

  expect(await start(config).ended).toBe(4)
  expect(await start(config).ended).toBe(4)
})

test('an interruption is told as one, and is a failure while anything is left to do', async () => {
  const { root, write } = place()
  const config = write({ bundles: { web: { volume: './volume', files: FILES } } })
  const { said, send, ended } = start(config, 300_000)
  await eventually(() => expect(existsSync(join(root, 'state', 'bundles', 'web'))).toBe(true))
  send('SIGTERM')

  expect(await ended).toBe(1)
  expect(said()).toContain('SIGTERM')
  expect(said()).not.toContain('5m')
})

test('a second interruption leaves at once', async () => {
  const { root, write, value } = place()
  value('v', 'one')
  const file = join(root, 'pid')
  const hooks = [{ command: ['sh', '-c', `echo $$ > ${file}; trap "" TERM; sleep 3`] }]
  const config = write({ bundles: { web: { volume: './volume', files: FILES, hooks } } })
  const { send, ended } = start(config)
  await eventually(() => expect(existsSync(file)).toBe(true))
  send('SIGINT')
  send('SIGINT')

  expect(await ended).toBe(130)
})
