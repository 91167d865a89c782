import { describe, expect, onTestFinished, test } from 'vitest'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Value } from '../../lib/base/value.ts'
import { dependencyId, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Reading } from '../../lib/reading.ts'
import type { Keeper } from '../../lib/store/keeper.ts'
import { Store } from '../../lib/store/store.ts'
import { poll } from '../../providers/poll.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { AWAY, LeaseBackend } from '../support/lease-backend.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const never = new AbortController().signal

function place() {
  const clock = new FakeClock()
  const provider = new ScriptedProvider(clock)
  const store = new Store({
    providers: new Map([['one', provider]]),
    clock,
    random: () => 1,
    log: silentLog,
    redactor: new Redactor(),
    shrinkLimits: new Map([['one', { holdMs: 30 * SECOND, share: 1 }]]),
  })
  const web = store.subscribe('web')
  onTestFinished(() => store.close())
  return { clock, provider, store, web }
}

function at(path: string): Dependency {
  return { provider: 'one', kind: 'value', path, params: {} }
}

/** Tells whether a refresh has come to its end. */
function asked(refresh: Promise<void>): { readonly isOver: () => boolean } {
  let isOver = false
  void refresh.then(() => (isOver = true))
  return { isOver: () => isOver }
}

/** Has a provider read what `read` gives, once an hour. */
function pollHourly(provider: ScriptedProvider, clock: FakeClock, read: (signal: AbortSignal) => Promise<Value>) {
  let reads = 0
  provider.watch = (_, signal) =>
    poll(
      { everyMs: HOUR, clock, random: () => 0.5 },
      async cut => {
        const number = ++reads
        return { value: await read(cut), revision: `r${number}`, observedAtMs: 0, sensitive: false }
      },
      signal,
    )
  return () => reads
}

