import { expect, test } from 'vitest'
import { giveBackMemory } from '../../cmd/memory.ts'

test('giveBackMemory() collects what nothing holds any more, and leaves no gc function behind', async () => {
  const watched = new WeakRef({ text: 'x'.repeat(1_000_000) })
  // A weak reference holds its object until the turn ends.
  await new Promise(resolve => setImmediate(resolve))

  giveBackMemory()

  expect(watched.deref()).toBeUndefined()
  expect('gc' in globalThis).toBe(false)
})
