import { describe, expect, test } from 'vitest'
import { Crash, CrashFileSystem } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { sequence } from '../support/random.ts'
import { readTree } from '../support/reader.ts'
import { KEEP_AGE_MS, place, show, type Kind } from './suite.ts'

/** What every publisher promises about power cuts and clocks; see also test/crash. */
export function durabilitySuite(kind: Kind): void {
  describe(`the ${kind.name} publisher`, () => {
    test('publishes durably: a power cut afterwards takes nothing away', async () => {
      const here = await place(kind, 'memory')
      await show(here, 1, [here.file('app.conf', 'one'), here.file('old/x', 'x')])
      await show(here, 2, [here.file('app.conf', 'two'), here.file('new/x', 'y')])

      for (let cut = 0; cut < 20; cut++) {
        const left = (here.fileSystem as MemoryFileSystem).powerCut(sequence(cut))

        expect(await here.restarted(left).visible()).toBe(2)
        expect(await readTree(left, here.seen)).toEqual({ 'app.conf': 'two', 'new/x': 'y' })
      }
    })

    test('keeps a generation for its age though the wall clock leaps ahead', async () => {
      const clock = new FakeClock()
      const publisher = kind.make('/', { fileSystem: new MemoryFileSystem(), clock, keepAgeMs: KEEP_AGE_MS })
      const path = kind.name === 'volume' ? 'a' : '/etc/a'
      await publisher.prepare()
      for (const number of [1, 2]) {
        await publisher.stage(number, [{ path, content: Buffer.from(`${number}`), mode: 0o600 }])
        await publisher.publish(number)
      }

      clock.leap(10 * KEEP_AGE_MS)
      await publisher.collect(1, [])
      expect(await publisher.generations()).toEqual([1, 2])

      await clock.advance(KEEP_AGE_MS)
      await publisher.collect(1, [])
      expect(await publisher.generations()).toEqual([2])
    })

    test('publishes durably also in a directory that a crash left half made', async () => {
      for (let cut = 0; cut < 20; cut++) {
        const memory = new MemoryFileSystem()
        const host = { clock: new FakeClock(), keepAgeMs: KEEP_AGE_MS }
        const dying = kind.make('/', { ...host, fileSystem: new CrashFileSystem(memory, { at: 1, when: 'during' }) })
        await expect(dying.prepare()).rejects.toThrow(Crash)

        const publisher = kind.make('/', { ...host, fileSystem: memory })
        await publisher.prepare()
        await publisher.stage(1, [
          { path: kind.name === 'volume' ? 'a' : '/etc/a', content: Buffer.from('x'), mode: 0o600 },
        ])
        await publisher.publish(1)

        const left = memory.powerCut(sequence(cut))
        expect(await kind.make('/', { ...host, fileSystem: left }).visible()).toBe(1)
      }
    })
  })
}
