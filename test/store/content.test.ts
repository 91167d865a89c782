import { expect, test } from 'vitest'
import { Redactor } from '../../lib/base/secret.ts'
import { Struct, Uint, type Value } from '../../lib/base/value.ts'
import { hide } from '../../lib/store/content.ts'

function pairs(name: string, count: number): readonly Value[] {
  return Array.from({ length: count }, (_, i) => new Struct('pair', new Map([['Value', `${name}-${i}-secret`]])))
}

const reading = (value: readonly Value[]) => ({ value, revision: 'r', observedAtMs: 0, sensitive: true })

/** How many of the texts are masked. */
function masked(redactor: Redactor, name: string, count: number): number {
  const texts = Array.from({ length: count }, (_, i) => `${name}-${i}-secret`)
  return texts.filter(text => redactor.redact(text) !== text).length
}

test('a list whose texts the redactor has forgotten is told again, though none of its items is new', () => {
  const redactor = new Redactor()
  const list = pairs('kept', 300)
  hide(reading(list), redactor)
  for (let i = 0; i < 20_000; i++) redactor.add(`other-text-${i}`)
  expect(masked(redactor, 'kept', 300)).toBe(0)
  hide(reading([...list]), redactor)

  expect(masked(redactor, 'kept', 300)).toBe(300)
})

test('of the longest lists, only what is new is told', () => {
  const redactor = new Redactor()
  const list = pairs('long', 5_000)
  hide(reading(list), redactor)
  const before = redactor.forgotten
  hide(reading([...list, ...pairs('new', 1)]), redactor)

  expect(masked(redactor, 'new', 1)).toBe(1)
  expect(redactor.forgotten - before).toBeLessThan(10_000)
})

test('where a reading says what of it is secret, only that is told', () => {
  const redactor = new Redactor()
  const value = new Map<string, Value>([
    ['password', 'correct-horse'],
    ['made', '2026-01-01T00:00:00Z'],
  ])
  hide({ value, revision: 'r', observedAtMs: 0, sensitive: true, secrets: ['correct-horse'] }, redactor)

  expect(redactor.redact('correct-horse, made 2026-01-01T00:00:00Z')).toBe('[secret], made 2026-01-01T00:00:00Z')
})

test('of a reading that is not sensitive, nothing is told', () => {
  const redactor = new Redactor()
  hide({ value: 'plain-text', revision: 'r', observedAtMs: 0, sensitive: false, secrets: ['plain-text'] }, redactor)

  expect(redactor.redact('plain-text')).toBe('plain-text')
})

test('what a struct says of its fields that is no secret is not told; of any other, everything is', () => {
  const redactor = new Redactor()
  const fields: readonly (readonly [string, Value])[] = [
    ['Path', 'apps/password'],
    ['Key', 'password'],
    ['Value', 'correct-horse'],
    ['ModifyIndex', new Uint(8501n)],
  ]
  const pair = new Struct('*dependency.KeyPair', new Map(fields), new Set(['Path', 'Key', 'ModifyIndex']))
  for (const value of [pair, [pair]]) hide({ value, revision: 'r', observedAtMs: 0, sensitive: true }, redactor)
  expect(redactor.redact('consul:8501 cannot read apps/password: correct-horse')).toBe(
    'consul:8501 cannot read apps/password: [secret]',
  )

  const certificate = new Struct('dependency.PemEncoded', new Map([['Key', 'private-key']]))
  hide({ value: certificate, revision: 'r', observedAtMs: 0, sensitive: true }, redactor)
  expect(redactor.redact('private-key')).toBe('[secret]')
})
