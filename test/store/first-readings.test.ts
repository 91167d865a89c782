import { describe, expect, onTestFinished, test } from 'vitest'
import type { Clock, Random } from '../../lib/base/clock.ts'
import { jsonLog } from '../../lib/base/json-log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { dependencyId, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Reading } from '../../lib/reading.ts'
import type { Keeper } from '../../lib/store/keeper.ts'
import { Store } from '../../lib/store/store.ts'
import { SimulatedClock } from '../bench/simulated-clock.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { sequence } from '../support/sequence.ts'

const SECOND = 1_000

/** A store after a restart that kept something, with one bundle. */
function restarted(random: () => number = () => 0.5) {
  return restartedOn(new FakeClock(), random)
}

function restartedOn<C extends Clock>(clock: C, random: Random) {
  const provider = new ScriptedProvider(clock)
  provider.everyMs = () => 10 * SECOND
  const lines: string[] = []
  const redactor = new Redactor()
  const log = jsonLog({ level: 'info', redactor, write: line => lines.push(line) })
  const store = new Store({ providers: new Map([['one', provider]]), clock, random, log, redactor })
  const kept = new Map<string, Reading>()
  store.restore(keeperOf(kept), [])
  store.putOff()
  const web = store.subscribe('web')
  onTestFinished(() => store.close())
  return {
    clock,
    provider,
    store,
    web,
    lines,
    keep: (path: string, value: string): Dependency => {
      const dependency = { provider: 'one', kind: 'value', path, params: {} }
      kept.set(dependencyId(dependency), { value, revision: `kept ${value}`, observedAtMs: 0, sensitive: false })
      return dependency
    },
  }
}

function keeperOf(kept: Map<string, Reading>): Keeper {
  return {
    reading: async dependency => kept.get(dependencyId(dependency)),
    putReading: (dependency, reading) => void kept.set(dependencyId(dependency), reading),
    removeReading: dependency => void kept.delete(dependencyId(dependency)),
    async putLease() {},
    async removeLease() {},
    async forgetOlder() {},
    retain() {},
  }
}

describe('a first reading that can wait', () => {
  test('is put off by any part of a wait, and what was kept is served until then', async () => {
    const { clock, provider, web, keep } = restarted()
    const a = keep('a', 'old')
    provider.set('a', 'new')
    web.unhurried()
    web.want([a])
    await clock.advance(5 * SECOND - 1)
    expect(web.get(a)).toMatchObject({ value: 'old', lastKnownGood: true })
    expect(web.settled([a])).toBe(true)
    expect(provider.started()).toBe(0)

    web.changed.clear()
    await clock.advance(1)
    expect(web.get(a)).toMatchObject({ value: 'new' })
    expect(web.changed.full).toBe(true)
    expect(provider.knowns).toMatchObject([{ value: 'old' }])
  })

  test('is of the first watch alone: after a failure, everything is read', async () => {
    const { clock, provider, web, keep } = restarted()
    const a = keep('a', 'old')
    provider.set('a', 'new')
    provider.fail('a', new ProviderError('unavailable', 'away'))
    web.unhurried()
    web.want([a])
    await clock.advance(5 * SECOND)
    provider.heal('a')
    await clock.advance(60 * SECOND)

    expect(web.get(a)).toMatchObject({ value: 'new' })
    expect(provider.knowns[0]).toMatchObject({ value: 'old' })
    expect(provider.knowns.slice(1).length).toBeGreaterThan(0)
    expect(provider.knowns.slice(1).every(known => known === undefined)).toBe(true)
  })

  test('changes nothing when it is what was kept', async () => {
    const { clock, provider, web, keep } = restarted()
    const a = keep('a', 'same')
    provider.set('a', 'same')
    web.unhurried()
    web.want([a])
    await settled()
    web.changed.clear()
    await clock.advance(5 * SECOND)

    expect(provider.started()).toBe(1)
    expect(web.get(a)?.lastKnownGood).toBeUndefined()
    expect(web.changed.full).toBe(false)
  })

  test('comes within a minute, however seldom its provider looks', async () => {
    const { clock, provider, web, keep } = restarted(() => 0.999)
    const a = keep('a', 'old')
    provider.everyMs = () => 3_600 * SECOND
    web.unhurried()
    web.want([a])
    await clock.advance(60 * SECOND)

    expect(provider.started()).toBe(1)
  })

  test('comes at once when somebody else wants it who cannot wait', async () => {
    const { clock, provider, store, web, keep } = restarted()
    const a = keep('a', 'old')
    web.unhurried()
    web.want([a])
    await settled()
    expect(provider.started()).toBe(0)
    store.subscribe('other').want([a])
    await settled()

    expect(provider.started()).toBe(1)
    expect(clock.monotonicMs()).toBe(0)
  })

  test('comes at once when it cannot wait any more, and what was kept is not served until then', async () => {
    const { provider, web, keep } = restarted()
    const [a, b] = [keep('a', 'old'), keep('b', 'old')]
    provider.hang('a')
    provider.set('b', 'new')
    web.unhurried()
    web.want([a, b])
    await settled()
    expect(web.hurry()).toBe(true)
    expect([a, b].map(each => web.get(each))).toEqual([undefined, undefined])
    expect([a, b].map(each => web.settled([each]))).toEqual([false, false])
    await settled()

    expect(provider.started()).toBe(2)
    expect([a, b].map(each => web.get(each)?.value)).toEqual([undefined, 'new'])
    expect(web.hurry()).toBe(false)
  })

  test('that fails leaves what was kept while the backend is away, and says so', async () => {
    const { clock, provider, web, lines, keep } = restarted()
    const a = keep('a', 'old')
    provider.fail('a', new ProviderError('unavailable', 'connection refused'))
    web.unhurried()
    web.want([a])
    await settled()
    lines.length = 0
    web.changed.clear()
    await clock.advance(5 * SECOND)

    expect(web.get(a)).toMatchObject({ value: 'old', lastKnownGood: true })
    expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { message: 'cannot read', code: 'unavailable', serving: 'what was last known' },
    ])
    // It was there all the time, so nobody has anything to do.
    expect(web.changed.full).toBe(false)
    // It can be kept for as long as the backend is away, and published with what else changes.
    expect(web.hurry()).toBe(false)
  })

  test('that fails since nobody knows us takes back what was kept', async () => {
    const { clock, provider, web, keep } = restarted()
    const a = keep('a', 'old')
    provider.fail('a', new ProviderError('unauthenticated', 'who is that?'))
    web.unhurried()
    web.want([a])
    await clock.advance(5 * SECOND)

    expect(web.get(a)).toBeUndefined()
    expect(web.why(a)).toBe('who is that?')
  })

  test('ends with its being wanted', async () => {
    const { clock, provider, web, keep } = restarted()
    const a = keep('a', 'old')
    web.unhurried()
    web.want([a])
    await settled()
    web.want([])
    await clock.advance(10 * SECOND)

    expect(provider.started()).toBe(0)
    expect(clock.sleeping).toBe(0)
  })
})

