import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Tree } from '../../../lib/base/value.ts'
import { absent } from '../../../lib/reading.ts'
import { file } from '../../../providers/file/plugin.ts'
import { scratch } from '../../support/scratch.ts'
import { contentOf, Files } from './files.ts'

test.for(['../x', 'a/../../x', '/etc/passwd', 'a\0b', '..data/a', 'a/..2026/b', '\ud800'])(
  'the path %j is refused before anything is read',
  path => {
    expect(() => file.reference.ask('mine', [path])).toThrow(/want/)
    expect(() => file.tree?.ask('mine', [path])).toThrow(/want/)
  },
)

test('spellings of one path make one dependency', () => {
  const paths = ['a/b', './a/b', 'a//b', 'a/./b/', 'a/b/']
  expect(new Set(paths.map(path => file.reference.ask('mine', [path]).path))).toEqual(new Set(['a/b']))
})

test('a file has no field of its own', () => {
  expect(() => file.reference.ask('mine', ['a.yaml', 'field'])).toThrow(/one path/)
})

test('links are followed below the root, and refused when they lead out of it', async () => {
  const directory = scratch()
  const root = join(directory, 'values')
  mkdirSync(join(root, 'sub'), { recursive: true })
  writeFileSync(join(directory, 'secret'), 'SECRET')
  writeFileSync(join(root, 'a'), 'a')
  symlinkSync('../a', join(root, 'sub', 'relative'))
  symlinkSync(join(root, 'a'), join(root, 'absolute'))
  symlinkSync('../values/a', join(root, 'out-and-in'))
  symlinkSync('../secret', join(root, 'out'))
  symlinkSync('..', join(root, 'above'))
  const files = new Files(root)
  for (const path of ['sub/relative', 'absolute', 'out-and-in']) expect((await files.readFile(path)).value).toBe('a')
  for (const path of ['out', 'above/secret']) {
    await expect(files.readFile(path)).rejects.toMatchObject({ code: 'invalid-data', message: /leads out of/ })
  }
  await expect(files.readTree('')).rejects.toMatchObject({ code: 'invalid-data', message: /leads out of/ })
  expect(contentOf(await files.readTree('sub'))).toEqual({ relative: 'a' })
})

test('a link that leads nowhere is absent, and left out of a tree', async () => {
  const root = scratch()
  symlinkSync('not-there', join(root, 'dangling'))
  writeFileSync(join(root, 'a'), 'a')
  const files = new Files(root)
  expect((await files.readFile('dangling')).value).toBe(absent)
  expect(contentOf(await files.readTree(''))).toEqual({ a: 'a' })
})

test('what lies below a file is absent', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), 'a')
  expect((await new Files(root).readFile('a/b')).value).toBe(absent)
})

test('links that lead round in a circle are invalid', async () => {
  const root = scratch()
  symlinkSync('b', join(root, 'a'))
  symlinkSync('a', join(root, 'b'))
  mkdirSync(join(root, 'd'))
  symlinkSync('../d', join(root, 'd', 'again'))
  const files = new Files(root)
  await expect(files.readFile('a')).rejects.toMatchObject({ code: 'invalid-data', message: /circle/ })
  await expect(files.readTree('d')).rejects.toMatchObject({ code: 'invalid-data', message: /d\/again.* leads back/ })
})

test('a directory asked for as a file, a file as a tree, and a single file with a path say what to do', async () => {
  const root = scratch()
  mkdirSync(join(root, 'd'))
  writeFileSync(join(root, 'f'), '')
  const files = new Files(root)
  await expect(files.readFile('d')).rejects.toMatchObject({ code: 'invalid-data', hint: /tree:/ })
  await expect(files.readFile('')).rejects.toMatchObject({ code: 'invalid-data', hint: /tree:/ })
  await expect(files.readTree('f')).rejects.toMatchObject({ code: 'invalid-data', hint: /ref/ })
  await expect(new Files(join(root, 'f')).readFile('x')).rejects.toMatchObject({ code: 'invalid-data', hint: /NAME:/ })
})

test('a pipe and a device are refused at once', async () => {
  const root = scratch()
  execFileSync('mkfifo', [join(root, 'pipe')])
  const files = new Files(root)
  await expect(files.readFile('pipe')).rejects.toMatchObject({ code: 'invalid-data' })
  await expect(files.readTree('')).rejects.toMatchObject({ code: 'invalid-data', message: /pipe/ })
  await expect(new Files('/dev/zero').readFile('')).rejects.toMatchObject({ code: 'invalid-data' })
})

