import { expect, test } from 'vitest'
import { silentLog } from '../../lib/base/log.ts'
import { ProviderError } from '../../lib/errors.ts'
import { FailureLog } from '../../lib/store/failure-log.ts'
import { FakeClock } from '../support/fake-clock.ts'

const AWAY = new ProviderError('unavailable', 'vault:8200: ECONNREFUSED', { hint: 'nothing listens there' })
const GONE = { code: 'unavailable', error: 'vault:8200: ECONNREFUSED', hint: 'nothing listens there' }

function open() {
  const clock = new FakeClock()
  const said: object[] = []
  const line = (level: string) => (message: string, data?: object) => void said.push({ level, message, ...data })
  const log = { ...silentLog, info: line('info'), warn: line('warn') }
  return { clock, said, failures: new FailureLog({ log, clock }) }
}

function dependencies(count: number, provider = 'vault') {
  return Array.from({ length: count }, (_, i) => ({ provider, kind: 'secret', path: `kv/${i}`, params: {} }))
}

test('of one that fails it is said at once, with its reason', () => {
  const { said, failures } = open()
  for (const each of dependencies(1)) failures.failing(each, AWAY, true)

  expect(said).toEqual([
    { level: 'warn', message: 'cannot read', dependency: 'vault://kv/0', ...GONE, serving: 'what was last known' },
  ])
})

test('a thousand that fail together, and come back together, are two lines each', async () => {
  const { clock, said, failures } = open()
  for (const each of dependencies(1_000)) failures.failing(each, AWAY, false)
  await clock.advance(1_000)
  for (const each of dependencies(1_000)) failures.recovered(each)
  await clock.advance(60_000)

  const others = 'vault://kv/1, vault://kv/2, vault://kv/3, vault://kv/4, vault://kv/5, and 994 more'
  expect(said).toEqual([
    { level: 'warn', message: 'cannot read', dependency: 'vault://kv/0', ...GONE },
    { level: 'warn', message: 'cannot read', dependencies: others, ...GONE },
    { level: 'info', message: 'reading again', dependency: 'vault://kv/0' },
    { level: 'info', message: 'reading again', dependencies: others },
  ])
  expect(clock.sleeping).toBe(0)
})

test('those that fail one after the other are few lines', async () => {
  const { clock, said, failures } = open()
  for (const each of dependencies(100)) {
    failures.failing(each, AWAY, false)
    await clock.advance(100)
  }
  await clock.advance(60_000)

  expect(said).toHaveLength(5)
})

test('an error that names its dependency is the same reason for all', async () => {
  const { clock, said, failures } = open()
  for (const each of dependencies(3)) {
    failures.failing(each, new ProviderError('forbidden', `vault://${each.path}: the token may not`), false)
  }
  await clock.advance(1_000)

  expect(said).toMatchObject([
    { dependency: 'vault://kv/0', error: 'vault://kv/0: the token may not' },
    { dependencies: 'vault://kv/1, vault://kv/2', error: 'the token may not' },
  ])
})

test('each reason and each provider has a line of its own, at once', () => {
  const { said, failures } = open()
  for (const each of dependencies(1)) failures.failing(each, AWAY, false)
  for (const each of dependencies(1)) failures.failing(each, new ProviderError('timeout', 'no answer'), false)
  for (const each of dependencies(1, 'other')) failures.failing(each, AWAY, false)

  expect(said).toMatchObject([
    { dependency: 'vault://kv/0', code: 'unavailable' },
    { dependency: 'vault://kv/0', code: 'timeout' },
    { dependency: 'other://kv/0', code: 'unavailable' },
  ])
})

test('one that is read again before it was said that it fails is not spoken of', async () => {
  const { clock, said, failures } = open()
  const [first, second] = dependencies(2)
  if (first === undefined || second === undefined) throw new Error('there are two')
  failures.failing(first, AWAY, false)
  failures.failing(second, AWAY, false)
  failures.recovered(second)
  await clock.advance(60_000)

  expect(said).toMatchObject([{ message: 'cannot read', dependency: 'vault://kv/0' }])
  expect(said).toHaveLength(1)
})

test('one that fails anew before it was said that it is read again is only said to fail', async () => {
  const { clock, said, failures } = open()
  const [first, second] = dependencies(2)
  if (first === undefined || second === undefined) throw new Error('there are two')
  failures.recovered(first)
  failures.recovered(second)
  failures.failing(second, AWAY, false)
  await clock.advance(60_000)

  expect(said).toMatchObject([
    { message: 'reading again', dependency: 'vault://kv/0' },
    { message: 'cannot read', dependency: 'vault://kv/1' },
  ])
  expect(said).toHaveLength(2)
})

test('what was gathered is said at the end, and nothing is left', () => {
  const { clock, said, failures } = open()
  for (const each of dependencies(3)) failures.failing(each, AWAY, false)
  failures.close()

  expect(said).toMatchObject([{ dependency: 'vault://kv/0' }, { dependencies: 'vault://kv/1, vault://kv/2' }])
  expect(clock.sleeping).toBe(0)
})
