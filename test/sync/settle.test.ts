import { expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { settle } from '../../lib/sync/settle.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

function start(quietMs: number, longestMs: number) {
  const clock = new FakeClock()
  const changed = new Mailbox<undefined>()
  const abort = new AbortController()
  let over = false
  const done = settle(changed, { quietMs, longestMs }, clock, abort.signal).then(() => (over = true))
  return { clock, changed, abort, done, isOver: () => over }
}

test('settle() waits for a gap without changes', async () => {
  const { clock, changed, isOver } = start(200, 5_000)
  await clock.advance(199)
  changed.put(undefined)
  await clock.advance(199)
  expect(isOver()).toBe(false)

  await clock.advance(2)
  expect(isOver()).toBe(true)
})

test('settle() ends after the longest wait though changes keep coming', async () => {
  const { clock, changed, isOver } = start(200, 1_000)
  for (let i = 0; i < 9; i++) {
    await clock.advance(100)
    changed.put(undefined)
  }
  await clock.advance(99)
  expect(isOver()).toBe(false)

  await clock.advance(1)
  expect(isOver()).toBe(true)
})

test('settle() does not wait at all for a quiet of 0', async () => {
  const { clock, isOver } = start(0, 5_000)
  await settled()
  expect(isOver()).toBe(true)
  expect(clock.sleeping).toBe(0)
})

test('settle() leaves nothing behind when it is aborted', async () => {
  const { clock, abort, done } = start(200, 5_000)
  await settled()
  abort.abort(new Error('over'))
  await expect(done).rejects.toThrow('over')
  expect(clock.sleeping).toBe(0)
})
