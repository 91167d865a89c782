import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  readdirSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import { scratch } from '../support/scratch.ts'
import { mountTmpfs } from '../support/tmpfs.ts'

const isRoot = process.getuid?.() === 0

/** Where the calls go through the thread pool, and where they are made at once. */
const PLACES = [
  ['on a disk', async () => scratch()],
  [
    'in memory',
    async () => {
      const directory = scratch({ inMemory: true })
      // Only what has been looked at is known to be in memory.
      await disk.syncDirectory(directory)
      return directory
    },
  ],
] as const

describe('replaceFile()', () => {
  test('creates and replaces, with exactly the mode that was asked for', async () => {
    const path = join(scratch(), 'app.conf')
    const umask = process.umask(0o077)
    try {
      await disk.replaceFile(path, Buffer.from('one'), { mode: 0o666 })
      expect(statSync(path).mode & 0o7777).toBe(0o666)
      await disk.replaceFile(path, Buffer.from('two'), { mode: 0o440 })
    } finally {
      process.umask(umask)
    }

    expect(readFileSync(path, 'utf8')).toBe('two')
    expect(statSync(path).mode & 0o7777).toBe(0o440)
    expect(readdirSync(join(path, '..'))).toEqual(['app.conf'])
  })

  test('does not take over the mode of the file that it replaces', async () => {
    const path = join(scratch(), 'app.conf')
    writeFileSync(path, 'one', { mode: 0o755 })

    await disk.replaceFile(path, Buffer.from('two'), { mode: 0o600 })

    expect(statSync(path).mode & 0o7777).toBe(0o600)
  })

  test.skipIf(!isRoot)('gives the file to whom it belongs (needs root)', async () => {
    const path = join(scratch(), 'app.conf')
    await disk.replaceFile(path, Buffer.from('one'), { mode: 0o600, uid: 1234, gid: 4321 })
    expect(statSync(path)).toMatchObject({ uid: 1234, gid: 4321 })

    await disk.replaceFile(path, Buffer.from('two'), { mode: 0o600 })

    expect(statSync(path)).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() })
  })

  test('writes every byte, also of large files', async () => {
    const path = join(scratch(), 'large')
    const bytes = Buffer.alloc(5_000_001, 'outrigger')

    await disk.replaceFile(path, bytes, { mode: 0o600 })

    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('replaces a link, and neither follows nor truncates what it leads to', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'theirs'), 'theirs')
    symlinkSync('theirs', join(directory, 'link'))
    symlinkSync('nowhere', join(directory, 'dangling'))

    await disk.replaceFile(join(directory, 'link'), Buffer.from('ours'), { mode: 0o600 })
    await disk.replaceFile(join(directory, 'dangling'), Buffer.from('ours'), { mode: 0o600 })

    expect(readFileSync(join(directory, 'theirs'), 'utf8')).toBe('theirs')
    expect(statSync(join(directory, 'link')).isFile()).toBe(true)
    expect(readdirSync(directory)).toEqual(['dangling', 'link', 'theirs'])
  })

  test('breaks a hard link rather than writing through it', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'theirs'), 'theirs')
    linkSync(join(directory, 'theirs'), join(directory, 'ours'))

    await disk.replaceFile(join(directory, 'ours'), Buffer.from('ours'), { mode: 0o600 })

    expect(readFileSync(join(directory, 'theirs'), 'utf8')).toBe('theirs')
  })

  test('follows no link that was planted where it writes before it renames', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'victim'), 'victim')
    await disk.replaceFile(join(directory, 'probe'), Buffer.from('x'), { mode: 0o600 })
    // Whatever its names are, each of them leads to the victim before it starts.
    const beside = await besideOf(directory, 'app.conf')
    symlinkSync(directory, beside)

    await disk.replaceFile(join(directory, 'app.conf'), Buffer.from('ours'), { mode: 0o600 })

    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('victim')
    expect(readdirSync(directory)).toEqual(['app.conf', 'probe', 'victim'])
  })

  test('takes away what a crash of the same replacement left', async () => {
    const directory = scratch()
    const beside = await besideOf(directory, 'app.conf')
    mkdirSync(beside, { mode: 0o700 })
    writeFileSync(join(beside, 'complete.123'), 'half a sec')

    await disk.replaceFile(join(directory, 'app.conf'), Buffer.from('ours'), { mode: 0o600 })

    expect(readdirSync(directory)).toEqual(['app.conf'])
  })

  test('leaves a directory that lies there, and nothing else', async () => {
    const directory = scratch()
    mkdirSync(join(directory, 'app.conf'))

    await expect(
      disk.replaceFile(join(directory, 'app.conf'), Buffer.from('x'), { mode: 0o600 }),
    ).rejects.toMatchObject({
      code: 'EISDIR',
    })

    expect(readdirSync(directory)).toEqual(['app.conf'])
  })

  test('can be called many times at once for one path', async () => {
    const path = join(scratch(), 'app.conf')

    await Promise.all(
      Array.from({ length: 20 }, (_, i) => disk.replaceFile(path, Buffer.from(`text ${i}`), { mode: 0o600 })),
    )

    expect(readFileSync(path, 'utf8')).toBe('text 19')
    expect(readdirSync(join(path, '..'))).toEqual(['app.conf'])
  })

  test('a full disk is an error that leaves the old file and nothing temporary', async context => {
    const directory = mountTmpfs(context, 'size=64k')
    const path = join(directory, 'app.conf')
    await disk.replaceFile(path, Buffer.from('old'), { mode: 0o600 })

    for (const size of [61_441, 65_536, 100_000, 5_000_000]) {
      await expect(disk.replaceFile(path, Buffer.alloc(size, 'x'), { mode: 0o600 })).rejects.toMatchObject({
        code: 'ENOSPC',
      })
      expect(readFileSync(path, 'utf8')).toBe('old')
      expect(readdirSync(directory)).toEqual(['app.conf'])
    }
  })

  test('a full disk that has not even room for a name is one, too', async context => {
    const directory = mountTmpfs(context, 'size=64k,nr_inodes=3')
    const path = join(directory, 'app.conf')
    writeFileSync(path, 'old')
    writeFileSync(join(directory, 'other'), '')

    await expect(disk.replaceFile(path, Buffer.from('new'), { mode: 0o600 })).rejects.toMatchObject({ code: 'ENOSPC' })

    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(directory)).toEqual(['app.conf', 'other'])
  })

  test('a read-only disk is an error that says so', async context => {
    const directory = mountTmpfs(context, 'size=64k')
    execFileSync('mount', ['-o', 'remount,ro', directory])

    await expect(disk.replaceFile(join(directory, 'a'), Buffer.from('x'), { mode: 0o600 })).rejects.toMatchObject({
      code: 'EROFS',
    })
  })

  test('a file that is a mount point is an error that leaves it', async context => {
    const directory = mountTmpfs(context, 'size=64k')
    writeFileSync(join(directory, 'source'), 'theirs')
    writeFileSync(join(directory, 'app.conf'), '')
    execFileSync('mount', ['--bind', join(directory, 'source'), join(directory, 'app.conf')])
    try {
      await expect(
        disk.replaceFile(join(directory, 'app.conf'), Buffer.from('x'), { mode: 0o600 }),
      ).rejects.toMatchObject({ code: 'EBUSY' })
      expect(readFileSync(join(directory, 'app.conf'), 'utf8')).toBe('theirs')
    } finally {
      execFileSync('umount', [join(directory, 'app.conf')])
    }
  })
})

