import { expect, test } from 'vitest'
import { exponentialBackoff, type Backoff } from '../../lib/base/backoff.ts'

function ceilings(backoff: Backoff, count: number): readonly number[] {
  const found: number[] = []
  for (let at = backoff; found.length < count; at = at.next()) found.push(at.ceilingMs)
  return found
}

/** Numbers that fill [0, 1) evenly, in the order of a linear congruential generator. */
function evenRandom(): () => number {
  let state = 1
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

test('ceilings double until the longest', () => {
  expect(ceilings(exponentialBackoff({ firstMs: 100, longestMs: 1_000 }), 6)).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
})

test('without options they go from a quarter of a second to a minute', () => {
  expect(ceilings(exponentialBackoff(), 10)).toEqual([
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
  ])
})

test('the first ceiling is never above the longest', () => {
  expect(exponentialBackoff({ firstMs: 5_000, longestMs: 1_000 }).ceilingMs).toBe(1_000)
})

test('waits are spread evenly over the whole of [0, ceiling)', () => {
  const random = evenRandom()
  const backoff = exponentialBackoff({ firstMs: 1_000 })
  const buckets = Array.from({ length: 10 }, () => 0)

  for (let i = 0; i < 10_000; i++) {
    const bucket = Math.floor(backoff.durationMs(random) / 100)
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
  }

  expect(buckets).toHaveLength(10)
  for (const count of buckets) expect(count).toBeGreaterThan(850)
})

test('a backoff does not change by being used', () => {
  const backoff = exponentialBackoff({ firstMs: 100 })

  backoff.next().next()
  backoff.durationMs(Math.random)

  expect(backoff.ceilingMs).toBe(100)
  expect(backoff.next().ceilingMs).toBe(200)
})
