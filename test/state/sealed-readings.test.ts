import { describe, expect, test, vi } from 'vitest'
import { Float, Struct, Tree, Uint, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { readSealedLines } from '../../lib/state/sealed-lines.ts'
import { CRASH_MOMENTS, CrashFileSystem } from '../support/crash-filesystem.ts'
import { failingAt } from '../support/failing-filesystem.ts'
import { settled } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { sequence } from '../support/sequence.ts'
import { a, DIRECTORY, open, reading } from './sealed.ts'

const FILE = `${DIRECTORY}/readings`
const MIB = 1024 * 1024

const b: Dependency = { ...a, path: 'b' }

async function content(disk: FileSystem): Promise<Uint8Array> {
  return (await disk.stat(FILE)) === undefined ? new Uint8Array() : disk.readFile(FILE)
}

/** The records that count, and how many lines there are in all. */
async function records(disk: FileSystem) {
  const bytes = await content(disk)
  const lines = Buffer.from(bytes).toString().split('\n').filter(Boolean)
  return { count: readSealedLines(bytes).lines.size, lines: lines.length }
}

/** A disk on which this was kept. */
async function diskWith(readings: readonly (readonly [Dependency, Reading])[]): Promise<MemoryFileSystem> {
  const disk = new MemoryFileSystem()
  const { state } = await open({ disk })
  for (const each of readings) state.putReading(...each)
  await state.close()
  return disk
}

describe('sealed readings', () => {
  test('are written soon after a pause, together, and the next ones not before a second has gone by', async () => {
    const { state, disk, clock } = await open()
    const append = vi.spyOn(disk, 'appendFile')
    state.putReading(a, reading('one'))
    state.putReading(b, reading('two'))
    await clock.advance(50)
    expect(await records(disk)).toEqual({ count: 2, lines: 2 })
    state.putReading({ ...a, path: 'c' }, reading('three'))
    await clock.advance(500)
    expect(append).toHaveBeenCalledTimes(1)
    await clock.advance(1_000)
    expect(await records(disk)).toEqual({ count: 3, lines: 3 })
    expect((await disk.stat(FILE))?.mode).toBe(0o600)
    await state.close()
  })

  test('are few writes, however many there are', async () => {
    const { state, disk } = await open()
    const append = vi.spyOn(disk, 'appendFile')
    for (let i = 0; i < 10_000; i++) state.putReading({ ...a, path: `${i}` }, reading(`value ${i}`))
    await state.close()
    expect((await records(disk)).count).toBe(10_000)
    expect(append.mock.calls.length).toBeLessThanOrEqual(40)
  })

  test('are not written again when a restart reads the same, and are when it reads something else', async () => {
    const disk = await diskWith([
      [a, reading('one')],
      [b, reading('two')],
    ])
    const before = await content(disk)
    const { state } = await open({ disk })
    state.putReading(a, reading('one'))
    state.putReading(b, reading('two'))
    await state.close()
    expect(await content(disk)).toEqual(before)

    const { state: third } = await open({ disk })
    third.putReading(a, reading('three', 'r2'))
    await third.close()
    expect(await (await open({ disk })).state.reading(a)).toMatchObject({ value: 'three' })
  })

  test('come back as they were, whatever they are of', async () => {
    const value = new Map<string, Value>([
      ['text', 'with \udc80 a byte'],
      ['list', [null, true, 42, 2n ** 62n]],
      ['numbers', [new Uint(2n ** 64n - 1n), new Float(-0), new Float(Infinity), new Float(1.5)]],
      ['struct', new Struct('dependency.KeyPair', new Map([['Key', 'k']]))],
    ])
    const tree = new Tree(new Map([['f', { content: Uint8Array.of(0, 255), mode: 0o640 }]]))
    const disk = await diskWith([
      [a, reading(value)],
      [b, reading(tree)],
    ])
    const { state } = await open({ disk })

    expect(await state.reading(a)).toEqual(reading(value))
    expect((await state.reading(b))?.value).toEqual(
      new Tree(new Map([['f', { content: Buffer.of(0, 255), mode: 0o640 }]])),
    )
  })

  test('are found only by a provider that reads from the same, and where that is asked for', async () => {
    const disk = await diskWith([[a, reading('v')]])
    expect(await (await open({ disk, identity: 'other' })).state.reading(a)).toBeUndefined()
    expect(await (await open({ disk, policy: 'leases' })).state.reading(a)).toBeUndefined()
    expect(await (await open({ disk })).state.reading(a)).toMatchObject({ value: 'v' })
  })

  test('cannot be swapped, nor passed off as another revision: each that was is ignored, with one line', async () => {
    const disk = await diskWith([
      [a, reading('of a')],
      [b, reading('of b')],
    ])
    const [one, two] = [...readSealedLines(await content(disk)).lines.values()]
    const body = ({ bytes }: { bytes: Buffer }) => bytes.toString().trim().split(' ')[2]
    if (one === undefined || two === undefined) throw new Error('there are two')
    const swapped = `\n${one.name} ${one.mark} ${body(two)}\n\n${two.name} ${one.mark} ${body(two)}\n`
    await disk.replaceFile(FILE, Buffer.from(swapped), { mode: 0o600 })
    const { state, warned } = await open({ disk })
    const found = await Promise.all([state.reading(a), state.reading(b), state.reading(a), state.reading(b)])

    expect(found).toEqual([undefined, undefined, undefined, undefined])
    expect(warned).toEqual(['sealed record ignored', 'sealed record ignored'])
  })

  test(
    'of which one byte is damaged lose nothing else, and are kept again when they are read',
    { timeout: 60_000 },
    async () => {
      const all = [a, b, { ...a, path: 'c' }]
      const disk = await diskWith(all.map(of => [of, reading(of.path)]))
      const whole = await content(disk)
      for (let at = 0; at < whole.length; at++) {
        for (const byte of [(whole[at] as number) ^ 1, 0x0a]) {
          const damaged = Uint8Array.from(whole)
          damaged[at] = byte
          const copy = new MemoryFileSystem()
          await copy.makeDirectories(DIRECTORY, 0o700)
          await copy.replaceFile(FILE, damaged, { mode: 0o600 })
          const { state, warned } = await open({ disk: copy })
          const found = await Promise.all(all.map(of => state.reading(of)))
          expect(found.filter((each, i) => each?.value === all[i]?.path).length).toBeGreaterThanOrEqual(2)
          expect(found.filter((each, i) => each !== undefined && each.value !== all[i]?.path)).toEqual([])
          // A line break in its middle makes two of it.
          expect(warned.length).toBeLessThanOrEqual(byte === 0x0a ? 2 : 1)
          for (const of of all) state.putReading(of, reading(of.path))
          state.retain(all)
          await state.close()
          expect(await records(copy)).toEqual({ count: 3, lines: 3 })
        }
      }
    },
  )

  test('that cannot be written down are told of in one line, and keep nothing else from being written', async () => {
    const { state, disk, warned } = await open()
    const deep = Array.from({ length: 20_000 }).reduce<Value>(inner => [inner], 'deep')
    state.putReading(a, reading('before'))
    state.putReading(b, reading('one'))
    await state.forgetOlder()
    state.putReading(a, { ...reading('x', 'r2'), value: absent })
    state.putReading({ ...a, path: 'deep' }, reading(deep))
    await state.close()

    expect(warned).toEqual(Array.from({ length: 2 }, () => 'not kept for a restart, it cannot be written down'))
    expect(await (await open({ disk })).state.reading(b)).toMatchObject({ value: 'one' })
  })

  test('that are too large are not kept, nor what was kept before them', async () => {
    const { state, disk, warned, clock } = await open()
    state.putReading(a, reading('small'))
    await clock.advance(2_000)
    state.putReading(a, reading('x'.repeat(5 * MIB), 'r2'))
    await state.close()

    expect(warned).toEqual(['not kept for a restart, it is too much'])
    expect(await disk.stat(FILE)).toBeUndefined()
  })

  test(
    'and leases are never more than 64 MiB together, also when they are written at once',
    { timeout: 60_000 },
    async () => {
      const { state, disk, warned, clock } = await open()
      const large = 'x'.repeat(3 * MIB)
      const given = { id: 'id', durationMs: 1e6, renewable: true, endsAtMs: clock.nowMs() + 1e6 }
      const kept = { identity: 'id', lease: given, users: [], order: 1, keptAtMs: 0 }
      for (let i = 0; i < 12; i++) state.putReading({ ...a, path: `${i}` }, reading(large))
      const leases = Array.from({ length: 15 }, (_, i) =>
        state.putLease({ ...kept, dependency: { ...b, path: `${i}` }, reading: { ...reading(large), lease: given } }),
      )
      await Promise.all([...leases, state.close()])
      let bytes = (await content(disk)).length
      for (const name of await disk.list(`${DIRECTORY}/leases`))
        bytes += (await disk.stat(`${DIRECTORY}/leases/${name}`))?.size ?? 0

      expect(bytes).toBeLessThanOrEqual(64 * MIB)
      expect(bytes).toBeGreaterThan(55 * MIB)
      expect(new Set(warned)).toEqual(new Set(['not kept for a restart, it is too much']))
    },
  )

  test('that cannot be read are no reason not to start, and are removed', async () => {
    const disk = await diskWith([[a, reading('v')]])
    const { state, warned } = await open({ disk: failingAt(disk, 'readFile', 'EIO', FILE) })
    expect(warned).toEqual(['sealed records ignored'])
    state.putReading(b, reading('w'))
    await state.close()
    expect(await records(disk)).toEqual({ count: 1, lines: 1 })
  })

  test('of an earlier layout, each a file, are removed', async () => {
    const disk = new MemoryFileSystem()
    await disk.makeDirectories(FILE, 0o700)
    await disk.createFile(`${FILE}/0123`, Buffer.from('sealed'), { mode: 0o600 })
    const { state } = await open({ disk })
    state.putReading(a, reading('v'))
    await state.close()
    expect(await records(disk)).toEqual({ count: 1, lines: 1 })
  })
})

describe('what is not the newest any more', () => {
  test('is gone from the disk ten seconds later', async () => {
    const { state, disk, clock } = await open()
    state.putReading(a, reading('old'))
    state.putReading(b, reading('other'))
    await clock.advance(2_000)
    state.putReading(a, reading('new', 'r2'))
    await clock.advance(2_000)
    expect(await records(disk)).toEqual({ count: 2, lines: 3 })
    await clock.advance(10_000)
    expect(await records(disk)).toEqual({ count: 2, lines: 2 })
    state.removeReading(b)
    await settled()
    expect(await records(disk)).toMatchObject({ count: 1 })
    await clock.advance(10_000)
    expect(await records(disk)).toEqual({ count: 1, lines: 1 })
    await state.close()
  })

  test('is never much more than what is', async () => {
    const { state, disk, clock } = await open()
    for (let i = 0; i < 40; i++) {
      state.putReading(a, reading('x'.repeat(MIB / 2), `r${i}`))
      await clock.advance(100)
      await state.forgetOlder()
      expect((await content(disk)).length).toBeLessThan(4 * MIB)
    }
    await state.close()
  })

  test('is gone at once when it is taken back, also while it is written', async () => {
    const { state, disk, clock } = await open()
    state.putReading(a, reading('v'))
    await clock.advance(2_000)
    state.putReading(a, reading('w', 'r2'))
    state.removeReading(a)
    expect(await state.reading(a)).toBeUndefined()
    await state.close()

    expect(await disk.stat(FILE)).toBeUndefined()
  })

  test('goes when it is not wanted, and when it is damaged', async () => {
    const disk = await diskWith([
      [a, reading('v')],
      [b, reading('v')],
    ])
    const { state } = await open({ disk })
    state.retain([a])
    await state.close()
    expect(await records(disk)).toEqual({ count: 1, lines: 1 })

    const { state: other } = await open({ disk, key: new Uint8Array(32) })
    expect(await other.reading(a)).toBeUndefined()
    other.retain([a])
    await other.close()
    expect(await disk.stat(FILE)).toBeUndefined()
  })

  test.each([
    ['cannot be added to', ['appendFile'], ['other']],
    ['has no room', ['appendFile', 'replaceFile'], [undefined]],
  ] as const)('does not stay when the disk %s', async (_, calls, others) => {
    const disk = await diskWith([
      [a, reading('old')],
      [b, reading('other')],
    ])
    const failing = calls.reduce<FileSystem>((inner, call) => failingAt(inner, call, 'ENOSPC'), disk)
    const { state, warned } = await open({ disk: failing })
    state.putReading(a, reading('new', 'r2'))
    await state.close()

    expect(warned).toEqual(['cannot keep it for a restart'])
    const { state: next } = await open({ disk })
    expect([await next.reading(a), (await next.reading(b))?.value]).toEqual([undefined, ...others])
  })

  test('is forgotten before forgetOlder() resolves, which waits for nothing where there is nothing older', async () => {
    const disk = await diskWith([[a, reading('old')]])
    const { state } = await open({ disk })
    const append = vi.spyOn(disk, 'appendFile')
    state.putReading(a, reading('old'))
    state.putReading(b, reading('first'))
    await state.forgetOlder()
    expect(append).not.toHaveBeenCalled()
    state.putReading(a, reading('new', 'r2'))
    await state.forgetOlder()
    state.putReading(a, reading('newest', 'r3'))
    await state.forgetOlder()
    expect(append).toHaveBeenCalledTimes(1)

    expect(await (await open({ disk: disk.powerCut(() => 0) })).state.reading(a)).toBeUndefined()
    await state.close()
    expect(await (await open({ disk })).state.reading(a)).toMatchObject({ value: 'newest' })
  })

  test('is forgotten, too, when it is only just being written', async () => {
    const { state, disk, clock } = await open()
    const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    vi.spyOn(disk, 'appendFile').mockImplementationOnce(async (path, bytes) => {
      begun.resolve()
      await end.promise
      await disk.appendFile(path, bytes)
    })
    state.putReading(a, reading('old'))
    await clock.advance(50)
    await begun.promise
    state.putReading(a, reading('new', 'r2'))
    const forgotten = state.forgetOlder()
    end.resolve()
    await forgotten

    expect(await (await open({ disk: disk.powerCut(() => 0) })).state.reading(a)).toBeUndefined()
    await state.close()
  })

  test(
    'is not found after a crash or a power cut at any call, and what was there alone is',
    { timeout: 60_000 },
    async () => {
      const random = sequence(11)
      for (let at = 1; ; at++) {
        let calls = 0
        for (const when of CRASH_MOMENTS) {
          for (const cutPower of [false, true]) {
            const disk = await diskWith([
              [a, reading('0', 'r0')],
              [b, reading('stays')],
            ])
            const crashing = new CrashFileSystem(disk, { at, when })
            const newest = await change(crashing)
            calls = crashing.calls
            const left = cutPower ? disk.powerCut(random) : disk
            const { state, warned } = await open({ disk: left })
            const found = await state.reading(a)

            expect(Number(found?.value ?? newest)).toBeGreaterThanOrEqual(newest)
            expect(await state.reading(b)).toMatchObject({ value: 'stays' })
            expect(warned).toEqual([])
            // Nor does it come back when the power is cut later.
            for (let round = 0; round < 5; round++) {
              const later = await open({ disk: left.powerCut(random) })
              expect(await later.state.reading(a)).toEqual(found)
            }
          }
        }
        if (calls < at) return
      }
    },
  )
})

/** Reads one new value after the other; gives the newest that may have been seen. */
async function change(disk: CrashFileSystem): Promise<number> {
  const opened = await open({ disk }).catch(() => undefined)
  if (opened === undefined) return 0
  const { state, clock } = opened
  let newest = 0
  for (let i = 1; i <= 5 && !disk.dead; i++) {
    state.putReading(a, reading(`${i}`, `r${i}`))
    await state.forgetOlder()
    if (!disk.dead) newest = i
    // Some are written before the next comes, some are not, and some are cleaned up after.
    await clock.advance([0, 30, 2_000, 0, 20_000][i - 1] ?? 0)
  }
  await state.close()
  return newest
}
