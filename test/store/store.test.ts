import { afterEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { Float, Tree, Uint, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Provider } from '../../lib/provider.ts'
import { absent } from '../../lib/reading.ts'
import { Store } from '../../lib/store/store.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const clock = new FakeClock()
const provider = new ScriptedProvider(clock)
const redactor = new Redactor()
let random = 1
const store = new Store({
  providers: new Map([['one', provider]]),
  clock,
  random: () => random,
  log: silentLog,
  redactor,
})

afterEach(() => {
  random = 1
})

let names = 0
function fresh(): Dependency {
  return { provider: 'one', kind: 'value', path: `path-${++names}`, params: {} }
}

describe('Subscription.want', () => {
  test('starts a watch for each dependency, and one only, whoever else wants it', async () => {
    const [a, b] = [fresh(), fresh()]
    const [first, second] = [store.subscribe(), store.subscribe()]
    first.want([a, b, { ...a }])
    second.want([a])
    await settled()

    expect(provider.started(a.path)).toBe(1)
    expect(provider.started(b.path)).toBe(1)
    first.close()
    second.close()
  })

  test('ends the watch of what nobody wants any more, and keeps the others as they are', async () => {
    const [a, b] = [fresh(), fresh()]
    const [first, second] = [store.subscribe(), store.subscribe()]
    first.want([a, b])
    second.want([b])
    await settled()
    first.want([])
    await settled()

    expect(provider.active(a.path)).toBe(0)
    expect(provider.active(b.path)).toBe(1)
    expect(provider.started(b.path)).toBe(1)
    second.close()
    await settled()
    expect(provider.active(b.path)).toBe(0)
  })
})

describe('Subscription.changed', () => {
  test('fills for those who want the dependency, and for no one else', async () => {
    const [a, b] = [fresh(), fresh()]
    const [first, second] = [store.subscribe(), store.subscribe()]
    first.want([a])
    second.want([b])
    await settled()
    first.changed.clear()
    second.changed.clear()
    provider.set(a.path, 'new')
    await settled()

    expect(first.changed.full).toBe(true)
    expect(second.changed.full).toBe(false)
    expect(first.get(a)?.value).toBe('new')
    first.close()
    second.close()
  })

  test('stays empty when a reading repeats itself, by its revision or by its content', async () => {
    const a = fresh()
    provider.set(a.path, new Map([['k', ['v']]]), { revision: 'r1' })
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    subscription.changed.clear()
    provider.set(a.path, new Map([['k', ['v']]]), { revision: 'r1' })
    await settled()
    provider.set(a.path, new Map([['k', ['v']]]), { revision: 'r2' })
    await settled()

    expect(subscription.changed.full).toBe(false)
    expect(subscription.get(a)?.revision).toBe('r2')
    subscription.close()
  })

  test('stays empty for a tree of the same files', async () => {
    const a = fresh()
    const file = { content: Buffer.from('x') }
    provider.set(a.path, new Tree(new Map([['f', file]])))
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    subscription.changed.clear()
    provider.set(a.path, new Tree(new Map([['f', file]])))
    await settled()
    expect(subscription.changed.full).toBe(false)

    provider.set(a.path, new Tree(new Map([['f', { content: Buffer.from('y') }]])))
    await settled()
    expect(subscription.changed.full).toBe(true)
    subscription.close()
  })
})

describe('a watch that fails', () => {
  test('keeps its last reading, says why, and recovers within one backoff step', async () => {
    const a = fresh()
    provider.set(a.path, 'good')
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    provider.fail(a.path, new ProviderError('unavailable', 'connection refused'))
    await settled()
    await clock.advance(1_000)
    const [status] = store.status(new Map([['one', 'scripted']]))

    expect(subscription.get(a)?.value).toBe('good')
    expect(status?.error).toBe('connection refused')
    expect(status?.staleMs).toBe(1_000)

    provider.set(a.path, 'better')
    await clock.advance(2_000)
    expect(subscription.get(a)?.value).toBe('better')
    expect(store.status(new Map([['one', 'scripted']]))[0]?.error).toBeUndefined()
    subscription.close()
  })

  test('is tried again with ceilings that double up to a minute, for ever', async () => {
    const a = fresh()
    provider.fail(a.path)
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    const tries: number[] = []
    let before = provider.started(a.path)
    for (let atMs = 0; atMs < 300_000; atMs += 250) {
      await clock.advance(250)
      if (provider.started(a.path) > before) tries.push(atMs + 250)
      before = provider.started(a.path)
    }

    const gaps = tries.map((at, i) => at - (tries[i - 1] ?? 0))
    expect(gaps.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000])
    expect(new Set(gaps.slice(9))).toEqual(new Set([60_000]))
    subscription.close()
  })

  test('waits as long as the backend asks for', async () => {
    const a = fresh()
    random = 0
    provider.fail(a.path, new ProviderError('rate-limited', 'slow down', { retryAfterMs: 7_000 }))
    const subscription = store.subscribe()
    subscription.want([a])
    await clock.advance(6_999)
    expect(provider.started(a.path)).toBe(1)

    await clock.advance(2)
    expect(provider.started(a.path)).toBe(2)
    subscription.close()
  })

  test('waits for more than the backend asks for, so that those who were told the same do not come back together', async () => {
    const a = fresh()
    provider.fail(a.path, new ProviderError('rate-limited', 'slow down', { retryAfterMs: 7_000 }))
    const subscription = store.subscribe()
    subscription.want([a])
    await clock.advance(7_249)
    expect(provider.started(a.path)).toBe(1)

    await clock.advance(2)
    expect(provider.started(a.path)).toBe(2)
    subscription.close()
  })

  test('drops its reading when the backend says that we may not have it', async () => {
    const a = fresh()
    provider.set(a.path, 'once allowed')
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    subscription.changed.clear()
    provider.fail(a.path, new ProviderError('forbidden', 'permission denied'))
    await settled()

    expect(subscription.get(a)).toBeUndefined()
    expect(subscription.changed.full).toBe(true)
    expect(subscription.why(a)).toBe('permission denied')
    subscription.close()
  })

  test('tells those who have no reading of it when the story changes, and only then', async () => {
    const a = fresh()
    random = 0.5
    provider.fail(a.path, new ProviderError('unavailable', 'connection refused'))
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    subscription.changed.clear()
    await clock.advance(5_000)
    expect(subscription.changed.full).toBe(false)

    provider.fail(a.path, new ProviderError('forbidden', 'permission denied'))
    await clock.advance(60_000)
    expect(subscription.changed.full).toBe(true)
    expect(subscription.why(a)).toBe('permission denied')
    subscription.close()
  })

  test('tells those who wait for it when the failure is over and there is still nothing', async () => {
    const a = fresh()
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    provider.fail(a.path, new ProviderError('unavailable', 'connection refused'))
    await settled()
    expect(subscription.changed.full).toBe(true)
    expect(subscription.why(a)).toBe('connection refused')

    subscription.changed.clear()
    provider.heal(a.path)
    await clock.advance(60_000)
    expect(subscription.changed.full).toBe(true)
    expect(subscription.why(a)).toBe('the backend says there is nothing')
    subscription.close()
  })

  test('is asked less and less often also when it gives a reading before it fails each time', async () => {
    const a = fresh()
    let started = 0
    const flapping: Provider = {
      async *watch() {
        started++
        yield { value: 'v', revision: 'r', observedAtMs: 0, sensitive: false }
        throw new ProviderError('unavailable', 'connection reset')
      },
      async close() {},
    }
    const other = new Store({
      providers: new Map([['one', flapping]]),
      clock,
      random: () => 1,
      log: silentLog,
      redactor,
    })
    other.subscribe().want([a])
    await clock.advance(600_000)
    await other.close()

    expect(started).toBeLessThan(25)
  })

  test('is asked again soon when it had gone well for a while', async () => {
    const a = fresh()
    provider.fail(a.path)
    const subscription = store.subscribe()
    subscription.want([a])
    await clock.advance(300_000)
    provider.set(a.path, 'good')
    await clock.advance(120_000)
    provider.fail(a.path)
    await settled()
    provider.set(a.path, 'better')
    await clock.advance(250)

    expect(subscription.get(a)?.value).toBe('better')
    subscription.close()
  })

  test('makes its reading old from the moment it fails: what did not change before was good until then', async () => {
    const a = fresh()
    provider.set(a.path, 'good')
    const subscription = store.subscribe()
    subscription.want([a])
    await clock.advance(3_600_000)
    provider.fail(a.path)
    await clock.advance(1_000)

    expect(store.status(new Map([['one', 'scripted']]))[0]?.staleMs).toBe(1_000)
    subscription.close()
  })

  test('names a provider that is not configured', async () => {
    const stranger: Dependency = { provider: 'nobody', kind: 'value', path: 'x', params: {} }
    const subscription = store.subscribe()
    subscription.want([stranger])
    await settled()

    expect(subscription.settled([stranger])).toBe(true)
    expect(subscription.why(stranger)).toContain('"nobody"')
    subscription.close()
  })
})

