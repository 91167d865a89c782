import { describe, expect, onTestFinished, test } from 'vitest'
import { silentLog, type Log } from '../../lib/base/log.ts'
import type { Notice } from '../../lib/notice.ts'
import { HookError, type Hook } from '../../lib/notify/hook.ts'
import { Notifier, type DeliveryResult } from '../../lib/notify/notifier.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { notice } from './fixtures.ts'

/** One call of a hook, which the test ends. */
interface Call {
  readonly generation: number
  readonly signal: AbortSignal
  succeed(): void
  fail(error?: Error): void
}

/** A hook whose calls the test sees, and ends when `answer` does not. */
class ScriptedHook implements Hook {
  readonly id: string
  readonly calls: Call[] = []
  /** Called for each call, at once. */
  answer: (call: Call) => void = () => {}

  constructor(id: string) {
    this.id = id
  }

  tell({ generation }: Notice, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const call = {
        generation,
        signal,
        succeed: resolve,
        fail: (error: Error = new HookError('failed', 'no luck')) => reject(error),
      }
      this.calls.push(call)
      signal.addEventListener('abort', () => this.whenAborted(call))
      this.answer(call)
    })
  }

  /** What a well-behaved hook does when its signal aborts. */
  whenAborted: (call: Call) => void = call => call.fail(call.signal.reason as Error)

  get last(): Call {
    return this.calls.at(-1) as Call
  }
}

