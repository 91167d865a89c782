/** What every provider must keep, as tests. A fixture brings the plugin and a real backend to it; `providers/README.md`
 *  explains each rule. */
import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { toBytes } from '../../lib/base/text.ts'
import type { Value } from '../../lib/base/value.ts'
import { dependencyId, showDependency } from '../../lib/dependency.ts'
import { ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import type { Reading } from '../../lib/reading.ts'
import { eventually } from '../support/eventually.ts'
import { grown, resources, settledResources, signalHandlers } from '../support/resources.ts'
import {
  ABSENT,
  before,
  PROMPT_MS,
  text,
  UNANSWERED,
  workbench,
  type ConformanceFixture,
  type ConformanceTraits,
  type Make,
  type Workbench,
} from './workbench.ts'

export type { ConformanceFixture, ConformanceTraits } from './workbench.ts'

const CODES: ReadonlySet<string> = new Set<ProviderErrorCode>([
  'unavailable',
  'timeout',
  'rate-limited',
  'unauthenticated',
  'forbidden',
  'invalid-data',
  'bad-config',
  'unsupported',
])
const SENTINEL = 'SENTINEL-0b9e6d'
const TIMEOUT_MS = 60_000
const MISSING = { reading: ABSENT, answer: UNANSWERED }

/** Declares the suite for one provider; `make` is called anew for each test. */
export function providerConformance<Options>(
  name: string,
  make: () => Promise<ConformanceFixture<Options>>,
  traits: ConformanceTraits = {},
): void {
  const { changes = true } = traits
  describe(`the ${name} provider`, { timeout: TIMEOUT_MS }, () => {
    questionTests(make, traits)
    readingTests(make, traits)
    if (changes) changeTests(make, traits)
    endTests(make, changes)
    failureTests(make)
  })
}

function questionTests<Options>(make: Make<Options>, { missing = 'reading' }: ConformanceTraits): void {
  test('asks the same for the same arguments, and names the configured provider', async () => {
    const { plugin, reference } = await workbench(make)
    const args = reference('greeting')
    const before = structuredClone(args)
    const [one, two] = [plugin.reference.ask('mine', args), plugin.reference.ask('mine', args)]
    expect(dependencyId(one)).toBe(dependencyId(two))
    expect(args).toEqual(before)
    expect(one.provider).toBe('mine')
    // Where a path takes its part of a whole, every path asks for that whole.
    const other = plugin.reference.ask('mine', reference('other'))
    expect(dependencyId(other) === dependencyId(one)).toBe(missing === 'answer')
    expect(dependencyId(plugin.reference.ask('theirs', args))).not.toBe(dependencyId(one))
  })

  test('answers the same for the same reading, and does not change it', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    const watching = bench.watch('greeting')
    const reading = await watching.first()
    const before = structuredClone(reading.value)
    expect(bench.answer('greeting', reading)).toBe(bench.answer('greeting', reading))
    expect(reading.value).toEqual(before)
  })

  test('refuses bad arguments with a message for the author', async () => {
    const { plugin, reference } = await workbench(make)
    const good = reference('greeting')
    const bad: readonly (readonly Value[])[] = [[], [null], [42], [new Map()], [['greeting']], [...good, 'x', 'y', 'z']]
    for (const args of bad) expect(() => plugin.reference.ask('mine', args)).toThrow(/^.{3}/)
  })
}

function readingTests<Options>(
  make: Make<Options>,
  { binary = true, empty = true, freeNames = true, missing = 'reading' }: ConformanceTraits,
): void {
  test('yields at once what is there', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    const startMs = systemClock.nowMs()
    const reading = await bench.watch('greeting').first()
    expect(bench.answer('greeting', reading)).toBe('hello')
    expect(reading.revision).not.toBe('')
    expect(reading.observedAtMs).toBeGreaterThanOrEqual(startMs - 1_000)
    expect(reading.observedAtMs).toBeLessThanOrEqual(systemClock.nowMs() + 1_000)
  })

  test('yields absent for what does not exist', async () => {
    const bench = await workbench(make)
    await bench.write('other', text('hello'))
    await bench.open()
    expect(bench.answer('greeting', await bench.watch('greeting').first())).toBe(MISSING[missing])
  })

  test('gives the same revision when nothing changed, to each watch', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    const one = bench.watch('greeting')
    await one.first()
    await one.stop()
    const two = bench.watch('greeting')
    await two.first()
    expect(two.latest.revision).toBe(one.latest.revision)
  })

  test.runIf(empty)('tells an empty value from an absent one', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text(''))
    await bench.open()
    expect(bench.answer('greeting', await bench.watch('greeting').first())).toBe('')
  })

  test.runIf(binary)('carries any bytes', async () => {
    const bench = await workbench(make)
    const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) % 256)
    await bench.write('greeting', bytes)
    await bench.open()
    const answer = bench.answer('greeting', await bench.watch('greeting').first())
    expect(Buffer.from(toBytes(answer as string)).equals(bytes)).toBe(true)
  })

  test.runIf(freeNames)('reads names of any script, spaces and depth', async () => {
    const bench = await workbench(make)
    const names = ['wörld', 'ключ', '名前', 'a b', '😀', 'per%20cent', 'nested/deeper/name']
    for (const path of names) await bench.write(path, text(`value of ${path}`))
    await bench.open()
    for (const path of names) {
      expect(bench.answer(path, await bench.watch(path).first())).toBe(`value of ${path}`)
    }
  })
}

