import { expect, test } from 'vitest'
import { listed } from '../../lib/base/listed.ts'

test.each([
  [0, ''],
  [1, 'a0'],
  [5, 'a0, a1, a2, a3, a4'],
  [6, 'a0, a1, a2, a3, a4, and 1 more'],
  [10_000, 'a0, a1, a2, a3, a4, and 9995 more'],
])('of %i things it names the first few, and says how many more there are', (count, line) => {
  expect(listed(Array.from({ length: count }, (_, i) => `a${i}`))).toBe(line)
})