describe('Subscription.refresh', () => {
  test('reads at once what is polled, and is over when that has been answered', async () => {
    const { clock, provider, web } = place()
    let value = 'old'
    const reads = pollHourly(provider, clock, async () => value)
    const a = at('a')
    web.want([a])
    await settled()
    value = 'new'
    const nowMs = clock.monotonicMs()
    await web.refresh(never)

    expect(web.get(a)?.value).toBe('new')
    expect([reads(), clock.monotonicMs()]).toEqual([2, nowMs])
    await clock.advance(HOUR)
    expect(reads()).toBe(3)
  })

  test('watches anew what is watched, and each of it once', async () => {
    const { provider, web } = place()
    const all = ['a', 'b', 'c'].map(at)
    for (const { path } of all) provider.set(path, path)
    web.want(all)
    await settled()
    await web.refresh(never)

    for (const { path } of all) expect([provider.started(path), provider.active(path)]).toEqual([2, 1])
  })

  test('serves what is there until the answer comes', async () => {
    const { provider, web } = place()
    const a = at('a')
    provider.set('a', 'old')
    web.want([a])
    await settled()
    web.changed.clear()
    provider.hang('a')
    const refresh = asked(web.refresh(never))
    await settled()
    expect([web.get(a)?.value, web.settled([a]), web.changed.full]).toEqual(['old', true, false])
    expect(web.unread()).toEqual([{ dependency: a, error: undefined, isAsked: true }])
    expect(refresh.isOver()).toBe(false)

    provider.set('a', 'new')
    await settled()
    expect([web.get(a)?.value, refresh.isOver(), web.unread()]).toEqual(['new', true, []])
  })

  test('is no change where the answer is the same', async () => {
    const { provider, web } = place()
    provider.set('a', 'same')
    web.want([at('a')])
    await settled()
    web.changed.clear()
    await web.refresh(never)

    expect(provider.started('a')).toBe(2)
    expect(web.changed.full).toBe(false)
  })

  test('asks only for what is wanted here', async () => {
    const { provider, store, web } = place()
    const other = store.subscribe('other')
    web.want([at('a')])
    other.want([at('b')])
    await settled()
    await web.refresh(never)

    expect([provider.started('a'), provider.started('b')]).toEqual([2, 1])
  })

  test('ends the wait after a failure', async () => {
    const { clock, provider, web } = place()
    const a = at('a')
    provider.fail('a', new ProviderError('forbidden', 'one://a: 403', { retryAfterMs: HOUR }))
    web.want([a])
    await clock.advance(SECOND)
    expect(provider.started('a')).toBe(1)
    provider.set('a', 'mended')
    await web.refresh(never)

    expect(web.get(a)?.value).toBe('mended')
  })

  test('is over when what fails has failed again, and the next wait is as long as the one that it ended', async () => {
    const { clock, provider, web } = place()
    const a = at('a')
    provider.fail('a', AWAY)
    web.want([a])
    await settled()
    for (let i = 0; i < 20; i++) await web.refresh(never)
    expect(provider.started('a')).toBe(21)
    expect(web.unread()).toEqual([{ dependency: a, error: AWAY, isAsked: false }])

    // While it is tried again it has failed all the same.
    provider.heal('a')
    provider.hang('a')
    await clock.advance(250)
    expect(provider.started('a')).toBe(22)
    expect(web.unread()).toEqual([{ dependency: a, error: AWAY, isAsked: false }])
  })

  test('tells what has failed since it asked from what has not answered, also while it is tried again', async () => {
    const { clock, provider, web } = place()
    const [a, b] = [at('a'), at('b')]
    for (const { path } of [a, b]) provider.set(path, path)
    web.want([a, b])
    await settled()
    provider.fail('a', AWAY)
    provider.hang('b')
    const refresh = asked(web.refresh(never))
    await settled()
    provider.heal('a')
    provider.hang('a')
    await clock.advance(SECOND)

    expect([provider.started('a'), refresh.isOver()]).toEqual([3, false])
    expect(web.unread()).toEqual([
      { dependency: a, error: AWAY, isAsked: false },
      { dependency: b, error: undefined, isAsked: true },
    ])
  })

  test('does not shorten a wait that comes later', async () => {
    const { clock, provider, web } = place()
    provider.fail('a', AWAY)
    web.want([at('a')])
    await clock.advance(10 * SECOND)
    const before = provider.started('a')
    await web.refresh(never)
    expect(provider.started('a')).toBe(before + 1)
    await clock.advance(SECOND)

    expect(provider.started('a')).toBe(before + 1)
  })

  test('begins the waits after failures anew, as any watch that was good for long', async () => {
    const { clock, provider, web } = place()
    provider.fail('a', AWAY)
    web.want([at('a')])
    await clock.advance(HOUR)
    provider.heal('a')
    await clock.advance(HOUR)
    await web.refresh(never)
    const before = provider.started('a')
    provider.fail('a', AWAY)
    await clock.advance(SECOND)

    expect(provider.started('a')).toBeGreaterThan(before + 1)
  })

  test('asks again after an answer that is on its way, which it does not cut off', async () => {
    const { clock, provider, web } = place()
    const answers: PromiseWithResolvers<Value>[] = []
    let cuts = 0
    pollHourly(provider, clock, signal => {
      signal.addEventListener('abort', () => cuts++, { once: true })
      const answer = Promise.withResolvers<Value>()
      answers.push(answer)
      return answer.promise
    })
    const a = at('a')
    web.want([a])
    await settled()
    const refreshes = [web.refresh(never), web.refresh(never)].map(asked)
    await settled()
    expect([answers.length, cuts]).toEqual([1, 0])
    answers[0]?.resolve('from before')
    await settled()
    expect([answers.length, web.get(a)?.value]).toEqual([2, 'from before'])
    expect(refreshes.map(({ isOver }) => isOver())).toEqual([false, false])
    const third = asked(web.refresh(never))
    answers[1]?.resolve('from after')
    await settled()

    expect(web.get(a)?.value).toBe('from after')
    expect([...refreshes, third].map(({ isOver }) => isOver())).toEqual([true, true, false])
    answers[2]?.resolve('from after that')
    await settled()
    expect([answers.length, third.isOver()]).toEqual([3, true])
  })

  test('is over when what it waits for is not wanted any more', async () => {
    const { provider, web } = place()
    provider.set('a', 'old')
    web.want([at('a'), at('b')])
    await settled()
    provider.hang('a')
    const refresh = asked(web.refresh(never))
    await settled()
    expect(refresh.isOver()).toBe(false)
    web.want([at('b')])
    await settled()

    expect(refresh.isOver()).toBe(true)
  })

  test('is given up with its signal, and what it has begun goes on', async () => {
    const { provider, web } = place()
    const a = at('a')
    provider.set('a', 'old')
    web.want([a])
    await settled()
    provider.hang('a')
    const enough = new AbortController()
    const refresh = web.refresh(enough.signal)
    enough.abort(new Error('enough'))
    await expect(refresh).rejects.toThrow('enough')
    provider.set('a', 'new')
    await settled()

    expect(web.get(a)?.value).toBe('new')
  })

  test('of thousands resolves when the last has been answered', async () => {
    const { provider, web } = place()
    const all = Array.from({ length: 5_000 }, (_, i) => at(`p${i}`))
    for (const { path } of all) provider.set(path, 'old')
    web.want(all)
    await settled()
    provider.hang('p4999')
    const refresh = asked(web.refresh(never))
    await settled()
    expect([provider.started(), refresh.isOver(), web.unread().length]).toEqual([10_000, false, 1])
    provider.set('p4999', 'new')
    await settled()

    expect(refresh.isOver()).toBe(true)
  })
})

