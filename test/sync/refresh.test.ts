import { describe, expect, test } from 'vitest'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { dependencyId, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { BundleStatus } from '../../lib/status.ts'
import type { Unread } from '../../lib/store/subscription.ts'
import { refresh } from '../../lib/sync/refresh.ts'
import { Rounds } from '../../lib/sync/rounds.ts'
import { bundleStatus } from '../admin/statuses.ts'
import { settled } from '../support/fake-clock.ts'

const never = new AbortController().signal
const A: Dependency = { provider: 'one', kind: 'value', path: 'a', params: {} }

/** One bundle whose parts a test plays. */
function place(before: Partial<BundleStatus> = {}) {
  const changed = new Mailbox<undefined>()
  const rounds = new Rounds(changed)
  const listeners = new Set<() => void>()
  const inputs = {
    asked: Promise.withResolvers<void>(),
    answer: Promise.withResolvers<void>(),
    isSettled: true,
    wanted: [A] as readonly Dependency[],
    failing: [] as readonly Unread[],
  }
  let status = bundleStatus({ name: 'web', generation: 1, confirmed: true, ...before })
  const stand = (change: Partial<BundleStatus>) => {
    status = { ...status, ...change }
    for (const listener of listeners) listener()
  }
  return {
    inputs,
    changed,
    listeners,
    stand,
    /** One round that comes to this. */
    round: async (change: Partial<BundleStatus>) => {
      await settled()
      rounds.begin()
      changed.clear()
      stand(change)
      rounds.end()
      await settled()
    },
    refresh: (signal = never) =>
      refresh(
        {
          inputs: {
            get wanted() {
              return new Map(inputs.wanted.map(each => [dependencyId(each), each]))
            },
            refresh: async cut => await Promise.race([inputs.asked.promise, aborted(cut)]),
            answered: async cut => await Promise.race([inputs.answer.promise, aborted(cut)]),
            settled: wanted => wanted.length === 0 || inputs.isSettled,
            unread: () => inputs.failing,
          },
          rounds,
          status: () => status,
          listen: listener => {
            listeners.add(listener)
            return () => void listeners.delete(listener)
          },
        },
        signal,
      ),
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over'))))
}

const UNCHANGED = { kind: 'unchanged', generation: 1 } as const
const PUBLISHED = { kind: 'published', generation: 2, changed: ['a'], confirmed: true } as const

describe('a refresh', () => {
  test('waits for the answers, and then for a round that began after them', async () => {
    const bundle = place()
    let isOver = false
    const refreshed = bundle.refresh().finally(() => (isOver = true))
    await bundle.round({ lastOutcome: UNCHANGED })
    expect(isOver).toBe(false)
    bundle.inputs.asked.resolve()
    await settled()
    expect(isOver).toBe(false)
    await bundle.round({ lastOutcome: UNCHANGED })

    expect(await refreshed).toEqual({
      bundle: 'web',
      outcome: 'unchanged',
      summary: 'unchanged at generation 1',
      unread: [],
      more: 0,
    })
    expect(bundle.listeners.size).toBe(0)
  })

  test('says what was published meanwhile, be it before the last round', async () => {
    const bundle = place()
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2 })
    bundle.inputs.asked.resolve()
    await bundle.round({ lastOutcome: { kind: 'unchanged', generation: 2 } })

    expect(await refreshed).toMatchObject({ outcome: 'published', summary: 'generation 2 published' })
  })

  test('waits until what was published is told and confirmed', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    let isOver = false
    const refreshed = bundle.refresh().finally(() => (isOver = true))
    const owed = [{ hook: 'http', error: 'ECONNREFUSED' }]
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2, confirmed: false, owed })
    expect(isOver).toBe(false)
    bundle.stand({ owed: [] })
    await settled()
    expect(isOver).toBe(false)
    // Confirmed without its hooks, by an earlier `once --no-hooks`, say.
    bundle.stand({ confirmed: true, owed })
    await settled()
    expect(isOver).toBe(false)
    bundle.stand({ owed: [] })

    expect(await refreshed).toMatchObject({ outcome: 'published' })
  })

  test('waits for that also when a later pass had nothing to do', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    let isOver = false
    const refreshed = bundle.refresh().finally(() => (isOver = true))
    const owed = [{ hook: 'http', error: 'ECONNREFUSED' }]
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2, confirmed: false, owed })
    bundle.stand({ lastOutcome: { kind: 'unchanged', generation: 2 } })
    await settled()
    expect(isOver).toBe(false)
    bundle.stand({ owed: [], confirmed: true })

    expect(await refreshed).toMatchObject({ outcome: 'published', summary: 'generation 2 published' })
  })

  test('says what it was taken back for', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: undefined, generation: 2 })
    bundle.stand({
      lastOutcome: { kind: 'rolled-back', condemned: 2, generation: 3, why: 'probe: 500' },
      generation: 3,
    })

    expect(await refreshed).toMatchObject({
      outcome: 'rolled-back',
      summary: 'generation 2 was rolled back by 3: probe: 500',
    })
  })

  test('that makes a template ask for more waits for that as well', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    bundle.inputs.isSettled = false
    let isOver = false
    const refreshed = bundle.refresh().finally(() => (isOver = true))
    const waiting = { kind: 'waiting', for: [{ dependency: A, why: 'no answer yet' }] } as const
    await bundle.round({ lastOutcome: waiting })
    expect([isOver, bundle.changed.full]).toEqual([false, false])
    bundle.inputs.isSettled = true
    bundle.inputs.answer.resolve()
    await settled()
    expect(isOver).toBe(false)
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2 })

    expect(await refreshed).toMatchObject({ outcome: 'published' })
  })

  test('has another pass see what is answered as soon as it is asked for', async () => {
    const bundle = place()
    bundle.inputs.wanted = []
    bundle.inputs.asked.resolve()
    let isOver = false
    const refreshed = bundle.refresh().finally(() => (isOver = true))
    await settled()
    bundle.inputs.wanted = [A]
    bundle.inputs.answer.resolve()
    await bundle.round({ lastOutcome: { kind: 'waiting', for: [{ dependency: A, why: 'no answer yet' }] } })
    expect(isOver).toBe(false)
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2 })

    expect(await refreshed).toMatchObject({ outcome: 'published' })
  })

  test('does not wait for what is answered and not there', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: { kind: 'waiting', for: [{ dependency: A, why: 'there is nothing' }] } })

    expect(await refreshed).toMatchObject({ outcome: 'waiting', summary: 'waiting for one://a (there is nothing)' })
  })

  test('that changed nothing says what is still owed, and does not wait for it', async () => {
    const bundle = place({ owed: [{ hook: 'http', error: 'ECONNREFUSED' }], confirmed: false })
    bundle.inputs.asked.resolve()
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: UNCHANGED })

    expect(await refreshed).toMatchObject({
      outcome: 'unchanged',
      summary: 'unchanged at generation 1; not told yet: http (ECONNREFUSED)',
    })
  })

  test('tells what could not be read, the first of many', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const error = new ProviderError('forbidden', 'one://a: 403\nfor ever', { hint: 'mend the policy' })
    bundle.inputs.failing = Array.from({ length: 103 }, (_, i) => ({ dependency: A, error, isAsked: i === 0 }))
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: UNCHANGED })
    const { unread, more } = await refreshed

    expect([unread.length, more]).toEqual([100, 3])
    expect(unread[0]).toEqual({
      dependency: 'one://a',
      code: 'forbidden',
      message: 'one://a: 403\nfor ever',
      hint: 'mend the policy',
    })
  })

  test('leaves nothing of a secret that nobody can mask any more', async () => {
    const [spaced, long] = ['correct  horse\\tbattery', `${'x'.repeat(1_990)} ${'0123456789'.repeat(4)}`]
    const redactor = new Redactor()
    for (const secret of [spaced, long.slice(-40)]) redactor.add(secret)
    const bundle = place()
    bundle.inputs.asked.resolve()
    bundle.inputs.failing = [{ dependency: A, error: new ProviderError('unavailable', long), isAsked: false }]
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: { kind: 'broken', problem: { message: `failed at ${spaced}` } } })
    const { summary, unread } = await refreshed

    expect(redactor.redact(summary)).toBe('failed at [secret]')
    expect(redactor.redact(unread[0]?.message ?? '')).toMatch(/x \[secret]$/)
  })

  test('gives the hint of what is broken', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const refreshed = bundle.refresh()
    await bundle.round({ lastOutcome: { kind: 'broken', problem: { message: 'ENOSPC', hint: 'make room' } } })

    expect(await refreshed).toMatchObject({ outcome: 'broken', summary: 'ENOSPC', hint: 'make room' })
  })
})

