import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import { filesPublisher } from '../../lib/publish/files.ts'
import { failingAt } from '../support/failing-filesystem.ts'
import { readTree } from '../support/reader.ts'
import { durabilitySuite } from './durability.ts'
import { place, publisherSuite, show, type Kind } from './suite.ts'

const kind: Kind = { name: 'files', make: (root, host) => filesPublisher(join(root, 'state'), host) }

publisherSuite(kind)
durabilitySuite(kind)

describe('files at absolute paths', () => {
  test('lie at their paths, their copies where only we may look', async () => {
    const here = await place(kind, 'disk')

    await show(here, 3, [here.file('app.conf', 'x'), here.file('tls/key.pem', 'k', { mode: 0o600 })])

    expect(await readTree(disk, here.seen)).toEqual({ 'app.conf': 'x', 'tls/key.pem': 'k' })
    expect(statSync(join(here.seen, 'tls/key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(here.publisher.directory(3)).mode & 0o777).toBe(0o700)
    expect(await disk.list(here.home)).toEqual(['..g3', 'visible'])
    expect(await disk.list(here.seen)).toEqual(['app.conf', 'tls'])
  })

  test('keep their inode while they are right, and are put right when they are not', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('same', 'x'), here.file('text', 'x'), here.file('mode', 'x')])
    const inodes = () => ['same', 'text', 'mode'].map(name => statSync(join(here.seen, name)).ino)
    const before = inodes()
    writeFileSync(join(here.seen, 'text'), 'changed by hand')
    chmodSync(join(here.seen, 'mode'), 0o644)

    await show(here, 2, [here.file('same', 'x'), here.file('text', 'x'), here.file('mode', 'x')])

    const after = inodes()
    expect(before.map((inode, i) => inode === after[i])).toEqual([true, false, false])
    expect(await readTree(disk, here.seen)).toEqual({ same: 'x', text: 'x', mode: 'x' })
  })

  test('are finished by publishing again after an interruption, also the removals', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('a', '1'), here.file('b', '1'), here.file('gone', '1')])
    await here.publisher.stage(2, [here.file('a', '2'), here.file('b', '2'), here.file('new', '2')])
    const interrupted = here.restarted(failingAt(disk, 'replaceFile', 'ENOSPC', here.file('b', '').path))

    await expect(interrupted.publish(2)).rejects.toMatchObject({ code: 'no-space' })
    expect(await here.publisher.visible()).toBe(1)
    expect(await readTree(disk, here.seen)).toEqual({ a: '2', b: '1', gone: '1' })

    await here.restarted().resume(2)
    expect(await here.publisher.visible()).toBe(2)
    expect(await readTree(disk, here.seen)).toEqual({ a: '2', b: '2', new: '2' })
  })

  test('of a publish that was begun and overtaken are removed by the next', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('z', '1')])
    await here.publisher.stage(2, [here.file('a', '2'), here.file('z', '2')])
    const interrupted = here.restarted(failingAt(disk, 'replaceFile', 'ENOSPC', here.file('z', '').path))
    await expect(interrupted.publish(2)).rejects.toMatchObject({ code: 'no-space' })

    await show(here, 3, [here.file('z', '3')])

    expect(await readTree(disk, here.seen)).toEqual({ z: '3' })
  })

  test('that vanish from the bundle are left when somebody has changed them', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('a', '1'), here.file('b', '1'), here.file('c', '1')])
    writeFileSync(join(here.seen, 'b'), 'theirs')

    await show(here, 2, [here.file('c', '2')])

    expect(await readTree(disk, here.seen)).toEqual({ b: 'theirs', c: '2' })
  })

  test('replace a link, and leave what it led to', async () => {
    const here = await place(kind, 'disk')
    mkdirSync(here.seen)
    writeFileSync(join(here.seen, 'theirs'), 'theirs')
    symlinkSync('theirs', join(here.seen, 'app.conf'))

    await show(here, 1, [here.file('app.conf', 'ours')])

    expect(readFileSync(join(here.seen, 'theirs'), 'utf8')).toBe('theirs')
    expect(await disk.stat(join(here.seen, 'app.conf'))).toMatchObject({ kind: 'file' })
  })

  test('need no file where a directory of theirs must be', async () => {
    const here = await place(kind, 'disk')
    mkdirSync(here.seen)
    writeFileSync(join(here.seen, 'tls'), 'theirs')

    await expect(here.publisher.stage(1, [here.file('tls/key', 'x')])).rejects.toMatchObject({ code: 'in-the-way' })
  })

  test.each(['relative.conf', '/', ''])('refuses the path %j', async path => {
    const here = await place(kind, 'memory')

    await expect(here.publisher.stage(1, [{ ...here.file('a', 'x'), path }])).rejects.toMatchObject({
      code: 'bad-path',
    })
  })

  test('a marker that makes no sense is none', async () => {
    const here = await place(kind, 'disk')
    await show(here, 1, [here.file('a', 'x')])
    writeFileSync(join(here.home, 'visible'), '1x')

    expect(await here.publisher.visible()).toBeUndefined()
    await show(here, 2, [here.file('a', 'y')])
    expect(await here.publisher.visible()).toBe(2)
  })
})
