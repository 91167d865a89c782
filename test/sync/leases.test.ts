import { expect, test } from 'vitest'
import { HookError } from '../../lib/notify/hook.ts'
import { TestBundle } from '../support/bundle.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'

test('leases are said to be in use before anything is published, and to be the only ones when that is confirmed', async () => {
  const clock = new FakeClock()
  const setup = { mode: 'volume', fileSystem: new MemoryFileSystem(), root: '/', clock, content: 'A' } as const
  const bundle = await TestBundle.start(setup)
  await bundle.confirmed('A')
  expect(bundle.saidOfLeases.slice(0, 2)).toEqual(['publishing lease of A', 'confirmed lease of A'])
  await bundle.stop()

  // Another process knows nothing of them until it has seen that what is visible is what it would publish.
  const again = await TestBundle.start(setup)
  await again.confirmed('A')
  expect(again.saidOfLeases).toEqual(['confirmed lease of A'])
  await again.stop()
})

test('what the application refuses is in use, and what is put back stays so: nothing is confirmed by a rollback', async () => {
  const clock = new FakeClock()
  let refuses = false
  const app = async () => {
    if (refuses) throw new HookError('refused', 'no')
  }
  const disk = new MemoryFileSystem()
  const bundle = await TestBundle.start({
    mode: 'volume',
    fileSystem: disk,
    root: '/',
    clock,
    content: 'A',
    hooks: { app },
  })
  await bundle.confirmed('A')
  const before = bundle.saidOfLeases.length
  refuses = true
  bundle.set('B')
  await bundle.until(() => bundle.outcomes.includes('rolled-back'))

  expect(bundle.saidOfLeases.slice(before)).toEqual(['publishing lease of B'])
  await bundle.stop()
})
