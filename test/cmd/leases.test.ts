import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { once } from '../../cmd/verbs/once.ts'
import { ProviderError } from '../../lib/errors.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { OPTIONS, place, startRun, testWorld } from './world.ts'

/** A place whose bundle shows a credential that is made anew for each who reads it, and a plain value. */
function leased(more: object = {}) {
  const { root, write } = place()
  let minted = 0
  const provider = () => {
    const scripted = new ScriptedProvider()
    scripted.mint('db', () => {
      const id = `lease-${++minted}`
      return { value: id, lease: { id, durationMs: 3_600_000, renewable: true, endsAtMs: Date.now() + 3_600_000 } }
    })
    scripted.set('plain', 'sentinel-90125', { sensitive: true })
    return scripted
  }
  const content = '{{ ref "one://db" }} {{ ref "one://plain" }}'
  const config = write({
    providers: { one: { type: 'scripted', ...more } },
    bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content }] } },
  })
  const shown = () => readFileSync(join(root, 'volume', 'app.conf'), 'utf8')
  return { root, config, provider, shown, minted: () => minted }
}

const shows = (shown: () => string, text: string) => eventually(() => expect(shown()).toBe(text))

test('once hands over to run, run to itself at a reload, and to the next run: nothing is made twice', async () => {
  const { config, provider, shown, minted } = leased()
  const [first, second] = [provider(), provider()]
  const { world } = testWorld({ plugins: new Map([['scripted', scriptedPlugin(first)]]) })
  expect(await once({ ...OPTIONS, config, timeoutMs: 20_000, hooks: true }, world)).toBe(0)
  expect(shown()).toBe('lease-1 sentinel-90125')

  const run = startRun(config, { plugins: new Map([['scripted', scriptedPlugin(second)]]) })
  await eventually(() => expect(run.said()).toContain('"unchanged"'))
  run.send('SIGHUP')
  await eventually(() => expect(run.said()).toContain('"configuration loaded"'))
  await eventually(() => expect(run.said().match(/"unchanged"/g)).toHaveLength(2))
  run.send('SIGTERM')
  expect(await run.ended).toBe(0)

  expect([minted(), second.started('db'), first.revoked, second.revoked]).toEqual([1, 0, [], []])
  expect(shown()).toBe('lease-1 sentinel-90125')
})

test('a restart renders without its provider, says so, and shows no value', async () => {
  const { config, provider, shown, root, minted } = leased()
  const first = startRun(config, { plugins: new Map([['scripted', scriptedPlugin(provider())]]) })
  await shows(shown, 'lease-1 sentinel-90125')
  first.send('SIGTERM')
  await first.ended

  const away = provider()
  away.breakAll(new ProviderError('unavailable', 'connection refused: sentinel-90125'))
  const second = startRun(config, { plugins: new Map([['scripted', scriptedPlugin(away)]]) })
  await eventually(() => expect(second.said()).toContain('"unchanged"'))
  expect(second.said()).toContain('"serving":"what was last known"')
  expect(second.said()).not.toContain('sentinel-90125')
  expect(minted()).toBe(1)
  expect(existsSync(join(root, 'state', 'seal-key'))).toBe(true)
})

test('with seal: none a restart reads everything again, and a reload does not', async () => {
  const { config, provider, shown, root, minted } = leased({ seal: 'none' })
  const plugins = new Map([['scripted', scriptedPlugin(provider())]])
  const run = startRun(config, { plugins })
  await shows(shown, 'lease-1 sentinel-90125')
  run.send('SIGHUP')
  await eventually(() => expect(run.said()).toContain('"configuration loaded"'))
  await eventually(() => expect(run.said()).toContain('"unchanged"'))
  expect(minted()).toBe(1)
  run.send('SIGTERM')
  await run.ended

  startRun(config, { plugins })
  await shows(shown, 'lease-2 sentinel-90125')
  expect(existsSync(join(root, 'state', 'sealed'))).toBe(false)
})

test('revokeOnShutdown gives leases back at the end of run, and the next run makes its own', async () => {
  const { config, provider, shown } = leased({ revokeOnShutdown: true })
  const scripted = provider()
  const plugins = new Map([['scripted', scriptedPlugin(scripted)]])
  const run = startRun(config, { plugins })
  await shows(shown, 'lease-1 sentinel-90125')
  run.send('SIGTERM')
  expect(await run.ended).toBe(0)
  expect(scripted.revoked).toEqual(['lease-1'])

  onTestFinished(() => expect(scripted.revoked).toEqual(['lease-1', 'lease-2']))
  startRun(config, { plugins })
  await shows(shown, 'lease-2 sentinel-90125')
})
