import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

const never = new AbortController().signal

test('a taker finds the newest value, once', async () => {
  const mailbox = new Mailbox<number>()
  mailbox.put(1)
  mailbox.put(2)

  const taken = await mailbox.take(never)

  expect([taken, mailbox.full]).toEqual([2, false])
})

test('a taker waits for a value', async () => {
  const mailbox = new Mailbox<number>()
  let taken: number | undefined
  void mailbox.take(never).then(value => (taken = value))
  await settled()
  const before = taken

  mailbox.put(3)
  await settled()

  expect([before, taken]).toEqual([undefined, 3])
})

test('a value that is replaced before the waiting taker gets it is not seen', async () => {
  const mailbox = new Mailbox<number>()
  const taking = mailbox.take(never)

  mailbox.put(1)
  mailbox.put(2)

  expect(await taking).toBe(2)
  expect(mailbox.full).toBe(false)
})

test('a value put after a take waits for the next take', async () => {
  const mailbox = new Mailbox<number>()
  const first = mailbox.take(never)
  mailbox.put(1)
  await first

  mailbox.put(2)

  expect(mailbox.full).toBe(true)
  expect(await mailbox.take(never)).toBe(2)
})

test('undefined is a value, too', async () => {
  const mailbox = new Mailbox<undefined>()
  mailbox.put(undefined)

  expect(mailbox.full).toBe(true)
  expect(await mailbox.take(never)).toBeUndefined()
  expect(mailbox.full).toBe(false)
})

test('what lies there can be thrown away, also under a taker that was just woken', async () => {
  const mailbox = new Mailbox<number>()
  const taking = mailbox.take(never)

  mailbox.put(1)
  mailbox.clear()
  await settled()
  mailbox.put(2)

  expect(await taking).toBe(2)
})

test('a waiting taker rejects with the reason of its signal, and a later one is served', async () => {
  const mailbox = new Mailbox<number>()
  const abort = new AbortController()
  const taking = mailbox.take(abort.signal)

  const reason = new Error('enough')
  abort.abort(reason)
  mailbox.put(1)

  await expect(taking).rejects.toBe(reason)
  expect(await mailbox.take(never)).toBe(1)
})

test('an empty mailbox rejects a taker whose signal has aborted before', async () => {
  const reason = new Error('enough')

  await expect(new Mailbox<number>().take(AbortSignal.abort(reason))).rejects.toBe(reason)
})

/** Somebody who takes within a second. */
function start(mailbox = new Mailbox<undefined>()) {
  const clock = new FakeClock()
  const controller = new AbortController()
  const taken = mailbox.takenWithin(1_000, clock, controller.signal)
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
  await expect(new Mailbox().takenWithin(1, new FakeClock(), controller.signal)).rejects.toThrow('over')
})

test('takenWithin() waits on, no longer, when what has woken it was thrown away', async () => {
  const { clock, mailbox, taken, left } = start()
  await clock.advance(600)
  mailbox.put(undefined)
  mailbox.clear()
  await clock.advance(399)
  expect(left()).toEqual([1, 1])

  await clock.advance(1)
  expect(await taken).toBe(false)
  expect(left()).toEqual([0, 0])
})