describe('a first reading is not put off', () => {
  test('for who has not said that it can wait', async () => {
    const { provider, web, keep } = restarted()
    web.want([keep('a', 'old')])
    await settled()
    expect(provider.knowns).toEqual([undefined])
  })

  test('where nothing was kept of it', async () => {
    const { provider, web } = restarted()
    web.unhurried()
    web.want([{ provider: 'one', kind: 'value', path: 'a', params: {} }])
    await settled()
    expect(provider.knowns).toEqual([undefined])
  })

  test('where its provider would see a change at once', async () => {
    const { provider, web, keep } = restarted()
    provider.everyMs = () => 0
    web.unhurried()
    web.want([keep('a', 'old')])
    await settled()
    expect(provider.knowns).toEqual([undefined])
  })

  test('when the start is long over', async () => {
    const { clock, provider, web, keep } = restarted()
    web.unhurried()
    await clock.advance(61 * SECOND)
    web.want([keep('a', 'old')])
    await settled()
    expect(provider.knowns).toEqual([undefined])
  })
})

test('until when first readings are spread is said once, when all of them are known', async () => {
  const { clock, web, lines, keep } = restarted()
  web.unhurried()
  web.want([keep('a', 'old')])
  await settled()
  web.want([keep('a', 'old'), keep('b', 'old')])
  await settled()
  expect(lines).toEqual([])
  web.confirmed(new Set())
  web.confirmed(new Set())

  expect(lines.map(line => JSON.parse(line))).toMatchObject([
    {
      message: 'nothing to do, first readings are spread',
      readings: 2,
      until: new Date(clock.nowMs() + 5 * SECOND).toISOString(),
    },
  ])
})

test('who restarts together asks at the rate of before', async () => {
  const random = sequence(7)
  const { clock, provider, web, keep } = restartedOn(new SimulatedClock(), random)
  // Each look is followed by another after eight to ten seconds, as long as anybody asks.
  provider.everyMs = () => (8 + 2 * random()) * SECOND
  const count = 5_000
  web.unhurried()
  web.want(Array.from({ length: count }, (_, i) => keep(`path-${i}`, 'old')))
  const asked: number[] = []
  for (let second = 0; second < 10; second++) {
    const before = provider.started()
    await clock.advance(SECOND)
    asked.push(provider.started() - before)
  }

  // A ninth of all in a second: then the first of them look again, and the last for the first time.
  expect(Math.max(...asked)).toBeLessThan((count / 9) * 1.2)
  expect(Math.min(...asked.slice(0, 8))).toBeGreaterThan((count / 9) * 0.8)
  expect(asked.reduce((sum, each) => sum + each, 0)).toBe(count)
})
