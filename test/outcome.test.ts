import { expect, test } from 'vitest'
import { explainOutcome, type Waiting } from '../lib/outcome.ts'

function waitingFor(count: number): readonly Waiting[] {
  const dependency = { provider: 'consul', kind: 'key', params: {} }
  return Array.from({ length: count }, (_, i) => ({
    dependency: { ...dependency, path: `key-${i}` },
    why: 'there is no such key',
  }))
}

test('what is waited for is named with why it is not there', () => {
  expect(explainOutcome({ kind: 'waiting', for: waitingFor(2) })).toMatch(
    /^waiting for \S*key-0 \(there is no such key\); \S*key-1 \(there is no such key\)$/,
  )
})

test('what is waited for is named once, also where the reason names it', () => {
  const dependency = { provider: 'vault', kind: 'secret', path: 'kv/a', params: {} }
  const why = 'its lease has ended, and it cannot be read again: vault://kv/a: the token may not'
  expect(explainOutcome({ kind: 'waiting', for: [{ dependency, why }] })).toBe(
    'waiting for vault://kv/a (its lease has ended, and it cannot be read again: the token may not)',
  )
})

test('ten thousand keys that are waited for are one short line', () => {
  const line = explainOutcome({ kind: 'waiting', for: waitingFor(10_000) })
  expect(line).toMatch(/key-0 .*; and 9995 more$/)
  expect(line.length).toBeLessThan(400)
})
