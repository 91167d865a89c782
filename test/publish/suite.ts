import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { changedBetween, type Publisher, type PublisherHost } from '../../lib/publish/publisher.ts'
import { failingAt } from '../support/failing-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { readTree } from '../support/reader.ts'
import { scratch } from '../support/scratch.ts'

export const KEEP_AGE_MS = 60_000

/** One bundle's place to publish in. */
export interface Place {
  readonly fileSystem: FileSystem
  readonly clock: FakeClock
  readonly publisher: Publisher
  /** A publisher of the same place that remembers nothing, as after a restart. */
  restarted(fileSystem?: FileSystem): Publisher
  /** Where the application looks. */
  readonly seen: string
  /** Where the generations lie. */
  readonly home: string
  /** A file of the bundle; `path` is relative to what the application sees. */
  file(path: string, text: string, attributes?: Partial<OutputFile>): OutputFile
}

export interface Kind {
  readonly name: 'volume' | 'files'
  make(root: string, host: PublisherHost): Publisher
}

/** Prepares a place on a file system. */
export async function place(kind: Kind, on: 'disk' | 'memory'): Promise<Place> {
  // Ahead of the machine's clock: files made now are not from the future.
  const clock = new FakeClock(Date.now() + 1_000)
  const fileSystem = on === 'disk' ? disk : new MemoryFileSystem(() => clock.nowMs())
  const root = on === 'disk' ? scratch() : '/'
  const make = (with_: FileSystem) => kind.make(root, { fileSystem: with_, clock, keepAgeMs: KEEP_AGE_MS })
  const publisher = make(fileSystem)
  await publisher.prepare()
  const seen = join(root, kind.name === 'volume' ? 'volume' : 'etc')
  return {
    fileSystem,
    clock,
    publisher,
    restarted: (other = fileSystem) => make(other),
    seen,
    home: join(root, kind.name === 'volume' ? 'volume' : 'state'),
    file: (path, text, attributes = {}) => ({
      path: kind.name === 'volume' ? path : join(seen, path),
      content: Buffer.from(text),
      mode: 0o640,
      ...attributes,
    }),
  }
}

/** Stages and publishes. */
export async function show({ publisher }: Place, number: number, files: readonly OutputFile[]): Promise<void> {
  await publisher.stage(number, files)
  await publisher.publish(number)
}