function changeTests<Options>(
  make: Make<Options>,
  { burst = 50, withinMs = 10_000, missing = 'reading' }: ConformanceTraits,
): void {
  const soon = { withinMs }

  test('yields after each change, in the end the newest', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('0'))
    await bench.open()
    const watching = bench.watch('greeting')
    await watching.first()
    for (let i = 1; i <= 5; i++) {
      await bench.write('greeting', text(`${i}`))
      await eventually(() => expect(bench.answer('greeting', watching.latest)).toBe(`${i}`), soon)
    }
    for (let i = 1; i <= burst; i++) await bench.write('greeting', text(`burst ${i}`))
    await eventually(() => expect(bench.answer('greeting', watching.latest)).toBe(`burst ${burst}`), soon)
    expect(watching.ends).toEqual([])
    expect(contradictions(watching.readings)).toEqual([])
  })

  test('sees what appears, disappears and returns', async () => {
    const bench = await workbench(make)
    await bench.write('other', text('always here'))
    await bench.open()
    const watching = bench.watch('greeting')
    expect(bench.answer('greeting', await watching.first())).toBe(MISSING[missing])
    for (const value of ['one', 'two']) {
      await bench.write('greeting', text(value))
      await eventually(() => expect(bench.answer('greeting', watching.latest)).toBe(value), soon)
      await bench.remove('greeting')
      await eventually(() => expect(bench.answer('greeting', watching.latest)).toBe(MISSING[missing]), soon)
    }
    expect(watching.ends).toEqual([])
    expect(contradictions(watching.readings)).toEqual([])
  })

  test('gives a slow reader the newest', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('0'))
    await bench.open()
    const controller = new AbortController()
    const readings = bench.provider.watch(bench.ask('greeting'), controller.signal)[Symbol.asyncIterator]()
    await readings.next()
    for (let i = 1; i <= 3; i++) await bench.write('greeting', text(`${i}`))
    let newest: unknown
    while (newest !== '3') {
      const next = await before(readings.next(), withinMs, 'the newest value')
      expect(next.done).toBeFalsy()
      newest = bench.answer('greeting', next.value as Reading)
    }
    expect(await endOf(readings.next(), controller)).toBe('ended')
  })

  test('misses no change that comes while a watch starts', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('0'))
    await bench.open()
    for (let round = 1; round <= 8; round++) {
      const watching = bench.watch('greeting')
      for (let i = 0; i < round * 3; i++) await setImmediate()
      await bench.write('greeting', text(`${round}`))
      await eventually(() => expect(bench.answer('greeting', watching.latest)).toBe(`${round}`), soon)
      await watching.stop()
      expect(watching.ends).toEqual([])
    }
  })

  test('keeps watches of different dependencies independent', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.write('other', text('still'))
    await bench.open()
    const [greeting, other] = [bench.watch('greeting'), bench.watch('other')]
    await Promise.all([greeting.first(), other.first()])
    await bench.write('greeting', text('hi'))
    await eventually(() => expect(bench.answer('greeting', greeting.latest)).toBe('hi'), soon)
    expect(new Set(other.readings.map(reading => bench.answer('other', reading)))).toEqual(new Set(['still']))
    await greeting.stop()
    await bench.write('other', text('moved'))
    await eventually(() => expect(bench.answer('other', other.latest)).toBe('moved'), soon)
    expect(other.ends).toEqual([])
  })

  test('serves a watch that starts before the last one of the same dependency has ended', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('1'))
    await bench.open()
    const old = bench.watch('greeting')
    await old.first()
    const ended = old.stop()
    const young = bench.watch('greeting')
    await young.first()
    await ended
    await bench.write('greeting', text('2'))
    await eventually(() => expect(bench.answer('greeting', young.latest)).toBe('2'), soon)
    expect(young.ends).toEqual([])
  })
}

