import { expect, test } from 'vitest'
import { forEachConcurrent } from '../../lib/base/concurrent.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

test('does everything, never more than so many at a time', async () => {
  let running = 0
  let most = 0
  const done: number[] = []

  await forEachConcurrent([1, 2, 3, 4, 5, 6, 7], 3, async item => {
    most = Math.max(most, ++running)
    await turn()
    running--
    done.push(item)
  })

  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(most).toBe(3)
})

test('begins nothing after a failure, and waits for what is under way before it throws the first', async () => {
  const ended: number[] = []

  const work = forEachConcurrent([1, 2, 3, 4], 2, async item => {
    if (item === 1) throw new Error('first')
    await turn()
    ended.push(item)
    throw new Error('second')
  })

  await expect(work).rejects.toThrow('first')
  expect(ended).toEqual([2])
})

test('does nothing for nothing', async () => {
  await expect(forEachConcurrent([], 4, () => Promise.reject(new Error('never')))).resolves.toBeUndefined()
})