test('settled() is false until every dependency was answered, by a reading, by nothing, or by an error', async () => {
  const [a, b, c] = [fresh(), fresh(), fresh()]
  provider.set(a.path, 'here')
  provider.fail(b.path)
  provider.hang(c.path)
  const subscription = store.subscribe()
  subscription.want([a, b, c])
  await settled()
  expect(subscription.settled([a, b])).toBe(true)
  expect(subscription.settled([a, b, c])).toBe(false)

  provider.set(c.path, absent)
  await settled()
  expect(subscription.settled([a, b, c])).toBe(true)
  expect(subscription.why(c)).toBe('the backend says there is nothing')
  subscription.close()
})

test('every text of a sensitive reading is made known to the redactor, however deep it lies', async () => {
  const a = fresh()
  provider.set(a.path, new Map([['outer', [new Map([['inner', 'sentinel-4711']])]]]), { sensitive: true })
  const subscription = store.subscribe()
  subscription.want([a])
  await settled()

  expect(redactor.redact('it is sentinel-4711.')).toBe('it is [secret].')
  subscription.close()
})

test.each([10, 1_000])(
  'of %i things that a sensitive reading lists, what is new is made known to the redactor',
  async count => {
    const a = fresh()
    const name = `many-${count}`
    const before = Array.from({ length: count }, (_, i) => new Map([['value', `${name}-old-${i}.`]]))
    provider.set(a.path, before, { sensitive: true })
    const subscription = store.subscribe()
    subscription.want([a])
    await settled()
    provider.set(a.path, [...before.slice(1), new Map([['value', `${name}-new`]])], { sensitive: true })
    await settled()

    expect(redactor.redact(`${name}-old-0. ${name}-old-7. ${name}-new`)).toBe('[secret] [secret] [secret]')
    subscription.close()
  },
)

