import { expect, test } from 'vitest'
import { nearest } from '../../lib/base/nearest.ts'

test.each<[string, string[], string | undefined]>([
  ['pasword', ['user', 'password'], 'password'],
  ['Password', ['user', 'password'], 'password'],
  ['voulme', ['volume', 'value'], 'volume'],
  ['tmplate', ['templates', 'template'], 'template'],
  ['x', ['y', 'z'], undefined],
  ['host', ['port', 'user'], undefined],
  ['host', [], undefined],
  ['host', ['host'], undefined],
  ['a'.repeat(100), ['a'.repeat(99)], undefined],
])('nearest(%j) among %j is %j', (word, candidates, want) => {
  expect(nearest(word, candidates)).toBe(want)
})
