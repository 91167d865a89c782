import { expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import type { Reading } from '../../lib/reading.ts'
import { poll } from '../../providers/poll.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

function scripted({ random = 0.5, jitter, hint }: { random?: number; jitter?: number; hint?: Mailbox<unknown> } = {}) {
  const clock = new FakeClock()
  const controller = new AbortController()
  const readAtMs: number[] = []
  const options = {
    everyMs: 1_000,
    clock,
    random: () => random,
    ...(jitter !== undefined && { jitter }),
    ...(hint && { hint }),
  }
  const readings = poll(options, async () => read(clock, readAtMs), controller.signal)
  return { clock, controller, readAtMs, readings }
}

function read(clock: FakeClock, readAtMs: number[]): Reading {
  readAtMs.push(clock.monotonicMs())
  return { value: 'x', revision: `${readAtMs.length}`, observedAtMs: clock.nowMs(), sensitive: false }
}

test('poll() reads at once, then after each interval', async () => {
  const { clock, readings, readAtMs } = scripted()
  expect((await readings.next()).value.revision).toBe('1')
  for (const revision of ['2', '3']) {
    const next = readings.next()
    await clock.advance(1_000)
    expect((await next).value.revision).toBe(revision)
  }
  expect(readAtMs).toEqual([0, 1_000, 2_000])
})

test.for([
  { random: 0, jitter: undefined, waitMs: 900 },
  { random: 0.999, jitter: undefined, waitMs: 1_100 },
  { random: 0, jitter: 0.5, waitMs: 500 },
  { random: 0, jitter: 0, waitMs: 1_000 },
])('poll() draws each wait around the interval: $random of jitter $jitter', async ({ waitMs, random, jitter }) => {
  const { clock, readings, readAtMs } = scripted({ random, ...(jitter !== undefined && { jitter }) })
  await readings.next()
  const next = readings.next()
  await clock.advance(waitMs - 1)
  expect(readAtMs).toHaveLength(1)
  await clock.advance(1)
  await next
  expect(readAtMs).toHaveLength(2)
})

test('poll() reads again as soon as it gets a hint, also one that came during a read', async () => {
  const hint = new Mailbox<true>()
  const { clock, readings, readAtMs } = scripted({ hint })
  await readings.next()
  hint.put(true)
  expect((await readings.next()).value.revision).toBe('2')
  const next = readings.next()
  await settled()
  hint.put(true)
  expect((await next).value.revision).toBe('3')
  expect(readAtMs).toEqual([0, 0, 0])
  expect(clock.sleeping).toBe(0)
})

test('poll() throws what the read throws', async () => {
  const error = new Error('no')
  const { signal } = new AbortController()
  const options = { everyMs: 1, clock: new FakeClock(), random: () => 0 }
  await expect(poll(options, () => Promise.reject(error), signal).next()).rejects.toBe(error)
})

test.for([true, false])('poll() ends with the reason of its signal and leaves no sleeper, hinted %s', async hinted => {
  const { clock, readings, controller } = scripted(hinted ? { hint: new Mailbox() } : {})
  await readings.next()
  const next = readings.next()
  await settled()
  expect(clock.sleeping).toBe(1)
  controller.abort(new Error('over'))
  await expect(next).rejects.toBe(controller.signal.reason)
  await settled()
  expect(clock.sleeping).toBe(0)
})

test('poll() does not yield what was read while the signal aborted', async () => {
  const controller = new AbortController()
  const clock = new FakeClock()
  const readings = poll(
    { everyMs: 1, clock, random: () => 0 },
    async () => {
      controller.abort(new Error('over'))
      return read(clock, [])
    },
    controller.signal,
  )
  await expect(readings.next()).rejects.toBe(controller.signal.reason)
})