test('every number of a sensitive reading is made known to the redactor', async () => {
  const a = fresh()
  const value = new Map<string, Value>([
    ['pin', 90_125_781],
    ['rate', new Float(7.140625)],
    ['serial', new Uint(2n ** 63n + 11n)],
  ])
  provider.set(a.path, value, { sensitive: true })
  const subscription = store.subscribe()
  subscription.want([a])
  await settled()

  expect(redactor.redact('90125781 7.140625 9223372036854775819')).toBe('[secret] [secret] [secret]')
  subscription.close()
})

test('close() waits also for a watch that nobody wanted any more and that has not ended yet', async () => {
  const ending = Promise.withResolvers<void>()
  const slow: Provider = {
    async *watch(_, signal) {
      yield { value: 'v', revision: 'r', observedAtMs: 0, sensitive: false }
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      await ending.promise
    },
    async close() {},
  }
  const other = new Store({ providers: new Map([['one', slow]]), clock, random: () => 1, log: silentLog, redactor })
  const subscription = other.subscribe()
  subscription.want([fresh()])
  await settled()
  subscription.want([])
  let closed = false
  const closing = other.close().then(() => (closed = true))
  await settled()
  expect(closed).toBe(false)

  ending.resolve()
  await closing
})

test('close() ends every watch and waits for it', async () => {
  const clock = new FakeClock()
  const own = new ScriptedProvider(clock)
  const other = new Store({ providers: new Map([['one', own]]), clock, random: () => 1, log: silentLog, redactor })
  const subscription = other.subscribe()
  subscription.want([fresh(), fresh()])
  await settled()
  expect(own.active()).toBe(2)

  await other.close()
  expect(own.active()).toBe(0)
  expect(clock.sleeping).toBe(0)
})
