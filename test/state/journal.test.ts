import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import { openJournal } from '../../lib/state/journal.ts'
import type { Entry } from '../../lib/state/recover.ts'
import { Crash, CrashFileSystem, CRASH_MOMENTS } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { scratch } from '../support/scratch.ts'

const clock = new FakeClock()

function open(path: string, fileSystem: FileSystem = disk, generations: readonly number[] = []) {
  return openJournal(path, { fileSystem, clock, generations: () => Promise.resolve(generations) })
}

async function entriesOf(path: string, fileSystem: FileSystem = disk): Promise<readonly Entry[]> {
  return (await open(path, fileSystem)).records.map(record => record.entry)
}

const ENTRIES: readonly Entry[] = [
  { kind: 'intended', generation: 1, digest: 'd1', hooks: ['hup'], changed: ['a "b"\n', 'ü'] },
  { kind: 'delivered', generation: 1, hook: 'hup' },
  { kind: 'condemned', generation: 1, digest: 'd1', why: 'probe: 500' },
  { kind: 'intended', generation: 2, digest: 'd0', hooks: [], changed: [], restores: 7 },
  { kind: 'confirmed', generation: 2 },
]

async function written(): Promise<string> {
  const path = join(scratch(), 'journal')
  const journal = await open(path)
  for (const entry of ENTRIES) await journal.append(entry)
  return path
}

