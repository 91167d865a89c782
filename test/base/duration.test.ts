import { describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { formatDurationMs, parseDurationMs } from '../../lib/base/duration.ts'

describe('parseDurationMs()', () => {
  // Rows of Go's own table (time_test.go, parseDurationTests) among them.
  test.for([
    ['0', 0],
    ['+0', 0],
    ['5s', 5_000],
    ['30s', 30_000],
    ['1478s', 1_478_000],
    ['+5s', 5_000],
    ['-5s', -5_000],
    ['5.0s', 5_000],
    ['5.6s', 5_600],
    ['5.s', 5_000],
    ['.5s', 500],
    ['10ns', 0.00001],
    ['11us', 0.011],
    ['12µs', 0.012],
    ['12μs', 0.012],
    ['13ms', 13],
    ['14s', 14_000],
    ['15m', 900_000],
    ['16h', 57_600_000],
    ['3h30m', 12_600_000],
    ['10.5s4m', 250_500],
    ['-2m3.4s', -123_400],
    ['1h2m3s4ms5us', 3_723_004.005],
    ['39h9m14.425s', 140_954_425],
  ] as const)('%s', ([text, ms]) => {
    expect(parseDurationMs(text)).toBeCloseTo(ms, 9)
  })

  test.for([
    '',
    '3',
    '-',
    's',
    '.',
    '-.',
    '.s',
    '+.s',
    '1d',
    '1.5.5s',
    '5s ',
    ' 5s',
    '1 s',
    '--5s',
    '5S',
    '1e3s',
    '0x1s',
    '\n5s',
    '10',
  ])('%j is no duration', text => {
    expect(parseDurationMs(text)).toBeUndefined()
  })
})

describe('formatDurationMs()', () => {
  test.for([
    [0, '0ms'],
    [0.4, '0ms'],
    [250, '250ms'],
    [999.6, '1s'],
    [1_500, '1.5s'],
    [20_000, '20s'],
    [59_940, '59.9s'],
    [59_960, '1m0s'],
    [200_000, '3m20s'],
    [3_599_400, '59m59s'],
    [3_599_600, '1h0m'],
    [9_000_000, '2h30m'],
    [-1_500, '-1.5s'],
  ] as const)('%d is %s', ([ms, text]) => {
    expect(formatDurationMs(ms)).toBe(text)
  })

  test('shows what parseDurationMs() reads, near enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400_000_000 }), ms => {
        const shown = parseDurationMs(formatDurationMs(ms)) as number
        expect(Math.abs(shown - ms)).toBeLessThanOrEqual(ms < 60_000 ? 50 : ms < 3_600_000 ? 500 : 30_000)
      }),
    )
  })
})