describe('a lease', () => {
  test('that is good is not made anew, nor what has it read', async () => {
    const { clock, provider, web } = place()
    const backend = new LeaseBackend(clock)
    backend.serve(provider, 'db', { durationMs: HOUR })
    provider.set('plain', 'old')
    web.want([at('db'), at('plain')])
    await settled()
    const before = web.get(at('db'))
    await web.refresh(never)
    await web.refresh(never)

    expect([backend.minted('db'), provider.started('db'), provider.started('plain')]).toEqual([1, 1, 3])
    expect(web.get(at('db'))).toBe(before)
    expect(provider.renewed).toEqual([])
  })

  test('whose making is on its way is made once', async () => {
    const { clock, provider, web } = place()
    const backend = new LeaseBackend(clock)
    backend.serve(provider, 'db', { durationMs: HOUR })
    provider.hang('db')
    web.want([at('db')])
    await settled()
    const refresh = asked(web.refresh(never))
    await settled()
    provider.heal('db')
    await settled()

    expect([backend.minted('db'), refresh.isOver()]).toEqual([1, true])
  })

  test('that could not be made is tried for at once', async () => {
    const { clock, provider, web } = place()
    const backend = new LeaseBackend(clock)
    backend.serve(provider, 'db', { durationMs: HOUR })
    provider.fail('db', AWAY)
    web.want([at('db')])
    await clock.advance(10 * SECOND)
    provider.heal('db')
    await web.refresh(never)

    expect(backend.minted('db')).toBe(1)
  })

  test('is not given more often than may be, however often somebody asks', async () => {
    const { clock, provider, web } = place()
    const backend = new LeaseBackend(clock)
    // Each ends as soon as it is given, so each is one that must be replaced.
    backend.serve(provider, 'db', { durationMs: 10, renewable: false })
    web.want([at('db')])
    for (let i = 0; i < 50; i++) {
      await web.refresh(never)
      await clock.advance(10)
    }

    expect(backend.minted('db')).toBe(6)
  })
})

test('what the shrink guard holds back stays held back, until its time is over', async () => {
  const { clock, provider, web } = place()
  const a = at('a')
  provider.set('a', ['x', 'y'])
  web.want([a])
  await settled()
  provider.set('a', [])
  await settled()
  await clock.advance(10 * SECOND)
  await web.refresh(never)
  expect(web.get(a)?.value).toEqual(['x', 'y'])
  await clock.advance(20 * SECOND - 1)
  expect(web.get(a)?.value).toEqual(['x', 'y'])
  await clock.advance(1)

  expect(web.get(a)?.value).toEqual([])
})

