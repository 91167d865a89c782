import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { orAborted, untilAborted } from '../../lib/base/or-aborted.ts'

test('orAborted() gives what the promise gives, and leaves no listener', async () => {
  const { signal } = new AbortController()

  expect(await orAborted(Promise.resolve(7), signal)).toBe(7)
  await expect(orAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test("orAborted() rejects with the signal's reason as soon as it aborts, and at once when it has", async () => {
  const controller = new AbortController()
  const waiting = orAborted(new Promise(() => {}), controller.signal)
  const forever = untilAborted(controller.signal)

  controller.abort(new Error('over'))

  await expect(waiting).rejects.toThrow('over')
  await expect(forever).rejects.toThrow('over')
  await expect(orAborted(Promise.resolve(7), controller.signal)).rejects.toThrow('over')
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
})
