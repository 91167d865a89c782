import { closeSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { moved, readSteadily, type ReadOptions } from '../../../providers/file/read.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { scratch } from '../../support/scratch.ts'
import { comesTo, contentOf, Files } from './files.ts'

function options(clock: FakeClock): ReadOptions {
  return { root: '/', clock, revisionKey: undefined }
}

/** Remembers how long it was asked to sleep. */
class RecordingClock extends FakeClock {
  readonly slept: number[] = []

  override sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    this.slept.push(durationMs)
    return super.sleep(durationMs, signal)
  }
}

test('what changes while it is read is read again until it holds still', async () => {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const gone = Object.assign(new Error('gone'), { code: 'ENOENT' })
  const attempts = [async () => moved, async () => Promise.reject(gone), async () => 'still'] as const
  let tries = 0
  const reading = readSteadily('a', options(clock), async () => attempts[tries++]?.(), signal)
  await clock.advance(1_000)
  expect((await reading).content).toBe('still')
  expect(tries).toBe(3)
})

test('what never holds still is unavailable after a second', async () => {
  const clock = new FakeClock()
  const reading = readSteadily('a', options(clock), async () => moved, new AbortController().signal)
  const [, outcome] = await Promise.all([clock.advance(1_000), Promise.allSettled([reading])])
  expect(outcome[0]).toMatchObject({ reason: { code: 'unavailable', message: /^a: keeps changing/ } })
})

test('waiting for what does not hold still ends with the signal', async () => {
  const controller = new AbortController()
  const clock = new FakeClock()
  const reading = readSteadily('a', options(clock), async () => moved, controller.signal)
  await eventually(() => expect(clock.sleeping).toBe(1))
  controller.abort(new Error('over'))
  await expect(reading).rejects.toBe(controller.signal.reason)
})

test('a file that was just emptied is not read before it is written', async () => {
  const root = scratch()
  const path = join(root, 'a')
  writeFileSync(path, 'before')
  const clock = new RecordingClock(Date.now())
  const watching = new Files(root, { host: { clock } }).watchFile('a')
  await comesTo(watching, 'before')
  await eventually(() => expect(clock.sleeping).toBe(1))
  const file = openSync(path, 'w')
  utimesSync(path, clock.nowMs() / 1_000, clock.nowMs() / 1_000)
  await eventually(() => expect(clock.slept).toContain(20))
  writeSync(file, 'after')
  closeSync(file)
  await clock.advance(20)
  await comesTo(watching, 'after')
  expect(watching.readings.map(contentOf)).toEqual(['before', 'after'])
})

test('a file that stays empty is read as empty', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), 'before')
  const watching = new Files(root).watchFile('a')
  await comesTo(watching, 'before')
  writeFileSync(join(root, 'a'), '')
  await comesTo(watching, '')
  expect(watching.ends).toEqual([])
})
