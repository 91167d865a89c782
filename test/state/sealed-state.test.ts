import { describe, expect, test } from 'vitest'
import { silentLog, type Log } from '../../lib/base/log.ts'
import { Float, Struct, Tree, Uint, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { KeptLease, Reading } from '../../lib/reading.ts'
import { openSealedState, type SealPolicy } from '../../lib/state/sealed-state.ts'
import { seal, unseal } from '../../lib/state/seal.ts'
import { CRASH_MOMENTS, CrashFileSystem } from '../support/crash-filesystem.ts'
import { failingAt } from '../support/failing-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'

const DIRECTORY = '/state/sealed'
const KEY = new Uint8Array(32).fill(7)
const HOUR = 3_600_000

const a: Dependency = { provider: 'one', kind: 'value', path: 'a', params: {} }
const b: Dependency = { ...a, path: 'b' }

function reading(value: Value | Tree, revision = 'r1'): Reading {
  return { value, revision, observedAtMs: 5, sensitive: true }
}

function lease(id: string, order: number, nowMs: number): KeptLease {
  const given = { id, durationMs: HOUR, renewable: true, endsAtMs: nowMs + HOUR }
  const kept = { dependency: a, identity: 'id', lease: given, users: ['web'], order, keptAtMs: nowMs }
  return { ...kept, reading: { ...reading(`password of ${id}`), lease: given } }
}

interface Opening {
  readonly disk?: MemoryFileSystem | CrashFileSystem
  readonly key?: Uint8Array
  readonly policy?: SealPolicy
  readonly identity?: string
}

async function open({ disk = new MemoryFileSystem(), key = KEY, policy = 'all', identity = 'id' }: Opening = {}) {
  const clock = new FakeClock()
  const warned: string[] = []
  const log: Log = { ...silentLog, warn: message => warned.push(message) }
  const providers = new Map([['one', { seal: policy, identity }]])
  const state = await openSealedState({ directory: DIRECTORY, key, providers, fileSystem: disk, clock, log })
  return { state, disk, warned, clock }
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

describe('sealed readings', () => {
  test('are written soon after a pause, together, and the next ones not before a second has gone by', async () => {
    const { state, disk, clock } = await open()
    const written = async () => (await disk.list(`${DIRECTORY}/readings`)).length
    state.putReading(a, reading('one'))
    state.putReading(b, reading('two'))
    await clock.advance(50)
    expect(await written()).toBe(2)
    const before = await disk.list(`${DIRECTORY}/readings`)
    state.putReading({ ...a, path: 'c' }, reading('three'))
    await clock.advance(500)
    expect(await disk.list(`${DIRECTORY}/readings`)).toEqual(before)
    await clock.advance(1_000)
    expect(await written()).toBe(3)
    await state.close()
  })

  test('that cannot be written leave no older one behind', async () => {
    const first = await open()
    first.state.putReading(a, reading('old', 'r1'))
    await first.state.close()
    const { state, warned } = await open({ disk: failingAt(first.disk, 'replaceFile', 'ENOSPC') as MemoryFileSystem })
    state.putReading(a, reading('new', 'r2'))
    await state.close()

    expect(warned).toEqual(['cannot keep it for a restart'])
    expect(await (await open({ disk: first.disk })).state.reading(a)).toBeUndefined()
  })

  test('come back as they were, whatever they are of', async () => {
    const value = new Map<string, Value>([
      ['text', 'with \udc80 a byte'],
      ['list', [null, true, 42, 2n ** 62n]],
      ['numbers', [new Uint(2n ** 64n - 1n), new Float(-0), new Float(Infinity), new Float(1.5)]],
      ['struct', new Struct('dependency.KeyPair', new Map([['Key', 'k']]))],
    ])
    const tree = new Tree(new Map([['f', { content: Uint8Array.of(0, 255), mode: 0o640 }]]))
    const first = await open()
    first.state.putReading(a, reading(value))
    first.state.putReading(b, reading(tree))
    await first.state.close()
    const { state } = await open({ disk: first.disk })

    expect(await state.reading(a)).toEqual(reading(value))
    expect((await state.reading(b))?.value).toEqual(
      new Tree(new Map([['f', { content: Buffer.of(0, 255), mode: 0o640 }]])),
    )
  })

  test('are found only by a provider that reads from the same, and where that is asked for', async () => {
    const { state, disk } = await open()
    state.putReading(a, reading('v'))
    await state.close()
    expect(await (await open({ disk, identity: 'other' })).state.reading(a)).toBeUndefined()
    expect(await (await open({ disk, policy: 'leases' })).state.reading(a)).toBeUndefined()
    expect(await (await open({ disk })).state.reading(a)).toMatchObject({ value: 'v' })
  })

  test('cannot be swapped: each that was is ignored, with one line', async () => {
    const { state, disk } = await open()
    state.putReading(a, reading('of a'))
    state.putReading(b, reading('of b'))
    await state.close()
    const [one = '', two = ''] = await disk.list(`${DIRECTORY}/readings`)
    await disk.rename(`${DIRECTORY}/readings/${one}`, `${DIRECTORY}/readings/${two}`)
    const { state: again, warned } = await open({ disk })
    const found = await Promise.all([again.reading(a), again.reading(b), again.reading(a), again.reading(b)])

    expect(found).toEqual([undefined, undefined, undefined, undefined])
    expect(warned).toEqual(['sealed record ignored'])
  })

  test('are gone at once when they are taken back, also while they are written', async () => {
    const { state, disk, clock } = await open()
    state.putReading(a, reading('v'))
    await clock.advance(2_000)
    state.putReading(a, reading('w', 'r2'))
    state.removeReading(a)
    await state.close()

    expect(await disk.list(`${DIRECTORY}/readings`)).toEqual([])
  })

  test('of what is not wanted any more are removed, and those that are damaged', async () => {
    const { state, disk } = await open()
    for (const dependency of [a, b]) state.putReading(dependency, reading('v'))
    await state.close()
    const { state: again } = await open({ disk })
    again.retain([a])
    await again.close()
    expect(await disk.list(`${DIRECTORY}/readings`)).toHaveLength(1)

    const { state: other } = await open({ disk, key: new Uint8Array(32) })
    expect(await other.reading(a)).toBeUndefined()
    other.retain([a])
    await other.close()
    expect(await disk.list(`${DIRECTORY}/readings`)).toEqual([])
  })

  test('that are too large are not kept, nor what was kept before them', async () => {
    const { state, disk, warned, clock } = await open()
    state.putReading(a, reading('small'))
    await clock.advance(2_000)
    state.putReading(a, reading('x'.repeat(5 * 1024 * 1024), 'r2'))
    await state.close()

    expect(warned).toEqual(['not kept for a restart, it is too much'])
    expect(await disk.list(`${DIRECTORY}/readings`)).toEqual([])
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
