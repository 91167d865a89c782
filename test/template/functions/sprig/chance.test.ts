import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

describe('chance', () => {
  test('gives each integer of the range, and none beside it', () => {
    const seen = new Set(run('{{range until 400}}{{randInt -1 2}} {{end}}').trim().split(' '))

    expect([...seen].toSorted()).toEqual(['-1', '0', '1'])
  })

  test('has nothing to give where a range is empty, and none that is too wide', () => {
    expect(failureOf('{{randInt 3 3}}').message).toContain('invalid argument to Intn')
    expect(failureOf('{{randInt 0 9223372036854775807}}').message).toContain('281474976710655')
  })

  test('puts the letters of a text in another order', () => {
    const text = 'abcdefghijklmnopqrstuvwxyzäöü😀'
    const shuffled = run('{{shuffle .}}', { dot: text })

    expect(Array.from(shuffled).toSorted()).toEqual(Array.from(text).toSorted())
    expect(shuffled).not.toBe(text)
  })
})