function endTests<Options>(make: Make<Options>, changes: boolean): void {
  test('does not start on a signal that is aborted already', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    const controller = new AbortController()
    controller.abort(new Error('over'))
    const readings = bench.provider.watch(bench.ask('greeting'), controller.signal)[Symbol.asyncIterator]()
    expect(await endOf(readings.next(), controller)).toBe('ended')
  })

  test('ends promptly when aborted, wherever it is', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    for (let turns = 0; turns <= 12; turns++) {
      const controller = new AbortController()
      const readings = bench.provider.watch(bench.ask('greeting'), controller.signal)[Symbol.asyncIterator]()
      let next = readings.next()
      for (let i = 0; i < turns; i++) await setImmediate()
      controller.abort(new Error('over'))
      // The reading may have come before the abort did; then it is what follows that must end.
      const early = await before(Promise.allSettled([next]), PROMPT_MS, 'the end of a watch')
      if (early[0].status === 'fulfilled' && !early[0].value.done) next = readings.next()
      expect(await endOf(next, controller)).toBe('ended')
      expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    }
  })

  test('ends promptly when aborted while it waits', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.open()
    for (const path of ['greeting', 'not there']) {
      const watching = bench.watch(path)
      await watching.first()
      for (let i = 0; i < 10; i++) await setImmediate()
      await watching.stop()
      expect(watching.ends).toEqual([])
    }
  })

  test('leaves nothing behind, and can be closed twice', async () => {
    const bench = await workbench(make)
    await bench.write('greeting', text('hello'))
    await bench.write('other', text('hello'))
    await settledResources()
    const before = resources()
    const handlers = signalHandlers()
    for (let round = 0; round < 3; round++) {
      await bench.open()
      const watchings = ['greeting', 'other', 'not there'].map(path => bench.watch(path))
      await Promise.all(watchings.map(watching => watching.first()))
      if (changes) await bench.write('greeting', text(`hello ${round}`))
      await Promise.all(watchings.map(watching => watching.stop()))
      await bench.provider.close()
      await bench.provider.close()
    }
    await eventually(() => expect(grown(before, resources())).toEqual({}), { withinMs: PROMPT_MS })
    expect(signalHandlers()).toBe(handlers)
  })

  test('can be closed without a watch', async () => {
    const bench = await workbench(make)
    await bench.open()
    await bench.provider.close()
    await expect(bench.provider.close()).resolves.toBeUndefined()
  })
}

function failureTests<Options>(make: Make<Options>): void {
  test('throws a ProviderError when the backend cannot be read, and reads again when it can', async context => {
    const bench = await workbench(make)
    const { breakBackend, mendBackend } = bench.fixture
    if (breakBackend === undefined || mendBackend === undefined) {
      context.skip()
      return
    }
    await bench.write('greeting', text(SENTINEL))
    await bench.open()
    const running = bench.watch('greeting')
    await running.first()
    await breakBackend()
    const controller = new AbortController()
    const readings = bench.provider.watch(bench.ask('greeting'), controller.signal)[Symbol.asyncIterator]()
    const [{ status, reason }] = (await before(Promise.allSettled([readings.next()]), TIMEOUT_MS / 2, 'an error')) as [
      { status: string; reason?: unknown },
    ]
    expect(status).toBe('rejected')
    expect(reason).toBeInstanceOf(ProviderError)
    await mendBackend()
    await bench.write('greeting', text(`${SENTINEL} again`))
    const later = bench.watch('greeting', { restart: true })
    await eventually(() => expect(bench.answer('greeting', later.latest)).toBe(`${SENTINEL} again`), {
      withinMs: 15_000,
    })
    await Promise.all([running.stop(), later.stop()])
    for (const error of [reason, ...running.ends, ...later.ends]) expectCleanError(error, bench)
    const log = bench.logged.join('')
    for (const hidden of hiddenTexts(bench.fixture)) expect(log).not.toContain(hidden)
  })

  test('shows no credential in a dependency', async () => {
    const { plugin, reference, fixture } = await workbench(make)
    const dependency = plugin.reference.ask('mine', reference('greeting'))
    const shown = showDependency(dependency) + dependencyId(dependency)
    for (const hidden of hiddenTexts(fixture)) expect(shown).not.toContain(hidden)
  })
}

/** Aborts, if that has not been done, and says how the watch took it: `ended` by a return or by the signal's own reason. */
async function endOf(next: Promise<IteratorResult<Reading>>, controller: AbortController): Promise<unknown> {
  if (!controller.signal.aborted) controller.abort(new Error('over'))
  const [outcome] = await before(Promise.allSettled([next]), PROMPT_MS, 'the end of a watch')
  if (outcome.status === 'rejected') return outcome.reason === controller.signal.reason ? 'ended' : outcome.reason
  return outcome.value.done ? 'ended' : outcome.value
}

/** The revisions that stand for more than one value. */
function contradictions(readings: readonly Reading[]): readonly string[] {
  const values = new Map<string, Reading['value']>()
  const found: string[] = []
  for (const { revision, value } of readings) {
    if (values.has(revision) && !isDeepStrictEqual(value, values.get(revision))) found.push(revision)
    values.set(revision, value)
  }
  return found
}

function expectCleanError<Options>(error: unknown, { fixture }: Workbench<Options>): void {
  expect(error).toBeInstanceOf(ProviderError)
  const { code, message, hint } = error as ProviderError
  expect(CODES).toContain(code)
  expect(message.length).toBeGreaterThan(3)
  let shown = `${message} ${hint}`
  for (let cause = (error as Error).cause; cause instanceof Error; cause = cause.cause) shown += ` ${cause.message}`
  for (const hidden of hiddenTexts(fixture)) expect(shown).not.toContain(hidden)
}

function hiddenTexts<Options>(fixture: ConformanceFixture<Options>): readonly string[] {
  return [SENTINEL, ...(fixture.credentials ?? [])]
}
