import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'

const never = new AbortController().signal
const DAY_MS = 24 * 60 * 60 * 1_000

test('sleep() lasts at least as long as asked', async () => {
  const startedAtMs = systemClock.monotonicMs()

  await systemClock.sleep(30, never)

  // A timer may fire a fraction of a millisecond before its time.
  expect(systemClock.monotonicMs() - startedAtMs).toBeGreaterThanOrEqual(29)
})

test('sleep() lasts longer than a timer of the platform can, where that is asked', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let awake = false
  void systemClock.sleep(60 * DAY_MS, never).then(() => (awake = true))

  await vi.advanceTimersByTimeAsync(60 * DAY_MS - 1)
  const before = awake
  await vi.advanceTimersByTimeAsync(1)

  expect([before, awake]).toEqual([false, true])
})

test('sleep() rejects with the reason as soon as the signal aborts, and leaves no timer', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const abort = new AbortController()
  const sleeping = systemClock.sleep(DAY_MS, abort.signal)

  const reason = new Error('enough')
  abort.abort(reason)

  await expect(sleeping).rejects.toBe(reason)
  expect(vi.getTimerCount()).toBe(0)
})

test('sleep() rejects at once when the signal has aborted before', async () => {
  const reason = new Error('enough')

  await expect(systemClock.sleep(DAY_MS, AbortSignal.abort(reason))).rejects.toBe(reason)
})

test('nowMs() is wall-clock time', () => {
  expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000)
})
