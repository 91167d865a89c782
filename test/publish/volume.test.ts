import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import { volumePublisher } from '../../lib/publish/volume.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { failingAt } from '../support/failing-filesystem.ts'
import { readTree } from '../support/reader.ts'
import { scratch } from '../support/scratch.ts'
import { mountTmpfs } from '../support/tmpfs.ts'
import { durabilitySuite } from './durability.ts'
import { place, publisherSuite, show, type Kind } from './suite.ts'

/** A group that nobody of the machine has. */
const GROUP = 4321

const kind: Kind = { name: 'volume', make: (root, host) => volumePublisher(join(root, 'volume'), host) }

publisherSuite(kind)
durabilitySuite(kind)

describe('a volume', () => {
  test('has the shape of a projected volume', async () => {
    const here = await place(kind, 'disk')

    await show(here, 42, [here.file('app.conf', 'x'), here.file('tls/cert.pem', 'c'), here.file('tls/key.pem', 'k')])

    expect(await disk.list(here.seen)).toEqual(['..data', '..g42', 'app.conf', 'tls'])
    expect(readlinkSync(join(here.seen, '..data'))).toBe('..g42')
    expect(readlinkSync(join(here.seen, 'app.conf'))).toBe('..data/app.conf')
    expect(readlinkSync(join(here.seen, 'tls'))).toBe('..data/tls')
    expect(readFileSync(join(here.seen, 'tls/key.pem'), 'utf8')).toBe('k')
    for (const directory of ['..g42', '..g42/tls'])
      expect(statSync(join(here.seen, directory)).mode & 0o777).toBe(0o755)
  })

  test('can be mounted elsewhere', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('tls/cert.pem', 'c')])

    renameSync(here.seen, `${here.seen}-elsewhere`)

    expect(readFileSync(`${here.seen}-elsewhere/tls/cert.pem`, 'utf8')).toBe('c')
  })

  test('keeps the links that need no change, down to their inode', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('app.conf', 'one')])
    const before = lstatSync(join(here.seen, 'app.conf'))

    await show(here, 2, [here.file('app.conf', 'two'), here.file('new', 'x')])

    const after = lstatSync(join(here.seen, 'app.conf'))
    expect([after.ino, after.ctimeMs]).toEqual([before.ino, before.ctimeMs])
  })

  test('leaves a pinned generation as it was', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('app.conf', 'one')])
    const pinned = here.publisher.directory(1)

    await show(here, 2, [here.file('app.conf', 'two')])
    await here.publisher.collect(1, [])

    expect(readFileSync(join(pinned, 'app.conf'), 'utf8')).toBe('one')
  })

  test('is not stopped by a left-over temporary link', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('app.conf', 'one')])
    symlinkSync('..g99', join(here.seen, '..data.new'))

    await show(here, 2, [here.file('app.conf', 'two')])

    expect(await readTree(disk, here.seen)).toEqual({ 'app.conf': 'two' })
    expect(await disk.list(here.seen)).not.toContain('..data.new')
  })

  test('takes up a publish that crashed between the flip and its links', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('old.conf', 'one')])
    await here.publisher.stage(2, [here.file('new.conf', 'two')])
    symlinkSync('..g2', join(here.seen, '..data.new'))
    renameSync(join(here.seen, '..data.new'), join(here.seen, '..data'))

    await here.restarted().prepare()

    expect(await readTree(disk, here.seen)).toEqual({ 'new.conf': 'two' })
  })

  test('drops a generation that was staged and not flipped to', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('app.conf', 'one')])
    await here.publisher.stage(2, [here.file('app.conf', 'two')])

    await here.restarted().prepare()

    expect(await here.publisher.generations()).toEqual([1])
    await here.publisher.resume(2)
    expect(await here.publisher.visible()).toBe(1)
  })

  test('leaves alone what it did not make', async () => {
    const here = await place(kind, 'disk')
    mkdirSync(join(here.seen, 'lost+found'))
    writeFileSync(join(here.seen, 'theirs'), 'theirs')
    symlinkSync('..data/other-name', join(here.seen, 'their-link'))

    await show(here, 1, [here.file('app.conf', 'one')])
    await show(here, 2, [here.file('db.conf', 'two')])

    expect(await disk.list(here.seen)).toEqual([
      '..data',
      '..g1',
      '..g2',
      'db.conf',
      'lost+found',
      'their-link',
      'theirs',
    ])
    expect(readFileSync(join(here.seen, 'theirs'), 'utf8')).toBe('theirs')
  })

  test.each(['file', 'directory', 'link'] as const)('refuses a %s that lies where its link must be', async what => {
    const here = await place(kind, 'disk')
    const path = join(here.seen, 'app.conf')
    if (what === 'file') writeFileSync(path, 'theirs')
    else if (what === 'directory') mkdirSync(path)
    else symlinkSync('/etc/passwd', path)

    await expect(here.publisher.stage(1, [here.file('app.conf', 'x')])).rejects.toMatchObject({
      code: 'in-the-way',
      message: expect.stringContaining(path),
    })
    expect(
      lstatSync(path)[what === 'file' ? 'isFile' : what === 'directory' ? 'isDirectory' : 'isSymbolicLink'](),
    ).toBe(true)
  })

  test('refuses a volume whose ..data is not its own', async () => {
    const here = await place(kind, 'disk')
    symlinkSync('..2026_11_20_10_00_00.123', join(here.seen, '..data'))

    expect(await here.publisher.visible()).toBeUndefined()
    await expect(here.publisher.stage(1, [here.file('a', 'x')])).rejects.toMatchObject({ code: 'in-the-way' })
  })

  test.each(['..x', '..data', '..x/y', '/etc/passwd', ''])('refuses the path %j', async path => {
    const here = await place(kind, 'memory')

    await expect(here.publisher.stage(1, [{ ...here.file('a', 'x'), path }])).rejects.toMatchObject({
      code: 'bad-path',
    })
  })

  test.each(['touch', 'link', 'rename', 'syncDirectory'] as const)(
    'shows the old generation or the new one, whole, when %s fails in publishing, and goes on later',
    async call => {
      const here = await place(kind, 'disk')
      await show(here, 1, [here.file('app.conf', 'one')])
      await here.publisher.stage(2, [here.file('app.conf', 'two'), here.file('new', 'two')])

      await expect(here.restarted(failingAt(disk, call, 'EIO')).publish(2)).rejects.toMatchObject({
        code: 'input-output',
      })

      const seen = await readTree(disk, join(here.seen, '..data'))
      expect([{ 'app.conf': 'one' }, { 'app.conf': 'two', new: 'two' }]).toContainEqual(seen)
      await here.publisher.publish(2)
      expect(await readTree(disk, here.seen)).toEqual({ 'app.conf': 'two', new: 'two' })
    },
  )

  test('keeps the old generation when it is full, and publishes when there is room again', async context => {
    const volume = mountTmpfs(context, 'size=64k')
    const publisher = volumePublisher(volume, { fileSystem: disk, clock: new FakeClock(), keepAgeMs: 0 })
    const file = (path: string, size: number) => ({ path, content: Buffer.alloc(size, 'x'), mode: 0o600 })
    await publisher.prepare()
    await publisher.stage(1, [file('small', 1_000)])
    await publisher.publish(1)

    const staging = publisher.stage(2, [file('small', 2_000), file('large', 100_000)])

    await expect(staging).rejects.toMatchObject({ code: 'no-space', message: expect.stringContaining(volume) })
    expect(await disk.list(volume)).toEqual(['..data', '..g1', 'small'])
    expect(statSync(join(volume, 'small')).size).toBe(1_000)
    execFileSync('mount', ['-o', 'remount,size=1m', volume])
    await publisher.stage(2, [file('small', 2_000), file('large', 100_000)])
    await publisher.publish(2)
    expect(statSync(join(volume, 'large')).size).toBe(100_000)
  })

  test('keeps the old generation when it is read-only, and publishes when it is writable again', async context => {
    const volume = mountTmpfs(context, 'size=1m')
    const publisher = volumePublisher(volume, { fileSystem: disk, clock: new FakeClock(), keepAgeMs: 0 })
    const file = (text: string) => ({ path: 'app.conf', content: Buffer.from(text), mode: 0o600 })
    await publisher.prepare()
    await publisher.stage(1, [file('one')])
    await publisher.publish(1)
    await publisher.stage(2, [file('two')])

    execFileSync('mount', ['-o', 'remount,ro', volume])
    await expect(publisher.publish(2)).rejects.toMatchObject({
      code: 'read-only',
      message: expect.stringContaining(volume),
    })
    await expect(publisher.stage(3, [file('three')])).rejects.toMatchObject({ code: 'read-only' })

    expect(readFileSync(join(volume, 'app.conf'), 'utf8')).toBe('one')
    execFileSync('mount', ['-o', 'remount,rw', volume])
    await publisher.publish(2)
    expect(readFileSync(join(volume, 'app.conf'), 'utf8')).toBe('two')
  })

  test.skipIf(process.getuid?.() !== 0)(
    'gives files to whom they belong, and says so only then (needs root)',
    async () => {
      const volume = join(scratch(), 'volume')
      const publisher = volumePublisher(volume, { fileSystem: disk, clock: new FakeClock(), keepAgeMs: 0 })
      await publisher.prepare()
      const files = [
        { path: 'ours', content: Buffer.from('x'), mode: 0o640 },
        { path: 'theirs', content: Buffer.from('x'), mode: 0o4750, uid: 1234, gid: 4321 },
      ]
      await publisher.stage(1, files)

      const read = await publisher.read(1)
      await publisher.stage(2, read)

      expect(read).toEqual(files)
      expect(await publisher.read(2)).toEqual(files)
      expect(statSync(join(publisher.directory(2), 'theirs'))).toMatchObject({ uid: 1234, gid: 4321 })
    },
  )

  test.runIf(process.getuid?.() === 0 && existsSync('/usr/bin/setpriv')).each([
    ['022', []],
    ['022', [GROUP]],
    ['077', [GROUP]],
  ])(
    'gives all that it makes to the group of a directory that has one for that, as with fsGroup (needs root; umask %s, groups %j)',
    async (umask, groups) => {
      const home = scratch()
      chmodSync(home, 0o755)
      const mounted = join(home, 'mounted')
      mkdirSync(mounted)
      chownSync(mounted, 0, GROUP)
      chmodSync(mounted, 0o2777)

      publishAs({ user: 1234, groups, umask }, mounted)

      const made = ['..g1', '..g1/app.conf', '..g1/tls', '..g1/tls/key.pem'].map(path => {
        const { uid, gid, mode } = statSync(join(mounted, path))
        return { path, uid, gid, mode: (mode & 0o7777).toString(8) }
      })
      expect(made).toEqual([
        { path: '..g1', uid: 1234, gid: GROUP, mode: '2755' },
        { path: '..g1/app.conf', uid: 1234, gid: GROUP, mode: '640' },
        { path: '..g1/tls', uid: 1234, gid: GROUP, mode: '2755' },
        { path: '..g1/tls/key.pem', uid: 1234, gid: GROUP, mode: '640' },
      ])
      // No owner is said to have been asked for, so the same files are the same generation.
      const publisher = volumePublisher(mounted, { fileSystem: disk, clock: new FakeClock(), keepAgeMs: 0 })
      expect((await publisher.read(1)).map(file => Object.keys(file))).toEqual([
        ['path', 'content', 'mode'],
        ['path', 'content', 'mode'],
      ])
    },
  )
})

/** Publishes a generation as another user, in a process of its own. */
function publishAs(
  { user, groups, umask }: { readonly user: number; readonly groups: readonly number[]; readonly umask: string },
  volume: string,
): void {
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../../lib', path))
  const script = `
    import { disk } from ${module('base/disk.ts')}
    import { systemClock } from ${module('base/clock.ts')}
    import { volumePublisher } from ${module('publish/volume.ts')}
    process.umask('${umask}')
    const publisher = volumePublisher(${JSON.stringify(volume)}, { fileSystem: disk, clock: systemClock, keepAgeMs: 0 })
    await publisher.prepare()
    const file = path => ({ path, content: Buffer.from('x'), mode: 0o640 })
    await publisher.stage(1, [file('app.conf'), file('tls/key.pem')])
    await publisher.publish(1)`
  const as = [
    `--reuid=${user}`,
    `--regid=${user}`,
    groups.length === 0 ? '--clear-groups' : `--groups=${groups.join()}`,
  ]
  const command = [...as, '--bounding-set=-all', process.execPath, '--input-type=module-typescript', '-e', script]
  execFileSync('/usr/bin/setpriv', command, { env: {}, stdio: 'pipe' })
}
