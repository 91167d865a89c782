import { expect, test } from 'vitest'
import { watchProbation } from '../../lib/gate/probation.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'

const never = new AbortController().signal

interface Watched {
  readonly ok: boolean
  readonly why: string
  /** When it was tried, in milliseconds from the start. */
  readonly triedAtMs: readonly number[]
  readonly endedAtMs: number
}

/** Watches an application that is well at the times that `isWell` says; each try takes `tryMs`. */
async function watch(
  isWell: (atMs: number) => boolean,
  { forMs = 20_000, everyMs = 1_000, tryMs = 0 } = {},
): Promise<Watched> {
  const clock = new FakeClock()
  const triedAtMs: number[] = []
  let endedAtMs = Number.NaN
  const watching = watchProbation(
    { forMs, everyMs },
    async signal => {
      const atMs = clock.monotonicMs()
      triedAtMs.push(atMs)
      if (tryMs > 0) await clock.sleep(tryMs, signal)
      return isWell(atMs) ? { ok: true } : { ok: false, why: `unwell at ${atMs}` }
    },
    clock,
    never,
  ).finally(() => (endedAtMs = clock.monotonicMs()))
  await clock.advance(forMs + everyMs + tryMs)
  const verdict = await watching
  return { ok: verdict.ok, why: verdict.ok ? '' : verdict.why, triedAtMs, endedAtMs }
}

test('an application that stays well is confirmed at the end, and not before', async () => {
  const { ok, triedAtMs, endedAtMs } = await watch(() => true)

  expect(ok).toBe(true)
  expect(triedAtMs).toEqual(Array.from({ length: 21 }, (_, i) => i * 1_000))
  expect(endedAtMs).toBe(20_000)
})

test('one that needs nearly the whole time to become well is confirmed', async () => {
  expect((await watch(atMs => atMs >= 18_000)).ok).toBe(true)
})

test('one that becomes well for the last two tries only is condemned', async () => {
  const { ok, why } = await watch(atMs => atMs >= 19_000)

  expect(ok).toBe(false)
  expect(why).toBe('not yet steadily well after 20s: unwell at 18000')
})

test('one that is well at first and falls ill is condemned, at the end, with the last reason', async () => {
  const { ok, why, endedAtMs } = await watch(atMs => atMs < 8_000)

  expect(ok).toBe(false)
  expect(why).toBe('unwell after 20s: unwell at 20000')
  expect(endedAtMs).toBe(20_000)
})

test('one that crashes again and again is condemned, though it is well at the last moment', async () => {
  expect((await watch(atMs => atMs % 4_000 < 2_000)).ok).toBe(false)
})

test('a probation of one interval is decided by its last try', async () => {
  expect((await watch(atMs => atMs >= 1_000, { forMs: 1_000 })).ok).toBe(true)
  expect((await watch(atMs => atMs < 1_000, { forMs: 1_000 })).ok).toBe(false)
})

test('a probation of no time is one try', async () => {
  expect(await watch(() => true, { forMs: 0 })).toMatchObject({ ok: true, triedAtMs: [0] })
})

test('the last try comes at the end, also when the interval does not divide the time', async () => {
  expect((await watch(() => true, { forMs: 2_500 })).triedAtMs).toEqual([0, 1_000, 2_000, 2_500])
})

test('tries that take longer than the interval follow each other, and one begins after the end', async () => {
  const { triedAtMs } = await watch(() => true, { forMs: 5_000, tryMs: 1_700 })

  expect(triedAtMs).toEqual([0, 1_700, 3_400, 5_100])
})

test('tries so slow that only the last one begins in the second half are decided by it', async () => {
  expect(await watch(() => true, { forMs: 5_000, tryMs: 6_000 })).toMatchObject({ ok: true, triedAtMs: [0, 6_000] })
  expect((await watch(atMs => atMs > 0, { forMs: 5_000, tryMs: 6_000 })).ok).toBe(true)
  expect((await watch(atMs => atMs === 0, { forMs: 5_000, tryMs: 6_000 })).ok).toBe(false)
})

test('an abandoned probation rejects with the reason and leaves no timer', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const watching = watchProbation({ forMs: 20_000, everyMs: 1_000 }, async () => ({ ok: true }), clock, abort.signal)
  await settled()

  const reason = new Error('enough')
  abort.abort(reason)

  await expect(watching).rejects.toBe(reason)
  expect(clock.sleeping).toBe(0)
})
