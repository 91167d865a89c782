import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

const NOW = Date.UTC(2024, 1, 29, 12, 0, 0)

describe('a time', () => {
  test.each([
    ['{{ago 1709208000}}', '0s'],
    ['{{ago (toDate "2006-01-02" "2024-02-29")}}', '12h0m0s'],
    ['{{ago 1709211600}}', '-1h0m0s'],
    ['{{ago (toDate "2006" "0001")}}', '2562047h47m16.854775807s'],
    ['{{durationRound (toDate "2006-01-02" "2024-02-26")}}', '3d'],
  ])('is told from now: %s', (text, output) => {
    expect(run(text, { now: NOW })).toBe(output)
  })

  test.each([
    ['{{(toDate "2006-01-02" "2024-02-29").AddDate 1 0 0}}', '2025-03-01 00:00:00 +0000 UTC'],
    ['{{(toDate "2006-01-02" "2024-01-31").AddDate 0 1 -1}}', '2024-03-01 00:00:00 +0000 UTC'],
    ['{{(toDate "2006" "2024").Before (toDate "2006" "2025")}}', 'true'],
    ['{{(toDate "2006" "2024").After (toDate "2006" "2025")}}', 'false'],
    [
      '{{$t := toDate "15:04 -0700" "12:00 +0200"}}{{$t}} {{$t.UTC}} {{$t.Equal $t.UTC}}',
      '0000-01-01 12:00:00 +0200 +0200 0000-01-01 10:00:00 +0000 UTC true',
    ],
    ['{{(toDate "2006-01-02 15:04:05.000" "1969-12-31 23:59:59.250").UnixMilli}}', '-750'],
    ['{{(toDate "2006-01-02T15:04:05" "2024-02-29T01:02:03.5").Nanosecond}}', '500000000'],
  ])('has methods: %s', (text, output) => {
    expect(run(text)).toBe(output)
  })

  test('is not shown when it cannot be read', () => {
    expect(failureOf('{{mustToDate "2006" .}}', { dot: 'secret' }).message).not.toContain('secret')
    expect(failureOf('{{toDate "2006" "2024" | mustDateModify .}}', { dot: 'secret' }).message).not.toContain('secret')
  })
})