test('a tree has modes, empty files, and no names that start with two dots', async () => {
  const root = scratch()
  mkdirSync(join(root, 'd', '..2026'), { recursive: true })
  writeFileSync(join(root, 'd', '..2026', 'x'), 'x')
  writeFileSync(join(root, 'd', 'run'), '', { mode: 0o750 })
  writeFileSync(join(root, 'd', '.hidden'), 'h', { mode: 0o600 })
  symlinkSync('..2026/x', join(root, 'd', 'x'))
  const { value } = await new Files(root).readTree('d')
  if (!(value instanceof Tree)) throw new Error('not a tree')
  expect([...value.files].map(([path, { mode }]) => [path, mode])).toEqual([
    ['.hidden', 0o600],
    ['run', 0o750],
    ['x', 0o644],
  ])
})

test('an empty directory is an empty tree, and one that is not there is absent', async () => {
  const root = scratch()
  mkdirSync(join(root, 'd'))
  const files = new Files(root)
  expect(contentOf(await files.readTree('d'))).toEqual({})
  expect((await files.readTree('e')).value).toBe(absent)
  expect((await new Files(join(root, 'nowhere')).readTree('')).value).toBe(absent)
})

test('the revision of a tree changes with a mode and with a name', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), 'a', { mode: 0o644 })
  const files = new Files(root)
  const revisions = [(await files.readTree('')).revision]
  chmodSync(join(root, 'a'), 0o600)
  revisions.push((await files.readTree('')).revision)
  chmodSync(join(root, 'a'), 0o644)
  expect((await files.readTree('')).revision).toBe(revisions[0])
  writeFileSync(join(root, 'b'), '')
  revisions.push((await files.readTree('')).revision)
  expect(new Set(revisions).size).toBe(3)
})

test('what is larger than a reading may be is refused by name and number', async () => {
  const root = scratch()
  mkdirSync(join(root, 'many'))
  mkdirSync(join(root, 'large'))
  for (let i = 0; i <= 10_000; i++) writeFileSync(join(root, 'many', `${i}`), '')
  for (const name of ['a', 'b']) {
    writeFileSync(join(root, 'large', name), '')
    truncateSync(join(root, 'large', name), 33 * 1024 * 1024)
  }
  writeFileSync(join(root, 'huge'), '')
  truncateSync(join(root, 'huge'), 65 * 1024 * 1024)
  const files = new Files(root)
  await expect(files.readTree('many')).rejects.toMatchObject({ code: 'invalid-data', message: /many.*10000 files/ })
  await expect(files.readTree('large')).rejects.toMatchObject({ code: 'invalid-data', message: /large.*bytes/ })
  await expect(files.readFile('huge')).rejects.toMatchObject({ code: 'invalid-data', message: /huge.*bytes/ })
})

test('a file that may not be read is forbidden, and so is one behind a directory that may not be entered', async () => {
  const root = scratch()
  mkdirSync(join(root, 'closed'))
  writeFileSync(join(root, 'closed', 'a'), 'a')
  writeFileSync(join(root, 'secret'), 'SECRET')
  for (const name of ['secret', 'closed']) chmodSync(join(root, name), 0)
  onTestFinished(() => chmodSync(join(root, 'closed'), 0o700))
  asNobody(root)
  const files = new Files(root)
  for (const path of ['secret', 'closed/a']) {
    await expect(files.readFile(path)).rejects.toMatchObject({
      code: 'forbidden',
      message: /permission denied \(EACCES\)/,
      hint: /user/,
    })
  }
  expect(await files.provider.check()).toMatchObject({ ok: true })
})

/** Root may read everything, so the test goes on as somebody else. */
function asNobody(directory: string): void {
  if (process.geteuid?.() !== 0) return
  chmodSync(directory, 0o755)
  process.seteuid?.(65_534)
  onTestFinished(() => process.seteuid?.(0))
}

test('a sensitive provider marks its readings, and its revisions say nothing about short values', async () => {
  const root = scratch()
  writeFileSync(join(root, 'pin'), '1234')
  const [plain, sensitive, other] = await Promise.all(
    [{}, { sensitive: true }, { sensitive: true }].map(options => new Files(root, options).readFile('pin')),
  )
  expect([plain?.sensitive, sensitive?.sensitive]).toEqual([false, true])
  expect(plain?.revision).toBe('03ac674216f3e15c')
  expect(new Set([plain?.revision, sensitive?.revision, other?.revision]).size).toBe(3)
})

test('check says whether the path can be read', async () => {
  const root = scratch()
  expect(await new Files(root).provider.check()).toEqual({ ok: true, message: `${root} can be read` })
  expect(await new Files(join(root, 'x')).provider.check()).toMatchObject({ ok: false, message: /ENOENT/ })
})
