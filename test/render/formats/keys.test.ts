import { describe, expect, test } from 'vitest'
import type { KeyOptions } from '../../../lib/format.ts'
import { encode } from '../../../lib/render/formats/encode.ts'
import { Refusal } from '../../../lib/render/formats/refusal.ts'
import { ALL, valueOf } from './values.ts'

function json(input: unknown, keys: Partial<KeyOptions>): unknown {
  const bytes = encode(valueOf(input), { name: 'json' }, { ...ALL, ...keys })
  return JSON.parse(Buffer.from(bytes).toString())
}

function refusal(input: unknown, keys: Partial<KeyOptions>): Refusal {
  try {
    json(input, keys)
  } catch (error) {
    if (error instanceof Refusal) return error
  }
  throw new Error('it was not refused')
}

const secret = { 'db-user': 'app', password: 'p', host: { name: 'h' } }

describe('keys', () => {
  test.each<[string, Partial<KeyOptions>, unknown]>([
    ['all of them', {}, secret],
    ['only some', { only: ['password', 'host'] }, { password: 'p', host: { name: 'h' } }],
    ['all but some', { except: ['password'] }, { 'db-user': 'app', host: { name: 'h' } }],
    ['only some, but one', { only: ['password', 'host'], except: ['host'] }, { password: 'p' }],
    ['with a prefix', { only: ['password'], prefix: 'app.' }, { 'app.password': 'p' }],
    ['as variables', { upper: true }, { DB_USER: 'app', PASSWORD: 'p', HOST: { name: 'h' } }],
    ['as variables with a prefix', { upper: true, prefix: 'app-', only: ['password'] }, { APP_PASSWORD: 'p' }],
  ])('are published: %s', (_what, keys, published) => {
    expect(json(secret, keys)).toEqual(published)
  })

  test('that are asked for must be there', () => {
    expect(refusal(secret, { only: ['pasword'] })).toMatchObject({
      message: 'only: there is no "pasword"',
      hint: 'did you mean "password"?',
    })
    expect(refusal({}, { only: ['password'] }).hint).toBe('add it at the source, or remove it from only')
  })

  test('that are left out must be there, or one that is misspelt would be published', () => {
    expect(refusal(secret, { except: ['pasword'] })).toMatchObject({
      message: 'except: there is no "pasword"',
      hint: 'did you mean "password"?',
    })
    expect(refusal({}, { except: ['comment'] }).hint).toBe('remove it from except')
    expect(refusal(secret, { only: ['host'], except: ['pasword'] }).message).toBe('except: there is no "pasword"')
  })

  test('may not become one', () => {
    expect(refusal({ 'a-b': 1, 'a.b': 2 }, { upper: true })).toMatchObject({
      message: '"a-b" and "a.b" both become "A_B"',
      hint: 'leave one out with except',
    })
    expect(json({ 'a-b': 1, 'a.b': 2 }, { upper: true, except: ['a.b'] })).toEqual({ A_B: 1 })
  })

  test('are chosen from a map only', () => {
    expect(refusal(['a'], { upper: true }).message).toMatch(/want a map of keys .*, got a list/)
  })
})
