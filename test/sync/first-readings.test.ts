import { expect, onTestFinished, test } from 'vitest'
import { HookError } from '../../lib/notify/hook.ts'
import { TestBundle, type BundleSetup } from '../support/bundle.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'

type Setup = Partial<BundleSetup>

/** Starts one process after another on the same volume and state. */
function place(): (setup: Setup) => Promise<TestBundle> {
  const at = { mode: 'volume', fileSystem: new MemoryFileSystem(), root: '/', clock: new FakeClock() } as const
  return async setup => {
    const bundle = await TestBundle.start({ ...at, ...setup })
    onTestFinished(() => bundle.stop())
    return bundle
  }
}

test('first readings can wait when what is visible is confirmed, told to everybody, and what is rendered from what was kept', async () => {
  const start = place()
  const first = await start({ content: 'A' })
  await first.confirmed('A')
  expect(first.pace).toEqual([])
  await first.stop()

  const second = await start({ kept: 'A' })
  await second.until(standing => standing?.outcome?.kind === 'unchanged')
  expect(second.pace).toEqual(['unhurried'])
})

test.each(['B', 'broken'])(
  'what was kept is neither published nor judged by: what comes of it (%s) makes that all is read at once',
  async kept => {
    const start = place()
    const first = await start({ content: 'A' })
    await first.confirmed('A')
    await first.stop()

    const second = await start({ kept })
    await second.until(standing => standing?.outcome?.kind === 'waiting')
    expect(second.pace).toEqual(['unhurried', 'hurry'])
    expect(second.standing).toMatchObject({ visible: 1, confirmed: true })
    second.set('C')
    await second.confirmed('C')
    expect(second.standing?.visible).toBe(2)
    expect(second.outcomes).toEqual(['waiting', 'published'])
  },
)

test('what was kept is not published either to put back what somebody has removed of the volume', async () => {
  const fileSystem = new MemoryFileSystem()
  const start = place()
  const first = await start({ fileSystem, content: 'A' })
  await first.confirmed('A')
  await first.stop()
  await fileSystem.remove('/volume/..g1/app.conf')

  const second = await start({ fileSystem, kept: 'A' })
  await second.until(standing => standing?.outcome?.kind === 'waiting')
  expect(second.pace).toEqual(['unhurried', 'hurry'])
})

test('first readings do not wait while a hook is owed, or the visible generation is not confirmed', async () => {
  const start = place()
  let isAway = true
  const app = async () => {
    if (isAway) throw new HookError('failed', 'connection refused')
  }
  const first = await start({ content: 'A', hooks: { app } })
  await first.until(standing => standing?.outcome?.kind === 'published')
  await first.stop()

  isAway = false
  const second = await start({ content: 'A', hooks: { app } })
  await second.confirmed('A')
  expect(second.pace).toEqual([])
})

test('first readings do not wait while the application has not taken well what is visible', async () => {
  const start = place()
  const bad = async () => ({ ok: false, why: 'it is ill' }) as const
  const first = await start({ content: 'A', probe: bad })
  await first.until(standing => standing?.condemned !== undefined)
  await first.stop()

  const second = await start({ content: 'A', probe: async () => ({ ok: true }) })
  await second.confirmed('A')
  expect(second.pace).toEqual([])
})

test('first readings do not wait where the state was lost, so that nobody knows what is confirmed', async () => {
  const fileSystem = new MemoryFileSystem()
  const start = place()
  const first = await start({ fileSystem, content: 'A' })
  await first.confirmed('A')
  await first.stop()
  await fileSystem.remove('/state')

  const second = await start({ fileSystem, content: 'A' })
  await second.confirmed('A')
  expect(second.pace).toEqual([])
})