describe.each(PLACES)('createFile() %s', (_, place) => {
  test('makes a file with exactly this mode, and no other', async () => {
    const path = join(await place(), 'app.conf')
    const umask = process.umask(0o077)
    try {
      await disk.createFile(path, Buffer.from('one'), { mode: 0o664 })
    } finally {
      process.umask(umask)
    }

    expect(statSync(path).mode & 0o7777).toBe(0o664)
    await expect(disk.createFile(path, Buffer.from('two'), { mode: 0o600 })).rejects.toMatchObject({
      code: 'EEXIST',
      path,
    })
    expect(readFileSync(path, 'utf8')).toBe('one')
  })

  test('follows no link', async () => {
    const directory = await place()
    symlinkSync('nowhere', join(directory, 'app.conf'))

    await expect(disk.createFile(join(directory, 'app.conf'), Buffer.from('x'), { mode: 0o600 })).rejects.toMatchObject(
      {
        code: 'EEXIST',
      },
    )

    expect(readdirSync(directory)).toEqual(['app.conf'])
  })

  test('leaves nothing when the disk is full', async context => {
    const directory = mountTmpfs(context, 'size=64k')

    await expect(disk.createFile(join(directory, 'a'), Buffer.alloc(100_000), { mode: 0o600 })).rejects.toMatchObject({
      code: 'ENOSPC',
      path: join(directory, 'a'),
    })

    expect(readdirSync(directory)).toEqual([])
  })

  test('leaves nothing when there is no room in memory, and says where', async context => {
    const directory = mountTmpfs(context, 'size=32k')
    await disk.syncDirectory(directory)

    await expect(disk.createFile(join(directory, 'a'), Buffer.alloc(60_000), { mode: 0o600 })).rejects.toMatchObject({
      code: 'ENOSPC',
      path: join(directory, 'a'),
    })

    expect(readdirSync(directory)).toEqual([])
  })

  test.skipIf(isRoot)('leaves nothing when the owner cannot be set (needs not to be root)', async () => {
    const directory = await place()

    await expect(
      disk.createFile(join(directory, 'a'), Buffer.from('x'), { mode: 0o600, uid: 0 }),
    ).rejects.toMatchObject({ code: 'EPERM' })

    expect(readdirSync(directory)).toEqual([])
  })
})

