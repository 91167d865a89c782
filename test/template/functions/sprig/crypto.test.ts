import { compareSync } from 'bcryptjs'
import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failureOf, run } from './run.ts'

describe('a password', () => {
  test('is hashed so that bcrypt verifies it, with another salt each time', () => {
    const [one = '', other = ''] = run('{{bcrypt "correct horse"}} {{bcrypt "correct horse"}}').split(' ')

    expect(compareSync('correct horse', one)).toBe(true)
    expect(compareSync('correct horse', other)).toBe(true)
    expect(compareSync('wrong horse', one)).toBe(false)
    expect(one).not.toBe(other)
  })

  test('stands in a line for htpasswd', () => {
    const [, user, hash = ''] = /^(\w+):(.*)$/.exec(run('{{htpasswd "me" "secret"}}')) ?? []

    expect(user).toBe('me')
    expect(compareSync('secret', hash)).toBe(true)
  })
})

describe('a text', () => {
  test('comes back as it was when it is encrypted and decrypted', () => {
    assert(
      property(string({ unit: 'grapheme' }), string({ unit: 'grapheme' }), (key, text) => {
        expect(run('{{encryptAES .key .text | decryptAES .key}}', { dot: { key, text } })).toBe(text)
      }),
    )
  })

  test('is encrypted to something else each time', () => {
    const [one, other] = run('{{encryptAES "k" "text"}} {{encryptAES "k" "text"}}').split(' ')

    expect(one).not.toBe(other)
  })

  test('is not shown when it cannot be decrypted', () => {
    expect(failureOf('{{decryptAES "k" .}}', { dot: '***secret' }).message).not.toContain('secret')
  })
})
