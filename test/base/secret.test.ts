import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Redactor, Secret } from '../../lib/base/secret.ts'

describe('a secret', () => {
  test('shows itself by reveal() and by no accident', () => {
    const secret = new Secret('hunter22')

    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }, { depth: 9, showHidden: true }),
      Object.keys(secret).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
    ]

    expect(secret.reveal()).toBe('hunter22')
    for (const text of shown) expect(text).not.toContain('hunter22')
    expect(shown[0]).toBe('[secret]')
  })
})

describe('a redactor', () => {
  function redactorOf(...texts: readonly string[]): Redactor {
    const redactor = new Redactor()
    texts.forEach(text => redactor.add(text))
    return redactor
  }

  test('masks each place of a remembered text', () => {
    expect(redactorOf('hunter22').redact('a hunter22, hunter22!')).toBe('a [secret], [secret]!')
  })

  test('leaves a text alone that holds none', () => {
    expect(redactorOf('hunter22').redact('hunter2')).toBe('hunter2')
    expect(new Redactor().redact('hunter22')).toBe('hunter22')
  })

  test('masks the spellings in which a text may come back', () => {
    const text = 'p/a"s s\\wörd+'
    const redactor = redactorOf(text)

    const spellings = [
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      Buffer.from(text).toString('base64'),
      Buffer.from(text).toString('base64url'),
      Buffer.from(text).toString('hex'),
      text,
    ]
    expect(redactor.redact(spellings.join(' '))).toBe(spellings.map(() => '[secret]').join(' '))
  })

  test.each([
    ['JSON', '{"db":{"user":"app","password":"correct horse","port":5432}}'],
    ['YAML', 'db:\n  user: app\n  password: correct horse\n'],
    ['JSON with escapes', String.raw`{"user":"app","password":"correct \u0068orse","port":5432}`],
    ['quoted YAML', "db: { user: app, password: 'correct horse' }"],
    ['dotenv', 'USER=app\nPASSWORD="correct horse"\n'],
    ['TOML', '[db]\nuser = "app"\npassword = "correct horse"\n'],
  ])('masks what a text in %s gives to a name, as programs quote it', (_, text) => {
    const redactor = redactorOf(text)

    expect(redactor.redact('bad password "correct horse"')).toBe('bad password "[secret]"')
    expect(redactor.redact('user app of db at 5432')).toBe('user app of db at 5432')
  })

  test('takes no longer for a long text that looks like a name everywhere', () => {
    const startedAtMs = performance.now()
    redactorOf('a'.repeat(1_000_000))
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
  })

  test('masks each line of a text of many, as programs quote them', () => {
    const redactor = redactorOf('-----BEGIN KEY-----\n  MIIabcdef\n  xyz12345==\n-----END KEY-----\n')

    expect(redactor.redact('error at "xyz12345==": bad')).toBe('error at "[secret]": bad')
  })

  test('takes what has a meaning in a pattern as it is', () => {
    expect(redactorOf('a.*(b)|[c]$^').redact('abcd a.*(b)|[c]$^')).toBe('abcd [secret]')
  })

  test('masks the longest of those that begin at the same place', () => {
    expect(redactorOf('hunter', 'hunter22-long').redact('hunter22-long')).toBe('[secret]')
  })

  test('does not look for very short texts, which are everywhere', () => {
    expect(redactorOf('abc', '', ' \n').redact('abc \n')).toBe('abc \n')
  })

  test('masks a text that was remembered after the first use', () => {
    const redactor = redactorOf('first-one')
    redactor.redact('x')

    redactor.add('second-one')

    expect(redactor.redact('second-one')).toBe('[secret]')
  })

  test('forgets the oldest first when there are very many', () => {
    const redactor = new Redactor()

    for (let i = 0; i < 10_050; i++) redactor.add(`secret-number-${i}`)

    expect(redactor.redact('secret-number-10049')).toBe('[secret]')
    expect(redactor.redact('secret-number-0 ')).toBe('secret-number-0 ')
  })
})