describe.each(PLACES)('the rest of the disk %s', (_, place) => {
  test('appends to a file that only we may read', async () => {
    const path = join(await place(), 'journal')

    await disk.appendFile(path, Buffer.from('one\n'))
    await disk.appendFile(path, Buffer.from('two\n'))

    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('appends through no link', async () => {
    const directory = await place()
    writeFileSync(join(directory, 'theirs'), 'theirs')
    symlinkSync('theirs', join(directory, 'journal'))

    await expect(disk.appendFile(join(directory, 'journal'), Buffer.from('x'))).rejects.toMatchObject({ code: 'ELOOP' })

    expect(readFileSync(join(directory, 'theirs'), 'utf8')).toBe('theirs')
  })

  test('makes directories with exactly the mode that was asked for', async () => {
    const path = join(await place(), 'd')
    const umask = process.umask(0o077)
    try {
      await disk.makeDirectory(path, 0o755)
    } finally {
      process.umask(umask)
    }

    expect(statSync(path).mode & 0o7777).toBe(0o755)
    await expect(disk.makeDirectory(path, 0o755)).rejects.toMatchObject({ code: 'EEXIST' })
  })

  test('makes missing parents, and leaves a directory that is there as it is', async () => {
    const path = join(await place(), 'a/b/c')
    await disk.makeDirectories(path, 0o700)
    chmodSync(path, 0o750)

    await disk.makeDirectories(path, 0o700)

    expect(statSync(path).mode & 0o777).toBe(0o750)
  })

  test('makes missing parents with exactly the mode that was asked for', async () => {
    const directory = await place()
    const umask = process.umask(0o077)
    try {
      await disk.makeDirectories(join(directory, 'a/b/c'), 0o755)
    } finally {
      process.umask(umask)
    }

    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(directory, path)).mode & 0o7777).toBe(0o755)
    expect(statSync(directory).mode & 0o7777).toBe(0o700)
  })

  test('takes a link to a directory for one, and what is no directory for none', async () => {
    const directory = await place()
    mkdirSync(join(directory, 'd'))
    symlinkSync('d', join(directory, 'link'))
    symlinkSync('nowhere', join(directory, 'dangling'))
    writeFileSync(join(directory, 'file'), '')

    await disk.makeDirectories(join(directory, 'link'), 0o755)
    await disk.makeDirectories(join(directory, 'link/a/b'), 0o755)
    await disk.makeDirectories('/', 0o755)

    expect(statSync(join(directory, 'd/a/b')).isDirectory()).toBe(true)
    for (const [path, code] of [
      ['file', 'EEXIST'],
      ['file/a', 'ENOTDIR'],
      ['dangling', 'EEXIST'],
      ['dangling/a', 'EEXIST'],
    ] as const)
      await expect(disk.makeDirectories(join(directory, path), 0o755)).rejects.toMatchObject({ code })
  })

  test('tells files, directories and links apart, and follows none', async () => {
    const directory = await place()
    writeFileSync(join(directory, 'file'), 'four', { mode: 0o640 })
    symlinkSync('file', join(directory, 'link'))

    expect(await disk.stat(join(directory, 'file'))).toMatchObject({ kind: 'file', size: 4, mode: 0o640 })
    expect(await disk.stat(join(directory, 'link'))).toMatchObject({ kind: 'link' })
    expect(await disk.stat(directory)).toMatchObject({ kind: 'directory' })
    expect(await disk.stat('/dev/null')).toMatchObject({ kind: 'other' })
    expect(await disk.stat(join(directory, 'nothing'))).toBeUndefined()
    expect(await disk.readLink(join(directory, 'link'))).toBe('file')
    expect(await disk.readLink(join(directory, 'nothing'))).toBeUndefined()
    await expect(disk.readLink(join(directory, 'file'))).rejects.toMatchObject({ code: 'EINVAL' })
  })

  test('sets the time of a link itself', async () => {
    const directory = await place()
    writeFileSync(join(directory, 'file'), '')
    symlinkSync('file', join(directory, 'link'))

    await disk.touch(join(directory, 'link'), 1_000_000)

    expect((await disk.stat(join(directory, 'link')))?.modifiedAtMs).toBe(1_000_000)
    expect((await disk.stat(join(directory, 'file')))?.modifiedAtMs).toBeGreaterThan(1_000_000)
  })

  test('removes a link and not what it leads to, a whole directory, and nothing', async () => {
    const directory = await place()
    mkdirSync(join(directory, 'd/e'), { recursive: true })
    writeFileSync(join(directory, 'd/e/f'), '')
    symlinkSync('d', join(directory, 'link'))

    await disk.remove(join(directory, 'link'))
    expect(readdirSync(directory)).toEqual(['d'])
    await disk.remove(join(directory, 'd'))
    await disk.remove(join(directory, 'd'))
    expect(readdirSync(directory)).toEqual([])
  })

  test('syncs trees and directories, links in them included', async () => {
    const directory = await place()
    mkdirSync(join(directory, 'a/b'), { recursive: true })
    writeFileSync(join(directory, 'a/b/c'), 'x')
    symlinkSync('nowhere', join(directory, 'a/link'))

    await disk.syncTree(directory)
    await disk.syncDirectory(directory)

    await expect(disk.syncTree(join(directory, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(disk.syncDirectory(join(directory, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

/** Where `replaceFile` works for a name, found by looking: in a directory that is full of them for a moment. */
async function besideOf(directory: string, name: string): Promise<string> {
  const elsewhere = join(directory, 'elsewhere')
  mkdirSync(join(elsewhere, name), { recursive: true })
  const replacing = disk.replaceFile(join(elsewhere, name), Buffer.alloc(1_000_000), { mode: 0o600 }).catch(() => {})
  let beside: string | undefined
  while (beside === undefined) {
    beside = readdirSync(elsewhere).find(entry => entry.startsWith('..'))
    await new Promise(resolve => setImmediate(resolve))
  }
  await replacing
  await disk.remove(elsewhere)
  return join(directory, beside)
}
