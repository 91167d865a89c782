import { describe, expect, test } from 'vitest'
import { Reporter, type Owed } from '../../lib/sync/reporter.ts'
import { nothingKnown, type Standing } from '../../lib/sync/standing.ts'
import { FakeClock } from '../support/fake-clock.ts'

const GOOD: Standing = {
  ...nothingKnown,
  visible: 7,
  confirmed: true,
  hasConfirmed: true,
  outcome: { kind: 'unchanged', generation: 7 },
}

function start() {
  const clock = new FakeClock()
  let owed: readonly Owed[] = []
  const reporter = new Reporter(new Map([['web', () => owed]]), () => [], clock)
  return {
    clock,
    reporter,
    owe: (...hooks: readonly string[]) => (owed = hooks.map(hook => ({ hook, error: 'connection refused' }))),
    report: (standing: Partial<Standing> = {}) => reporter.report('web', { ...GOOD, ...standing }),
    web: () => reporter.status().bundles[0],
  }
}

describe('a bundle is ready', () => {
  test('when its generation is visible and confirmed, whatever keeps a newer one from being made', () => {
    const { report, web } = start()
    report()
    expect(web()).toMatchObject({ ready: true, generation: 7, summary: 'generation 7, confirmed' })

    report({ outcome: { kind: 'rejected', digest: 'd', why: 'nginx: unknown directive' } })
    expect(web()).toMatchObject({ ready: true, summary: expect.stringContaining('unknown directive') as string })

    report({
      failing: { message: 'no space left' },
      outcome: { kind: 'broken', problem: { message: 'no space left' } },
    })
    expect(web()).toMatchObject({ ready: true, summary: expect.stringContaining('no space left') as string })
  })

  test.each<[string, Partial<Standing>]>([
    ['nothing is visible', { visible: undefined, confirmed: false }],
    ['the first one is on probation', { confirmed: false, hasConfirmed: false }],
    ['it was taken badly and stays', { confirmed: false, condemned: 'healthz answers 500' }],
  ])('not when %s, and says so', (_, standing) => {
    const { report, web } = start()
    expect(web()?.ready).toBe(false)
    report(standing)
    expect(web()?.ready).toBe(false)
    expect(web()?.summary).not.toBe('')
  })

  test('while a later generation is on probation, so that a change takes nothing out of service', () => {
    const { report, web } = start()
    report({ confirmed: false })
    expect(web()).toMatchObject({ ready: true, summary: 'generation 7, on probation' })
  })

  test.each([
    ['a first generation, which is not ready', false, false],
    ['a later one, which stays ready meanwhile', true, true],
  ])('or not, and which hook has not been told, and why, is said of %s', (_, hasConfirmed, ready) => {
    const { owe, report, web } = start()
    owe('reload')
    report({ confirmed: false, hasConfirmed })
    expect(web()).toMatchObject({ ready, summary: expect.stringMatching(/reload.*connection refused/) as string })
  })

  test('not while a hook is owed for longer than its grace', async () => {
    const { clock, owe, report, web } = start()
    owe('reload')
    report()
    expect(web()).toMatchObject({ ready: true, owed: [{ hook: 'reload' }] })
    await clock.advance(30_001)
    expect(web()).toMatchObject({ ready: false, summary: expect.stringContaining('connection refused') as string })
  })

  test('whose grace counts from the generation that is owed, though nobody asked in between', async () => {
    const { clock, owe, report, web } = start()
    owe('reload')
    report({ confirmed: false })
    await clock.advance(20_000)
    owe()
    report()
    owe('reload')
    await clock.advance(20_000)
    report()
    expect(web()?.ready).toBe(true)
  })

  test('whose grace runs also while nobody asks', async () => {
    const { clock, owe, report, web } = start()
    owe('reload')
    report()
    await clock.advance(30_001)
    expect(web()?.ready).toBe(false)
  })
})

test('the loop is known to come round by each report, and every few seconds without any', async () => {
  const { clock, reporter, report } = start()
  await clock.advance(1_000)
  report()
  expect(reporter.status().loopedAtMs).toBe(1_000)

  const over = new AbortController()
  const beating = reporter.beat(over.signal).catch(() => {})
  await clock.advance(60_000)
  expect(clock.monotonicMs() - reporter.status().loopedAtMs).toBeLessThanOrEqual(5_000)
  over.abort()
  await beating
  expect(clock.sleeping).toBe(0)
})

test('listeners are called at each report until they leave', () => {
  const { reporter, report } = start()
  let calls = 0
  const leave = reporter.listen(() => void calls++)
  report()
  report()
  leave()
  report()
  expect(calls).toBe(2)
})