function start(ids: readonly string[] = ['a'], options: { random?: number; log?: Log } = {}) {
  const clock = new FakeClock()
  const hooks = ids.map(id => new ScriptedHook(id))
  const journal: string[] = []
  const recording = { fails: 0 }
  const notifier = new Notifier({
    hooks,
    async delivered(generation, hook) {
      if (recording.fails-- > 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
      journal.push(`${generation} ${hook}`)
    },
    clock,
    random: () => options.random ?? 1,
    log: options.log ?? silentLog,
  })
  onTestFinished(() => {
    const closing = notifier.close()
    hooks.flatMap(hook => hook.calls).forEach(call => call.fail())
    return closing
  })
  const [a, b] = hooks as [ScriptedHook, ScriptedHook]
  return { notifier, clock, journal, recording, a, b }
}

function generation(number: number): Notice {
  return { ...notice, generation: number }
}

/** What a promise has come to by now. */
async function stateOf(promise: Promise<DeliveryResult | void>): Promise<DeliveryResult | 'settled' | 'pending'> {
  let state: DeliveryResult | 'settled' | 'pending' = 'pending'
  void promise.then(value => (state = value ?? 'settled'))
  await settled()
  return state
}

describe('telling', () => {
  test('is done once every hook was told and that is written down', async () => {
    const { notifier, journal, a, b } = start(['a', 'b'])

    const { firstRound, result } = notifier.tell(generation(1), ['a', 'b'])
    await settled()
    a.last.succeed()

    expect(await stateOf(firstRound)).toBe('pending')
    expect(await stateOf(result)).toBe('pending')
    expect(notifier.owed()).toEqual([{ hook: 'b', error: undefined }])

    b.last.succeed()

    expect(await stateOf(firstRound)).toBe('settled')
    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(notifier.owed()).toEqual([])
    expect(journal).toEqual(['1 a', '1 b'])
  })

  test('calls each owed hook once, and no other', async () => {
    const { notifier, a, b } = start(['a', 'b'])

    const { result } = notifier.tell(generation(1), ['b', 'b', 'no-longer-configured'])
    await settled()
    b.last.succeed()

    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect([a.calls.length, b.calls.length]).toEqual([0, 1])
  })

  test('is done at once when nothing is owed', async () => {
    const { notifier } = start()

    const { firstRound, result } = notifier.tell(generation(1), ['no-longer-configured'])

    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(await stateOf(firstRound)).toBe('settled')
  })

  test('has its result before the first round ends, when that decides it', async () => {
    const { notifier, a } = start()
    a.answer = call => call.succeed()

    const { firstRound, result } = notifier.tell(generation(1), ['a'])
    await firstRound

    expect(await Promise.race([result, Promise.resolve('pending')])).toEqual({ kind: 'told' })
  })
})

describe('a hook that fails', () => {
  test('is called again with full jitter, from half a second to half a minute', async () => {
    const { notifier, clock, a } = start(['a'], { random: 1 })
    const calledAtMs: number[] = []
    a.answer = call => {
      calledAtMs.push(clock.monotonicMs())
      call.fail()
    }

    const { firstRound, result } = notifier.tell(generation(1), ['a'])
    await clock.advance(100_000)

    const waits = calledAtMs.map((at, i) => at - (calledAtMs[i - 1] ?? 0)).slice(1)
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect(await stateOf(firstRound)).toBe('settled')
    expect(await stateOf(result)).toBe('pending')
    expect(notifier.owed()).toEqual([{ hook: 'a', error: 'no luck' }])
  })

  test('waits for a part of the longest wait that chance decides', async () => {
    const { notifier, clock, a } = start(['a'], { random: 0.25 })
    a.answer = call => call.fail()

    notifier.tell(generation(1), ['a'])
    await clock.advance(124)
    const before = a.calls.length
    await clock.advance(1)

    expect([before, a.calls.length]).toEqual([1, 2])
  })

  test('holds up no other', async () => {
    const { notifier, clock, journal, a, b } = start(['a', 'b'])
    b.answer = call => call.succeed()

    notifier.tell(generation(1), ['a', 'b'])
    await clock.advance(10)

    expect(a.calls).toHaveLength(1)
    expect(journal).toEqual(['1 b'])
  })

  test('is told in the end', async () => {
    const { notifier, clock, journal, a } = start()
    a.answer = call => (a.calls.length < 3 ? call.fail(new TypeError('a bug')) : call.succeed())

    const { result } = notifier.tell(generation(1), ['a'])
    await clock.advance(1_500)

    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(journal).toEqual(['1 a'])
  })

  test('is a warning when the error is news, and quiet when it repeats itself', async () => {
    const said: string[] = []
    const warn = (message: string, data?: object) => void said.push(`${message} ${JSON.stringify(data)}`)
    const { notifier, clock, a } = start(['a'], { log: { ...silentLog, warn } })
    a.answer = call => call.fail(new HookError('failed', a.calls.length < 4 ? 'first' : 'second', { hint: 'look' }))

    notifier.tell(generation(1), ['a'])
    await clock.advance(20_000)

    expect(a.calls.length).toBeGreaterThan(5)
    expect(said).toEqual([
      'hook failed {"bundle":"web","hook":"a","generation":1,"error":"first","hint":"look"}',
      'hook failed {"bundle":"web","hook":"a","generation":1,"error":"second","hint":"look"}',
    ])
  })
})

test('a call that is abandoned is no failure, and nothing is said of it', async () => {
  const said: string[] = []
  const say = (message: string) => void said.push(message)
  const { notifier } = start(['a'], { log: { ...silentLog, debug: say, warn: say, error: say } })
  notifier.tell(generation(1), ['a'])
  await settled()

  notifier.tell(generation(2), ['a'])
  await settled()

  expect(said).toEqual([])
})

describe('a hook that refuses', () => {
  test('decides the result at once, while others are still being told', async () => {
    const { notifier, a } = start(['a', 'b'])
    a.answer = call => call.fail(new HookError('refused', 'port 0 is not allowed'))

    const { firstRound, result } = notifier.tell(generation(1), ['a', 'b'])

    expect(await stateOf(result)).toEqual({ kind: 'refused', hook: 'a', why: 'port 0 is not allowed' })
    expect(await stateOf(firstRound)).toBe('pending')
  })

  test('is asked again, because the generation may have to stay', async () => {
    const { notifier, clock, journal, a } = start()
    a.answer = call => (a.calls.length === 1 ? call.fail(new HookError('refused', 'not now')) : call.succeed())

    const { firstRound, result } = notifier.tell(generation(1), ['a'])
    await firstRound
    const decided = await stateOf(result)
    await clock.advance(500)

    expect(decided).toMatchObject({ kind: 'refused' })
    expect(journal).toEqual(['1 a'])
    expect(notifier.owed()).toEqual([])
  })
})

describe('a newer notice', () => {
  test('takes over: the call under way is aborted, and the older telling is superseded', async () => {
    const { notifier, journal, a } = start()
    const older = notifier.tell(generation(1), ['a'])
    await settled()

    const newer = notifier.tell(generation(2), ['a'])
    await settled()

    expect(a.calls.map(call => [call.generation, call.signal.aborted])).toEqual([
      [1, true],
      [2, false],
    ])
    expect(await stateOf(older.firstRound)).toBe('settled')
    expect(await stateOf(older.result)).toEqual({ kind: 'superseded' })
    a.last.succeed()
    expect(await stateOf(newer.result)).toEqual({ kind: 'told' })
    expect(journal).toEqual(['2 a'])
  })

  test('ends the wait of a failed hook, and begins its backoff anew', async () => {
    const { notifier, clock, a } = start()
    a.answer = call => call.fail()
    notifier.tell(generation(1), ['a'])
    await clock.advance(40_000)
    const before = a.calls.length

    notifier.tell(generation(2), ['a'])
    await settled()
    const atOnce = a.calls.length
    await clock.advance(500)

    expect(atOnce).toBe(before + 1)
    expect(a.calls.slice(before).map(call => call.generation)).toEqual([2, 2])
  })

  test('waits for a call that is slow to abort, so that no hook is called twice at a time', async () => {
    const { notifier, journal, a } = start()
    a.whenAborted = () => {}
    notifier.tell(generation(1), ['a'])
    await settled()

    notifier.tell(generation(2), ['a'])
    await settled()
    const during = a.calls.length
    a.last.succeed()
    await settled()

    expect(during).toBe(1)
    expect(a.calls.map(call => call.generation)).toEqual([1, 2])
    // The late success was one of the older generation.
    expect(journal).toEqual([])
    expect(notifier.owed()).toEqual([{ hook: 'a', error: undefined }])
  })

  test('skips those between: only the newest is told', async () => {
    const { notifier, journal, a } = start()
    a.whenAborted = () => {}
    notifier.tell(generation(1), ['a'])
    await settled()
    const skipped = notifier.tell(generation(2), ['a'])
    notifier.tell(generation(3), ['a'])
    a.answer = call => call.succeed()
    a.last.fail()
    await settled()

    expect(a.calls.map(call => call.generation)).toEqual([1, 3])
    expect(await stateOf(skipped.result)).toEqual({ kind: 'superseded' })
    expect(journal).toEqual(['3 a'])
  })

  test('leaves a result that was decided before as it is', async () => {
    const { notifier, a } = start()
    a.answer = call => call.succeed()
    const older = notifier.tell(generation(1), ['a'])
    await older.result

    notifier.tell(generation(2), ['a'])

    expect(await stateOf(older.result)).toEqual({ kind: 'told' })
  })

  test('owes a hook that the older one did not', async () => {
    const { notifier, a, b } = start(['a', 'b'])
    a.answer = call => call.succeed()
    b.answer = call => call.succeed()
    await notifier.tell(generation(1), ['a']).result

    await notifier.tell(generation(2), ['a', 'b']).result

    expect([a.calls.length, b.calls.length]).toEqual([2, 1])
  })
})

describe('a delivery that cannot be written down', () => {
  test('is written down later, and the hook is not called again', async () => {
    const { notifier, clock, journal, recording, a } = start()
    recording.fails = 2
    a.answer = call => call.succeed()

    const { firstRound, result } = notifier.tell(generation(1), ['a'])
    await firstRound

    expect(await stateOf(result)).toBe('pending')
    expect(notifier.owed()).toEqual([{ hook: 'a', error: expect.stringContaining('ENOSPC') as string }])
    await clock.advance(1_500)
    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(a.calls).toHaveLength(1)
    expect(journal).toEqual(['1 a'])
  })

  test('does not have the hook called again when the same generation is told once more', async () => {
    const { notifier, journal, recording, a } = start()
    recording.fails = 1
    a.answer = call => call.succeed()
    await notifier.tell(generation(1), ['a']).firstRound

    const { result } = notifier.tell(generation(1), ['a'])

    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(a.calls).toHaveLength(1)
    expect(journal).toEqual(['1 a'])
  })

  test('is given up for a newer generation', async () => {
    const { notifier, clock, journal, recording, a } = start()
    recording.fails = 1
    a.answer = call => call.succeed()
    await notifier.tell(generation(1), ['a']).firstRound

    notifier.tell(generation(2), ['a'])
    await clock.advance(60_000)

    expect(journal).toEqual(['2 a'])
  })
})

describe('close()', () => {
  test('gives a call the time to end, and writes it down', async () => {
    const { notifier, clock, journal, a } = start()
    const { result } = notifier.tell(generation(1), ['a'])
    await settled()

    const closing = notifier.close()
    await clock.advance(1_000)
    expect(a.last.signal.aborted).toBe(false)
    a.last.succeed()

    expect(await stateOf(closing)).toBe('settled')
    expect(await stateOf(result)).toEqual({ kind: 'told' })
    expect(journal).toEqual(['1 a'])
    expect(clock.sleeping).toBe(0)
  })

  test('does not try again what fails meanwhile', async () => {
    const { notifier, a } = start()
    const { result } = notifier.tell(generation(1), ['a'])
    await settled()

    const closing = notifier.close()
    a.last.fail()

    expect(await stateOf(closing)).toBe('settled')
    expect(await stateOf(result)).toEqual({ kind: 'superseded' })
    expect(a.calls).toHaveLength(1)
  })

  test('aborts the calls that take longer and waits for their end', async () => {
    const { notifier, clock, a } = start()
    a.whenAborted = () => {}
    const { firstRound, result } = notifier.tell(generation(1), ['a'])
    await settled()

    const closing = notifier.close()
    await clock.advance(5_000)

    expect(a.last.signal.aborted).toBe(true)
    expect(await stateOf(closing)).toBe('pending')
    expect(await stateOf(result)).toEqual({ kind: 'superseded' })
    expect(await stateOf(firstRound)).toBe('settled')
    a.last.succeed()
    expect(await stateOf(closing)).toBe('settled')
  })

  test('ends the waits, so that nothing is left behind', async () => {
    const { notifier, clock, a } = start()
    a.answer = call => call.fail()
    notifier.tell(generation(1), ['a'])
    await settled()
    expect(clock.sleeping).toBe(1)

    await notifier.close()
    await notifier.close()

    expect(clock.sleeping).toBe(0)
  })

  test('ends the telling for good', async () => {
    const { notifier } = start()
    await notifier.close()

    expect(() => notifier.tell(generation(1), ['a'])).toThrow('closed')
  })
})

test('two hooks of the same id are a bug', () => {
  expect(() => start(['a', 'a'])).toThrow('same id')
})