describe('the journal', () => {
  test('is empty and writes nothing until something is added', async () => {
    const directory = scratch()

    const journal = await open(join(directory, 'journal'))

    expect(journal.records).toEqual([])
    expect(journal.damage).toEqual([])
    expect(await disk.list(directory)).toEqual([])
  })

  test('gives back what was added, and when', async () => {
    const path = await written()

    const journal = await open(path)

    expect(journal.records).toEqual(ENTRIES.map(entry => ({ atMs: clock.nowMs(), entry })))
    expect(journal.damage).toEqual([])
    expect(journal.recover(2, [2])).toMatchObject({ confirmed: true, restores: 7, nextNumber: 3 })
  })

  test('is one JSON object a line, for us only', async () => {
    const path = await written()

    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')

    expect(lines.map(line => (JSON.parse(line) as { record: unknown }).record)).toEqual([
      { version: 1 },
      ...ENTRIES.map(entry => ({ atMs: clock.nowMs(), entry })),
    ])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('keeps the order of entries that are added at once', async () => {
    const path = join(scratch(), 'journal')
    const journal = await open(path)

    await Promise.all(ENTRIES.map(entry => journal.append(entry)))

    expect(await entriesOf(path)).toEqual(ENTRIES)
  })

  test('drops a last line that was cut off, at every length, and goes on after it', async () => {
    const path = await written()
    const bytes = readFileSync(path)
    const start = bytes.lastIndexOf('\n', bytes.length - 2) + 1

    for (let length = start; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length))
      const journal = await open(path)
      expect(journal.damage).toEqual([])
      expect(journal.records).toHaveLength(ENTRIES.length - 1)
      await journal.append({ kind: 'confirmed', generation: 9 })
      expect(await entriesOf(path)).toEqual([...ENTRIES.slice(0, -1), { kind: 'confirmed', generation: 9 }])
    }
  })

  test('drops what a power cut left as zeros', async () => {
    const path = await written()
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(100)]))

    const journal = await open(path)

    expect(journal.records).toHaveLength(ENTRIES.length)
    expect(journal.damage).toEqual([])
  })

  test('reports a line that cannot be read, keeps all others, and is whole again after the next entry', async () => {
    const path = await written()
    const lines = readFileSync(path, 'utf8').split('\n')
    lines[2] = (lines[2] as string).replace('hup', 'hop')
    writeFileSync(path, lines.join('\n'))

    const journal = await open(path)

    expect(journal.damage).toEqual([expect.stringContaining(`${path}:3: `)])
    expect(journal.records.map(record => record.entry)).toEqual([...ENTRIES.slice(0, 1), ...ENTRIES.slice(2)])
    await journal.append({ kind: 'confirmed', generation: 9 })
    expect((await open(path)).damage).toEqual([])
  })

  test('notices every changed byte', async () => {
    const path = await written()
    const bytes = readFileSync(path)

    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes)
      changed[i] = (changed[i] as number) ^ 0x01
      writeFileSync(path, changed)
      const journal = await open(path)
      const all = new Set(ENTRIES.map(entry => JSON.stringify(entry)))
      for (const { entry } of journal.records) expect(all).toContain(JSON.stringify(entry))
    }
  })

  test('refuses the journal of a later version', async () => {
    const path = await written()
    const journal = readFileSync(path, 'utf8').split('\n')
    const json = '{"version":2}'
    const { crc32 } = await import('node:zlib')
    journal[0] = `{"crc":"${crc32(json).toString(16).padStart(8, '0')}","record":${json}}`
    writeFileSync(path, journal.join('\n'))

    await expect(open(path)).rejects.toMatchObject({ code: 'newer-version', message: expect.stringContaining(path) })
  })

  test('says which disk is full, and neither loses nor invents anything afterwards', async () => {
    const path = await written()
    let full = true
    const fileSystem: FileSystem = {
      ...disk,
      async appendFile(file, content) {
        if (!full) return disk.appendFile(file, content)
        await disk.appendFile(file, content.subarray(0, 10))
        throw Object.assign(new Error('full'), { code: 'ENOSPC', path: file })
      },
    }
    const journal = await open(path, fileSystem)

    await expect(journal.append({ kind: 'confirmed', generation: 8 })).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringContaining(path),
    })
    expect(journal.records).toHaveLength(ENTRIES.length)
    expect(await entriesOf(path)).toEqual(ENTRIES)

    full = false
    await journal.append({ kind: 'confirmed', generation: 9 })
    const all = await open(path)
    expect(all.damage).toEqual([])
    expect(all.records.map(record => record.entry)).toEqual([...ENTRIES, { kind: 'confirmed', generation: 9 }])
  })

  test('stays short over ten thousand generations, and never forgets what it must say', async () => {
    const fileSystem = new MemoryFileSystem()
    let lying: readonly number[] = []
    const journal = await openJournal('/journal', { fileSystem, clock, generations: () => Promise.resolve(lying) })

    for (let number = 1; number <= 10_000; number++) {
      lying = [number - 2, number - 1, number].filter(lies => lies > 0)
      await journal.append({
        kind: 'intended',
        generation: number,
        digest: `d${number % 50}`,
        hooks: ['hup'],
        changed: ['a'],
      })
      await journal.append({ kind: 'delivered', generation: number, hook: 'hup' })
      await journal.append(
        number % 7 === 0 || number > 9_900
          ? { kind: 'condemned', generation: number, digest: `bad${number % 50}`, why: 'probe' }
          : { kind: 'confirmed', generation: number },
      )
    }

    const size = (await fileSystem.readFile('/journal')).length
    expect(size).toBeLessThan(1024 * 1024)
    const again = await openJournal('/journal', { fileSystem, clock, generations: () => Promise.resolve(lying) })
    expect(again.records).toEqual(journal.records)
    expect(again.recover(10_000, lying)).toMatchObject({
      confirmed: false,
      condemned: 'probe',
      owed: [],
      nextNumber: 10_001,
    })
    // Of the hundred bad ones since the last good one.
    expect(again.recover(10_000, lying).condemnedDigests.size).toBe(50)
  })

  test('writes entries though nobody can say which generations lie there', async () => {
    const fileSystem = new MemoryFileSystem()
    const journal = await openJournal('/journal', {
      fileSystem,
      clock,
      generations: () => Promise.reject(new Error('the volume is away')),
    })

    for (let number = 1; number <= 1_100; number++) await journal.append({ kind: 'confirmed', generation: number })

    expect(await entriesOf('/journal', fileSystem)).toHaveLength(1_100)
  })

  test('what it has given back once is not lost to a power cut, though it is the first entry', async () => {
    for (let cut = 0; cut < 10; cut++) {
      const memory = new MemoryFileSystem()
      const dying = await open('/journal', new CrashFileSystem(memory, { at: 2, when: 'during' }))
      await expect(dying.append(ENTRIES[0] as Entry)).rejects.toThrow(Crash)

      const given = await entriesOf('/journal', memory)

      expect(given).toHaveLength(1)
      expect(
        await entriesOf(
          '/journal',
          memory.powerCut(() => cut / 10),
        ),
      ).toEqual(given)
    }
  })

  test('what it has given back once is not lost to a power cut', async () => {
    for (let cut = 0; cut < 10; cut++) {
      const memory = new MemoryFileSystem()
      const journal = await open('/journal', memory)
      await journal.append(ENTRIES[0] as Entry)
      const dying = await open('/journal', new CrashFileSystem(memory, { at: 3, when: 'during' }))
      await expect(dying.append(ENTRIES[1] as Entry)).rejects.toThrow(Crash)

      const given = await entriesOf('/journal', memory)

      expect(
        await entriesOf(
          '/journal',
          memory.powerCut(() => cut / 10),
        ),
      ).toEqual(given)
    }
  })

  test.each(CRASH_MOMENTS)('holds what resolved, after a crash %s any call and a power cut', async when => {
    for (let at = 1; at <= 2 + ENTRIES.length; at++) {
      for (let cut = 0; cut < 10; cut++) {
        const memory = new MemoryFileSystem()
        const resolved: Entry[] = []
        try {
          const journal = await open('/journal', new CrashFileSystem(memory, { at, when }))
          for (const entry of ENTRIES) {
            await journal.append(entry)
            resolved.push(entry)
          }
        } catch (error) {
          if (!(error instanceof Crash)) throw error
        }

        const left = memory.powerCut(() => ((cut * 7 + at * 3) % 10) / 10)
        const after = await open('/journal', left)

        expect(after.damage).toEqual([])
        const entries = after.records.map(record => record.entry)
        expect(entries.slice(0, resolved.length)).toEqual(resolved)
        expect(ENTRIES.slice(0, entries.length)).toEqual(entries)
      }
    }
  })
})
