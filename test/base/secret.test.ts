import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
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

  test('masks a long text by its lines, however they are quoted', () => {
    const lines = Array.from({ length: 3_000 }, (_, i) => `name${i}: value-number-${i}`)
    const redactor = redactorOf(lines.join('\n'))

    expect(redactor.redact(`bad "${lines[2_999]}"`)).toBe('bad "[secret]"')
    expect(redactor.redact('bad value-number-17 here')).toBe('bad [secret] here')
    expect(redactor.redact(lines.join('\n'))).toBe(lines.map(() => '[secret]').join('\n'))
  })

  test('masks a long line whole, and what is quoted of it but for its ends', () => {
    const line = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7_919) % 20_000))).join('')
    const redactor = redactorOf(line)

    expect(redactor.redact(`<${line}>`)).toMatch(/^<(\[secret\])+>$/)
    expect(redactor.redact(line.slice(0, 1_000)).replaceAll('[secret]', '').length).toBeLessThan(128)
    expect(redactor.redact(line.slice(5_000, 6_000)).replaceAll('[secret]', '').length).toBeLessThan(2 * 128)
  })

  test('keeps a password, and what a large text was before, while that changes again and again', () => {
    const redactor = redactorOf('hunter22')
    for (let i = 0; i < 20; i++) {
      redactor.add(Array.from({ length: 2_000 }, (_, k) => `key${k}: value-${i}-${k}`).join('\n'))
    }

    expect(redactor.redact('hunter22')).toBe('[secret]')
    expect(redactor.redact('bad value-19-7 here')).toBe('bad [secret] here')
    // What came before may still be in an error.
    expect(redactor.redact('bad value-18-1999 here')).toBe('bad [secret] here')
    expect(redactor.redact('bad value-0-7 here')).toContain('value-0-7')
  })

  test('does not grow with the changes of a large text, and takes no long time for them', { timeout: 60_000 }, () => {
    const module = join(import.meta.dirname, '../../lib/base/secret.ts')
    // As the image has it. Before there was a bound, it was full after 77 changes.
    const heap = ['--max-old-space-size=64', '--max-semi-space-size=1']
    const script = `
      import { Redactor } from ${JSON.stringify(module)}
      const redactor = new Redactor()
      for (let i = 0; i < 150; i++) {
        redactor.add(Array.from({ length: 1_000 }, (_, k) => \`key\${k}: \${i}-\${k}-\${'x'.repeat(90)}\`).join('\\n'))
        redactor.add(\`\${i}\`.padEnd(100_000, \`\${i}-abcdefgh\`))
      }
      process.stdout.write(redactor.redact('0-abcdefgh'.repeat(100) + ' 149-999-' + 'x'.repeat(90)).slice(-9))`
    const args = [...heap, '--input-type=module-typescript', '-e', script]

    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 50_000 })).toBe(' [secret]')
  })

  test('forgets a text the later, the later it was seen again', () => {
    const redactor = redactorOf('hunter22', 'hunter33')
    for (let i = 0; i < 5_000; i++) {
      redactor.add(`secret-number-${i}`)
      if (i % 100 === 0) redactor.add('hunter22')
    }

    expect(redactor.redact('hunter22')).toBe('[secret]')
    expect(redactor.redact('hunter33')).toBe('hunter33')
  })

  test('forgets the oldest first when there are very many', () => {
    const redactor = new Redactor()

    for (let i = 0; i < 10_050; i++) redactor.add(`secret-number-${i}`)

    expect(redactor.redact('secret-number-10049')).toBe('[secret]')
    expect(redactor.redact('secret-number-0 ')).toBe('secret-number-0 ')
  })
})