describe('at its deadline a refresh', () => {
  test('names what has not answered', async () => {
    const bundle = place()
    const error = new ProviderError('unavailable', 'as it was before')
    const late: Dependency = { ...A, path: 'late' }
    bundle.inputs.failing = [
      { dependency: A, error: undefined, isAsked: true },
      { dependency: late, error, isAsked: true },
    ]
    const over = new AbortController()
    const refreshed = bundle.refresh(over.signal)
    await settled()
    over.abort()

    expect(await refreshed).toEqual({
      bundle: 'web',
      outcome: 'pending',
      summary: 'no answer yet from one://a, one://late',
      unread: [],
      more: 0,
    })
  })

  test('names what a template has asked for newly, and what has failed before', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    bundle.inputs.isSettled = false
    const over = new AbortController()
    const refreshed = bundle.refresh(over.signal)
    await bundle.round({ lastOutcome: { kind: 'waiting', for: [{ dependency: A, why: 'no answer yet' }] } })
    const error = new ProviderError('unavailable', 'one://late: sealed')
    bundle.inputs.failing = [
      { dependency: A, error: undefined, isAsked: true },
      { dependency: { ...A, path: 'late' }, error, isAsked: true },
    ]
    over.abort()

    expect(await refreshed).toMatchObject({
      outcome: 'pending',
      summary: 'no answer yet from one://a',
      unread: [{ dependency: 'one://late' }],
    })
  })

  test('says what is still owed of what was published, also when a later pass had nothing to do', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const over = new AbortController()
    const refreshed = bundle.refresh(over.signal)
    const owed = [{ hook: 'http', error: 'ECONNREFUSED' }]
    const summary = 'generation 2, on probation; not told yet: http (ECONNREFUSED)'
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2, confirmed: false, owed, summary })
    bundle.stand({ lastOutcome: { kind: 'unchanged', generation: 2 } })
    over.abort()

    expect(await refreshed).toMatchObject({ outcome: 'pending', summary })
  })

  test('says that a generation is on probation', async () => {
    const bundle = place()
    bundle.inputs.asked.resolve()
    const over = new AbortController()
    const refreshed = bundle.refresh(over.signal)
    const summary = 'generation 2, on probation'
    await bundle.round({ lastOutcome: PUBLISHED, generation: 2, confirmed: false, summary })
    const error = new ProviderError('unavailable', 'one://a: sealed')
    bundle.inputs.failing = [{ dependency: A, error, isAsked: true }]
    over.abort()

    expect(await refreshed).toMatchObject({ outcome: 'pending', summary, unread: [{ dependency: 'one://a' }] })
    expect(bundle.listeners.size).toBe(0)
  })
})