/** What every publisher promises. */
export function publisherSuite(kind: Kind): void {
  describe.each(['disk', 'memory'] as const)(`the ${kind.name} publisher on %s`, on => {
    test('shows nothing until it has published', async () => {
      const here = await place(kind, on)

      await here.publisher.stage(1, [here.file('app.conf', 'one')])

      expect(await here.publisher.visible()).toBeUndefined()
      expect(await readTree(here.fileSystem, here.seen)).toEqual({})
    })

    test('puts back what somebody removed of what readers open, and nothing else', async () => {
      const here = await place(kind, on)
      const files = [here.file('app.conf', 'one'), here.file('tls/key', 'two')]
      const paths = new Set(files.map(({ path }) => path))
      await show(here, 1, files)
      await here.fileSystem.remove(join(here.seen, 'app.conf'))

      expect(await here.publisher.heal(1, paths)).toBe(true)
      expect(await readTree(here.fileSystem, here.seen)).toMatchObject({ 'app.conf': 'one', 'tls/key': 'two' })
    })

    test('says when the visible generation itself has lost or gained a file', async () => {
      const here = await place(kind, on)
      const files = [here.file('app.conf', 'one'), here.file('tls/key', 'two')]
      const paths = new Set(files.map(({ path }) => path))
      await show(here, 1, files)
      const [inside] = await here.publisher.read(1)
      const lost = join(here.publisher.directory(1), inside?.path ?? '')

      expect(await here.publisher.heal(1, new Set([...paths, here.file('more', '').path]))).toBe(false)
      await here.fileSystem.remove(lost)
      expect(await here.publisher.heal(1, paths)).toBe(false)
      expect(await here.restarted().heal(2, paths)).toBe(false)
    })

    test('shows exactly the files of the generation that was published last', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one'), here.file('tls/cert.pem', 'c1'), here.file('old/x', 'x')])

      await show(here, 2, [here.file('app.conf', 'two'), here.file('tls/key.pem', 'k2'), here.file('new.conf', 'n')])

      expect(await here.publisher.visible()).toBe(2)
      expect(await readTree(here.fileSystem, here.seen)).toEqual({
        'app.conf': 'two',
        'tls/key.pem': 'k2',
        'new.conf': 'n',
      })
    })

    test('finds what is visible on the disk, not in its memory', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      await here.restarted().stage(2, [here.file('app.conf', 'two')])
      await here.restarted().publish(2)

      expect(await here.publisher.visible()).toBe(2)
      expect(await here.restarted().generations()).toEqual([1, 2])
    })

    test('publishes the same generation again without a change', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one'), here.file('d/x', 'x')])
      const before = await readTree(here.fileSystem, here.seen)

      await here.publisher.publish(1)

      expect(await readTree(here.fileSystem, here.seen)).toEqual(before)
      expect(await here.publisher.visible()).toBe(1)
    })

    test('replaces what lay under a number that was staged before', async () => {
      const here = await place(kind, on)
      await here.publisher.stage(1, [here.file('app.conf', 'first try'), here.file('gone.conf', 'x')])

      const directory = await here.publisher.stage(1, [here.file('app.conf', 'second try')])

      expect(directory).toBe(here.publisher.directory(1))
      expect(await here.publisher.read(1)).toEqual([here.file('app.conf', 'second try')])
    })

    test('refuses to stage or discard the visible generation', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])

      await expect(here.publisher.stage(1, [])).rejects.toMatchObject({ code: 'already-visible' })
      await expect(here.publisher.discard(1)).rejects.toMatchObject({ code: 'already-visible' })
    })

    test('refuses to publish what was not staged', async () => {
      const here = await place(kind, on)

      await expect(here.publisher.publish(7)).rejects.toMatchObject({ code: 'not-staged' })
    })

    test('discards a stage without a trace', async () => {
      const here = await place(kind, on)
      await here.publisher.stage(1, [here.file('a/b/c.conf', 'one')])

      await here.publisher.discard(1)

      expect(await here.fileSystem.list(here.home)).toEqual([])
    })

    test('reads a generation so that staging it again gives the same', async () => {
      const here = await place(kind, on)
      const files = [
        here.file('app.conf', 'one', { mode: 0o600 }),
        here.file('bin/run', 'two', { mode: 0o755 }),
        here.file('empty', ''),
        here.file('tls/key', 'three', { mode: 0o440 }),
      ]
      await here.publisher.stage(1, files)

      const read = await here.publisher.read(1)
      await here.publisher.stage(2, read)

      expect(read).toEqual(files)
      expect(await here.publisher.read(2)).toEqual(files)
      expect(await changedBetween(here.publisher, 1, 2)).toEqual([])
    })

    test('gives files exactly the mode that was asked for, whatever the umask', async () => {
      const here = await place(kind, on)
      const umask = process.umask(0o077)
      try {
        await show(here, 1, [here.file('a', 'x', { mode: 0o666 }), here.file('d/b', 'x', { mode: 0o400 })])
      } finally {
        process.umask(umask)
      }

      expect((await here.publisher.read(1)).map(file => file.mode)).toEqual([0o666, 0o400])
    })

    test('says which paths differ: added, changed in content or mode, removed', async () => {
      const here = await place(kind, on)
      await show(
        here,
        1,
        ['same', 'text', 'mode', 'gone'].map(path => here.file(path, 'x')),
      )
      await here.publisher.stage(2, [
        here.file('same', 'x'),
        here.file('text', 'y'),
        here.file('mode', 'x', { mode: 0o600 }),
        here.file('new', 'x'),
      ])

      const changed = await changedBetween(here.publisher, 1, 2)

      expect(changed).toEqual(['gone', 'mode', 'new', 'text'].map(path => here.file(path, '').path))
      expect(await changedBetween(here.publisher, undefined, 1)).toHaveLength(4)
    })

    test.each([
      ['..', 'x/../y'],
      ['.', 'x/./y'],
      ['an empty part', 'x//y'],
      ['a zero byte', 'x\0y'],
      ['a part of more than 255 bytes', 'é'.repeat(128)],
      ['more than 4096 bytes', 'abc/'.repeat(1024) + 'd'],
    ])('refuses a path with %s', async (_, path) => {
      const here = await place(kind, on)
      const file = { ...here.file('a', 'x'), path: kind.name === 'volume' ? path : `${here.seen}/${path}` }

      await expect(here.publisher.stage(1, [file])).rejects.toMatchObject({ code: 'bad-path' })
      expect(await here.fileSystem.list(here.home)).toEqual([])
    })

    test('refuses a path twice, and a file below a file', async () => {
      const here = await place(kind, on)

      await expect(here.publisher.stage(1, [here.file('a', 'x'), here.file('a', 'y')])).rejects.toMatchObject({
        code: 'bad-path',
      })
      await expect(here.publisher.stage(1, [here.file('a', 'x'), here.file('a/b', 'y')])).rejects.toMatchObject({
        code: 'bad-path',
      })
    })

    test('keeps old generations for their number, their age, and on request', async () => {
      const here = await place(kind, on)
      for (const number of [1, 2, 3, 4]) {
        await here.clock.advance(1_000)
        await show(here, number, [here.file('app.conf', `${number}`)])
      }
      await here.publisher.collect(1, [])
      expect(await here.publisher.generations()).toEqual([1, 2, 3, 4])

      await here.clock.advance(KEEP_AGE_MS - 1_000)
      await here.publisher.collect(1, [])
      expect(await here.publisher.generations()).toEqual([3, 4])

      await here.clock.advance(KEEP_AGE_MS)
      await here.publisher.collect(2, [])
      await here.publisher.collect(1, [3])
      expect(await here.publisher.generations()).toEqual([3, 4])
      await here.publisher.collect(1, [])
      expect(await here.publisher.generations()).toEqual([4])
    })

    test('knows the age of a generation after a restart, too', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      await here.clock.advance(2 * KEEP_AGE_MS)
      await show(here, 2, [here.file('app.conf', 'two')])

      await here.restarted().collect(1, [])
      expect(await here.publisher.generations()).toEqual([1, 2])

      await here.clock.advance(KEEP_AGE_MS)
      await here.restarted().collect(1, [])
      expect(await here.publisher.generations()).toEqual([2])
    })

    test('counts anew when the clock was set back', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      await show(here, 2, [here.file('app.conf', 'two')])
      await here.fileSystem.touch(here.publisher.directory(1), here.clock.nowMs() + 10 * KEEP_AGE_MS)

      await here.restarted().collect(1, [])
      await here.clock.advance(KEEP_AGE_MS)
      await here.restarted().collect(1, [])

      expect(await here.publisher.generations()).toEqual([2])
    })

    test('sweeps up what a crash left half made and half removed', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      for (const name of ['..g2.new', '..g3.gone']) {
        await here.fileSystem.makeDirectory(join(here.home, name), 0o755)
        await here.fileSystem.createFile(join(here.home, name, 'half'), Buffer.from('x'), { mode: 0o600 })
      }

      await here.restarted().prepare()

      expect((await here.fileSystem.list(here.home)).filter(name => name.startsWith('..g'))).toEqual(['..g1'])
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ 'app.conf': 'one' })
    })

    test('names what lies in the way before anything changes', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      const inTheWay = join(here.seen, 'tls')
      await here.fileSystem.makeDirectory(inTheWay, 0o755)
      const files = [here.file('app.conf', 'two'), here.file('tls', 'x')]

      const refusal = here.publisher.stage(2, files)

      await expect(refusal).rejects.toMatchObject({ code: 'in-the-way', message: expect.stringContaining(inTheWay) })
      expect(await here.publisher.visible()).toBe(1)
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ 'app.conf': 'one' })

      await here.fileSystem.remove(inTheWay)
      await show(here, 2, files)
      expect(await here.publisher.visible()).toBe(2)
    })

    test('does not publish over what came to lie in the way after staging', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      await here.publisher.stage(2, [here.file('app.conf', 'two'), here.file('tls', 'x')])
      await here.fileSystem.makeDirectory(join(here.seen, 'tls'), 0o755)

      await expect(here.publisher.publish(2)).rejects.toMatchObject({ code: 'in-the-way' })

      expect(await here.publisher.visible()).toBe(1)
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ 'app.conf': 'one' })
    })

    test.each([
      ['ENOSPC', 'no-space'],
      ['EROFS', 'read-only'],
      ['EACCES', 'not-permitted'],
      ['EIO', 'input-output'],
    ])('says what %s means, leaves what is visible, and works again afterwards', async (system, code) => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('app.conf', 'one')])
      const left = await here.fileSystem.list(here.home)
      const files = [here.file('app.conf', 'two')]

      const failing = here.restarted(failingAt(here.fileSystem, 'createFile', system))
      const staging = failing.stage(2, files)

      await expect(staging).rejects.toMatchObject({ name: 'OperationalError', code, hint: expect.any(String) })
      await expect(staging).rejects.toThrow(here.home)
      expect(await here.fileSystem.list(here.home)).toEqual(left)
      expect(await here.publisher.visible()).toBe(1)
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ 'app.conf': 'one' })
      await show(here, 2, files)
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ 'app.conf': 'two' })
    })

    test('says that its directory has gone, and works again when it is back', async () => {
      const here = await place(kind, on)
      await here.fileSystem.remove(here.home)

      await expect(here.publisher.stage(1, [here.file('a', 'x')])).rejects.toMatchObject({ code: 'missing' })
      expect(await here.publisher.visible()).toBeUndefined()

      await here.publisher.prepare()
      await show(here, 1, [here.file('a', 'x')])
      expect(await here.publisher.visible()).toBe(1)
    })

    test('shows nothing when the files of the visible generation are gone', async () => {
      const here = await place(kind, on)
      await show(here, 1, [here.file('a', 'x')])
      await here.fileSystem.remove(here.publisher.directory(1))

      expect(await here.publisher.visible()).toBeUndefined()
      await show(here, 2, [here.file('a', 'y')])
      expect(await readTree(here.fileSystem, here.seen)).toEqual({ a: 'y' })
    })
  })
}
