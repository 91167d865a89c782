import { describe, expect, test } from 'vitest'
import type { KeptLease } from '../../lib/reading.ts'
import { seal, unseal } from '../../lib/state/seal.ts'
import { CRASH_MOMENTS, CrashFileSystem } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { a, DIRECTORY, KEY, open, reading } from './sealed.ts'

const HOUR = 3_600_000

function lease(id: string, order: number, nowMs: number): KeptLease {
  const given = { id, durationMs: HOUR, renewable: true, endsAtMs: nowMs + HOUR }
  const kept = { dependency: a, identity: 'id', lease: given, users: ['web'], order, keptAtMs: nowMs }
  return { ...kept, reading: { ...reading(`password of ${id}`), lease: given } }
}

describe('seal()', () => {
  test('opens under the same name and key only, and not when a bit of it has changed', () => {
    const sealed = seal('hunter2-4711', 'a', KEY)
    expect(unseal(sealed, 'a', KEY)).toBe('hunter2-4711')
    expect(unseal(sealed, 'b', KEY)).toBeUndefined()
    expect(unseal(sealed, 'a', new Uint8Array(32))).toBeUndefined()
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Uint8Array.from(sealed, (byte, i) => (i === at ? byte ^ 1 : byte))
      expect(unseal(damaged, 'a', KEY)).toBeUndefined()
    }
    expect(unseal(sealed.subarray(0, 20), 'a', KEY)).toBeUndefined()
    expect(Buffer.from(sealed).toString('latin1')).not.toContain('hunter2')
  })
})

describe('sealed leases', () => {
  test('come back with their reading, until they have ended', async () => {
    const { state, disk, clock } = await open()
    const kept = lease('l-1', 1, clock.nowMs())
    await state.putLease(kept)
    await state.putLease(lease('l-0', 0, clock.nowMs() - HOUR))

    expect((await open({ disk })).state.leases).toEqual([kept])
    expect(await disk.list(`${DIRECTORY}/leases`)).toHaveLength(1)
  })

  test('are there whole, or as they were, after a crash at each call', async () => {
    for (let at = 1; ; at++) {
      let calls = 0
      for (const when of CRASH_MOMENTS) {
        const disk = new MemoryFileSystem()
        const nowMs = new FakeClock().nowMs()
        const before = await open({ disk })
        await before.state.putLease(lease('l-1', 1, nowMs))
        const crashing = new CrashFileSystem(disk, { at, when })
        const dying = await open({ disk: crashing }).catch(() => undefined)
        await dying?.state.putLease(lease('l-2', 2, nowMs))
        await dying?.state.removeLease(lease('l-1', 1, nowMs))
        calls = crashing.calls
        const { state, warned } = await open({ disk: disk.powerCut(() => 0.5) })

        const ids = state.leases.map(({ lease: { id } }) => id).toSorted()
        expect([['l-1'], ['l-1', 'l-2'], ['l-2']]).toContainEqual(ids)
        expect(warned).toEqual([])
      }
      if (calls < at) return
    }
  })
})