describe('a first reading that was put off', () => {
  function restarted() {
    const { clock, provider, store, web } = place()
    provider.everyMs = () => 10 * SECOND
    const kept = new Map<string, Reading>()
    let release: (() => void) | undefined
    const keeper: Keeper = {
      async reading(dependency) {
        if (release !== undefined) await new Promise<void>(resolve => (release = resolve))
        return kept.get(dependencyId(dependency))
      },
      putReading() {},
      removeReading() {},
      async putLease() {},
      async removeLease() {},
      async forgetOlder() {},
      retain() {},
    }
    store.restore(keeper, [])
    store.putOff()
    web.unhurried()
    const a = at('a')
    kept.set(dependencyId(a), { value: 'kept', revision: 'kept', observedAtMs: 0, sensitive: false })
    return {
      clock,
      provider,
      web,
      a,
      /** Makes what was kept take its time; gives what ends that. */
      holdUp: () => {
        release = () => {}
        return () => release?.()
      },
    }
  }

  test('comes now, and what was kept is served until then', async () => {
    const { provider, web, a } = restarted()
    web.want([a])
    await settled()
    expect(provider.started('a')).toBe(0)
    provider.hang('a')
    const refresh = asked(web.refresh(never))
    await settled()
    expect([provider.started('a'), web.get(a)?.value, web.settled([a])]).toEqual([1, 'kept', true])
    expect(provider.knowns).toEqual([undefined])
    provider.set('a', 'new')
    await settled()

    expect([web.get(a)?.value, refresh.isOver()]).toEqual(['new', true])
  })

  test('comes now as well while what was kept is being looked for', async () => {
    const { provider, web, a, holdUp } = restarted()
    const release = holdUp()
    provider.fail('a', AWAY)
    web.want([a])
    await settled()
    const refresh = asked(web.refresh(never))
    release()
    await settled()

    expect([provider.started('a'), refresh.isOver()]).toEqual([1, true])
    expect(web.get(a)).toMatchObject({ value: 'kept', lastKnownGood: true })
  })

  test('comes now where somebody waits for a first answer', async () => {
    const { provider, web, a } = restarted()
    provider.set('a', 'new')
    web.want([a])
    await settled()
    expect([provider.started('a'), web.get(a)?.value]).toEqual([0, 'kept'])
    const answered = asked(web.answered(never))
    await settled()

    expect([answered.isOver(), web.get(a)?.value]).toEqual([true, 'new'])
  })

  test('that fails leaves what was kept while the backend is away', async () => {
    const { provider, web, a } = restarted()
    web.want([a])
    await settled()
    provider.fail('a', AWAY)
    await web.refresh(never)

    expect(web.get(a)?.value).toBe('kept')
    expect(web.unread()).toMatchObject([{ error: { code: 'unavailable' } }])
  })
})

test('Subscription.answered resolves when what was never answered has been, and asks for nothing again', async () => {
  const { provider, web } = place()
  provider.set('a', 'A')
  provider.hang('b')
  web.want([at('a'), at('b')])
  await settled()
  const answered = asked(web.answered(never))
  await settled()
  expect(answered.isOver()).toBe(false)
  provider.set('b', 'B')
  await settled()

  expect(answered.isOver()).toBe(true)
  expect([provider.started('a'), provider.started('b')]).toEqual([1, 1])
})

test('a provider forgets the failures that it remembers when somebody asks, and at no other time', async () => {
  const { clock, provider, web } = place()
  let forgotten = 0
  Object.assign(provider, { forgetFailure: () => void forgotten++ })
  provider.fail('a', AWAY)
  web.want([at('a')])
  await clock.advance(60 * SECOND)
  expect(forgotten).toBe(0)
  await web.refresh(never)
  expect(forgotten).toBe(1)
  const tries = provider.started('a')
  await clock.advance(300 * SECOND)

  expect(provider.started('a')).toBeGreaterThan(tries)
  expect(forgotten).toBe(1)
})

test('nor does it forget them for the lease that comes after one that was on its way', async () => {
  const { clock, provider, web } = place()
  let forgotten = 0
  Object.assign(provider, { forgetFailure: () => void forgotten++ })
  const backend = new LeaseBackend(clock)
  backend.serve(provider, 'db', { durationMs: HOUR, renewable: false })
  provider.hang('db')
  web.want([at('db')])
  await settled()
  const refresh = asked(web.refresh(never))
  provider.heal('db')
  await settled()
  expect([backend.minted('db'), refresh.isOver()]).toEqual([1, true])
  await clock.advance(HOUR)

  expect(backend.minted('db')).toBe(2)
  expect(forgotten).toBe(0)
})

describe('what is made by being read, and has no lease', () => {
  function making() {
    const all = place()
    Object.assign(all.provider, { makes: ({ path }: Dependency) => path === 'made' })
    for (const path of ['made', 'plain']) all.provider.set(path, path)
    return all
  }

  test('is not made anew', async () => {
    const { provider, web } = making()
    web.want([at('made'), at('plain')])
    await settled()
    await web.refresh(never)

    expect([provider.started('made'), provider.started('plain')]).toEqual([1, 2])
    expect(web.unread()).toEqual([])
  })

  test('is made once where that is on its way', async () => {
    const { provider, web } = making()
    provider.hang('made')
    web.want([at('made')])
    await settled()
    const refresh = asked(web.refresh(never))
    await settled()
    provider.heal('made')
    await settled()

    expect([provider.started('made'), refresh.isOver(), web.unread()]).toEqual([1, true, []])
  })

  test('is tried for where it could not be made', async () => {
    const { clock, provider, web } = making()
    provider.fail('made', AWAY)
    web.want([at('made')])
    await clock.advance(SECOND)
    provider.heal('made')
    await web.refresh(never)

    expect(web.get(at('made'))?.value).toBe('made')
  })
})
