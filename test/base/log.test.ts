import { expect, test } from 'vitest'
import { jsonLog } from '../../lib/base/json-log.ts'
import { silentLog, type LogLevel } from '../../lib/base/log.ts'
import { Redactor, Secret } from '../../lib/base/secret.ts'

function logOf(level: LogLevel = 'debug', ...secrets: readonly string[]) {
  const lines: string[] = []
  const redactor = new Redactor()
  secrets.forEach(secret => redactor.add(secret))
  const log = jsonLog({ level, redactor, write: line => void lines.push(line) })
  return { log, lines, entries: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) }
}

test('writes one JSON object a line: level, time, the data, the message', () => {
  const { log, lines, entries } = logOf()

  log.info('published', { bundle: 'web', generation: 2 })

  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^\{[^\n]*\}\n$/)
  expect(entries()[0]).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    bundle: 'web',
    generation: 2,
    message: 'published',
  })
})

test('writes its level and those above it', () => {
  const { log, entries } = logOf('warn')

  log.debug('d')
  log.info('i')
  log.warn('w')
  log.error('e')

  expect(entries().map(({ level, message }) => `${level} ${message}`)).toEqual(['warn w', 'error e'])
})

test('adds to each line what it was given beforehand', () => {
  const { log, entries } = logOf()

  log.with({ bundle: 'web' }).with({ hook: 'h' }).info('told', { generation: 3 })

  expect(entries()[0]).toMatchObject({ bundle: 'web', hook: 'h', generation: 3 })
})

test('shows the message of an error, not its stack or its other fields', () => {
  const { log, lines, entries } = logOf()

  log.error('failed', { error: Object.assign(new Error('no luck'), { config: { token: 'hunter22' } }) })

  expect(entries()[0]).toMatchObject({ error: 'no luck' })
  expect(lines[0]).not.toContain('hunter22')
  expect(lines[0]).not.toContain('.ts')
})

test('masks what is remembered wherever it stands: message, data, keys, lists, numbers, children', () => {
  const { log, lines, entries } = logOf('debug', 'hunter22', '54321', 'say "hi"\n')

  log.with({ where: 'at hunter22' }).warn('no hunter22', {
    deep: [{ password: 'xhunter22x' }, { hunter22: 1 }],
    number: 54321,
    quoted: 'they say "hi" there',
  })

  expect(entries()[0]).toMatchObject({
    level: 'warn',
    message: 'no [secret]',
    where: 'at [secret]',
    deep: [{ password: 'x[secret]x' }, { '[secret]': 1 }],
    number: '[secret]',
    quoted: 'they [secret] there',
  })
  expect(lines[0]).toMatch(/^\{"level":"warn","time":"2.*\}\n$/)
})

test('stays JSON with its own names whatever the secret is', () => {
  const { log, entries } = logOf('debug', 'true', 'null', 'level', 'message', 'time', 'info', 'error', '2026', '":"')

  log.info('a message at level info', { ok: true, nothing: null, error: 'bad message', count: 20260 })

  expect(entries()[0]).toMatchObject({
    level: 'info',
    message: 'a [secret] at [secret] [secret]',
    ok: true,
    nothing: null,
    error: 'bad [secret]',
    count: '[secret]0',
  })
})

test('shows a secret that is data as a mask', () => {
  const { log, entries } = logOf()

  log.info('opened', { token: new Secret('hunter22') })

  expect(entries()[0]).toMatchObject({ token: '[secret]' })
})

test('a silent log says nothing', () => {
  const { log, lines } = logOf('silent')

  log.error('e')
  silentLog.with({ a: 1 }).error('e')

  expect(lines).toEqual([])
})

test('masks a secret that has to be escaped, also where it was escaped before', () => {
  const secret = 'a"secret"'
  const { log, lines } = logOf('debug', secret)

  log.info('got', {
    raw: secret,
    quoted: JSON.stringify(secret),
    within: `want x, got ${JSON.stringify(`${secret}\n`)}`,
  })

  expect(lines[0]).not.toContain('secret\\')
  expect(JSON.parse(lines[0] as string)).toMatchObject({
    raw: '[secret]',
    quoted: '"[secret]"',
    within: String.raw`want x, got "[secret]\n"`,
  })
})
