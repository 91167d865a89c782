import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { withDeadline } from '../../lib/base/deadline.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

const never = new AbortController().signal
const late = new Error('too late')
const options = { timeoutMs: 1_000, timeoutError: () => late }

/** Rejects with the reason of the signal when it aborts. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
}

test('gives what the work gives, and leaves no timer and no listener', async () => {
  const clock = new FakeClock()

  expect(await withDeadline(options, async () => 7, clock, never)).toBe(7)
  expect(clock.sleeping).toBe(0)
  expect(getEventListeners(never, 'abort')).toEqual([])
})

test('rejects as the work does', async () => {
  const failure = new Error('a bug')

  await expect(withDeadline(options, () => Promise.reject(failure), new FakeClock(), never)).rejects.toBe(failure)
})

test('tells the work when the time is up', async () => {
  const clock = new FakeClock()
  let told: unknown
  const working = withDeadline(
    options,
    signal => untilAborted(signal).finally(() => (told = signal.reason)),
    clock,
    never,
  )
  working.catch(() => {})

  await clock.advance(999)
  const before = told
  await clock.advance(1)

  await expect(working).rejects.toBe(late)
  expect([before, told]).toEqual([undefined, late])
})

test('does not wait for work that does not listen', async () => {
  const clock = new FakeClock()
  const working = withDeadline(options, () => new Promise(() => {}), clock, never)
  working.catch(() => {})

  await clock.advance(1_000)

  await expect(working).rejects.toBe(late)
})

test('passes on that the signal aborts, and then leaves no timer', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const working = withDeadline(options, untilAborted, clock, abort.signal)
  working.catch(() => {})

  const reason = new Error('enough')
  abort.abort(reason)
  await settled()

  await expect(working).rejects.toBe(reason)
  expect(clock.sleeping).toBe(0)
})

test('does not begin when the signal has aborted before', async () => {
  const reason = new Error('enough')
  let begun = false
  const work = async () => void (begun = true)

  await expect(withDeadline(options, work, new FakeClock(), AbortSignal.abort(reason))).rejects.toBe(reason)
  expect(begun).toBe(false)
})
