import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { takenWithin } from '../../lib/base/taken-within.ts'
import { FakeClock } from '../support/fake-clock.ts'

function start(mailbox = new Mailbox<undefined>()) {
  const clock = new FakeClock()
  const controller = new AbortController()
  const taken = takenWithin(mailbox, 1_000, clock, controller.signal)
  taken.catch(() => {})
  const left = () => [clock.sleeping, getEventListeners(controller.signal, 'abort').length]
  return { clock, mailbox, controller, taken, left }
}

test('takenWithin() takes what lies there, and leaves nothing behind', async () => {
  const mailbox = new Mailbox<undefined>()
  mailbox.put(undefined)
  const { taken, left } = start(mailbox)

  expect(await taken).toBe(true)
  expect(mailbox.full).toBe(false)
  expect(left()).toEqual([0, 0])
})

test('takenWithin() takes what arrives in time, and leaves nothing behind', async () => {
  const { clock, mailbox, taken, left } = start()
  await clock.advance(999)
  mailbox.put(undefined)

  expect(await taken).toBe(true)
  expect(left()).toEqual([0, 0])
})

test('takenWithin() gives up when the time is over, and takes nothing any more', async () => {
  const { clock, mailbox, taken, left } = start()
  await clock.advance(1_000)

  expect(await taken).toBe(false)
  expect(left()).toEqual([0, 0])
  mailbox.put(undefined)
  expect(mailbox.full).toBe(true)
})

test("takenWithin() rejects with the signal's reason, and leaves nothing behind", async () => {
  const { controller, taken, left } = start()
  controller.abort(new Error('over'))

  await expect(taken).rejects.toThrow('over')
  expect(left()).toEqual([0, 0])
  await expect(takenWithin(new Mailbox(), 1, new FakeClock(), controller.signal)).rejects.toThrow('over')
})
