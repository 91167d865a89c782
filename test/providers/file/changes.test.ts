import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TreeFile } from '../../../lib/base/value.ts'
import { Tree } from '../../../lib/base/value.ts'
import type { Reading } from '../../../lib/reading.ts'
import { eventually } from '../../support/eventually.ts'
import { scratch } from '../../support/scratch.ts'
import { ABSENT } from '../workbench.ts'
import { comesTo, contentOf, Files, inotifyWatches, replaceFile, repoint } from './files.ts'

// The slow poll is far off in all of these, so what is seen is seen by an event.

test('a file that is replaced, written in place, appended to, deleted and made again is seen each time', async () => {
  const root = scratch()
  const path = join(root, 'app.conf')
  writeFileSync(path, '1')
  const watching = new Files(root).watchFile('app.conf')
  await comesTo(watching, '1')
  replaceFile(path, '2')
  await comesTo(watching, '2')
  writeFileSync(path, '3')
  await comesTo(watching, '3')
  appendFileSync(path, '4')
  await comesTo(watching, '34')
  unlinkSync(path)
  await comesTo(watching, ABSENT)
  writeFileSync(path, '5')
  await comesTo(watching, '5')
  expect(watching.ends).toEqual([])
})

test('a change that leaves size and modification time as they were is seen', async () => {
  const root = scratch()
  const path = join(root, 'app.conf')
  writeFileSync(path, 'one')
  utimesSync(path, 1_000, 1_000)
  const watching = new Files(root).watchFile('app.conf')
  await comesTo(watching, 'one')
  writeFileSync(path, 'two')
  utimesSync(path, 1_000, 1_000)
  await comesTo(watching, 'two')
  expect(watching.ends).toEqual([])
})

test('touching a file, or writing the same again, yields nothing', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), '1')
  writeFileSync(join(root, 'b'), '1')
  const files = new Files(root)
  const [a, b] = [files.watchFile('a'), files.watchFile('b')]
  await Promise.all([comesTo(a, '1'), comesTo(b, '1')])
  utimesSync(join(root, 'a'), 1_000, 1_000)
  replaceFile(join(root, 'a'), '1')
  writeFileSync(join(root, 'b'), '2')
  await comesTo(b, '2')
  expect(a.readings).toHaveLength(1)
})

describe('a mounted ConfigMap', () => {
  function mount(version: string): string {
    const root = scratch()
    mkdirSync(join(root, '..v0', 'tls'), { recursive: true })
    symlinkSync('..v0', join(root, '..data'))
    fill(root, '..v0', version)
    for (const name of ['a.conf', 'b.conf', 'tls']) symlinkSync(`..data/${name}`, join(root, name))
    return root
  }

  function fill(root: string, name: string, version: string): void {
    mkdirSync(join(root, name, 'tls'), { recursive: true })
    for (const file of ['a.conf', 'b.conf', 'tls/key']) writeFileSync(join(root, name, file), version)
  }

  /** As the kubelet does: the new version beside, the link renamed, the old version removed. */
  function flip(root: string, from: string, to: string, version: string): void {
    fill(root, to, version)
    repoint(join(root, '..data'), to)
    rmSync(join(root, from), { recursive: true })
  }

  test('shows each flip of ..data, in every file and in the tree', async () => {
    const root = mount('0')
    const files = new Files(root)
    const watchings = ['a.conf', 'b.conf', 'tls/key'].map(path => files.watchFile(path))
    const tree = files.watchTree('')
    for (let i = 0; i < 20; i++) {
      await Promise.all(watchings.map(watching => comesTo(watching, `${i}`)))
      await comesTo(tree, { 'a.conf': `${i}`, 'b.conf': `${i}`, 'tls/key': `${i}` })
      flip(root, `..v${i}`, `..v${i + 1}`, `${i + 1}`)
    }
    expect([...watchings, tree].flatMap(watching => watching.ends)).toEqual([])
  })

  test('never shows a tree of two versions, however fast it flips', async () => {
    const root = mount('0')
    const tree = new Files(root).watchTree('', { restart: true })
    for (let i = 0; i < 200; i++) {
      flip(root, `..v${i}`, `..v${i + 1}`, `${i + 1}`)
      await new Promise(resolve => setImmediate(resolve))
    }
    await comesTo(tree, { 'a.conf': '200', 'b.conf': '200', 'tls/key': '200' })
    const mixed = tree.readings.map(contentOf).filter(content => new Set(Object.values(content as object)).size !== 1)
    expect(mixed).toEqual([])
  })

  test('wakes all watches of one flip in the same turn', async () => {
    const root = mount('0')
    const files = new Files(root)
    const paths = ['a.conf', 'b.conf', 'tls/key']
    const watchings = paths.map(path => files.watchFile(path))
    await Promise.all(watchings.map(watching => comesTo(watching, '0')))
    flip(root, '..v0', '..v1', '1')
    await Promise.all(watchings.map(watching => comesTo(watching, '1')))
    const times = watchings.map(watching => watching.latest.observedAtMs)
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(200)
  })
})

test('a root that is a link is followed when it points elsewhere', async () => {
  const directory = scratch()
  for (const release of ['r1', 'r2']) {
    mkdirSync(join(directory, release))
    writeFileSync(join(directory, release, 'app.conf'), release)
  }
  const current = join(directory, 'current')
  symlinkSync('r1', current)
  const files = new Files(current)
  const [file, tree] = [files.watchFile('app.conf'), files.watchTree('')]
  await Promise.all([comesTo(file, 'r1'), comesTo(tree, { 'app.conf': 'r1' })])
  for (const release of ['r2', 'r1', 'r2']) {
    repoint(current, release)
    await Promise.all([comesTo(file, release), comesTo(tree, { 'app.conf': release })])
  }
  writeFileSync(join(directory, 'r2', 'app.conf'), 'changed')
  await comesTo(file, 'changed')
  unlinkSync(current)
  await comesTo(file, ABSENT)
  symlinkSync(join(directory, 'r1'), current)
  await comesTo(file, 'r1')
  expect([...file.ends, ...tree.ends]).toEqual([])
})

test('a directory above the root that is a link is followed when it points elsewhere', async () => {
  const directory = scratch()
  for (const release of ['r1', 'r2']) {
    mkdirSync(join(directory, release, 'values'), { recursive: true })
    writeFileSync(join(directory, release, 'values', 'app.conf'), release)
  }
  symlinkSync('r1', join(directory, 'current'))
  const file = new Files(join(directory, 'current', 'values')).watchFile('app.conf')
  await comesTo(file, 'r1')
  repoint(join(directory, 'current'), 'r2')
  await comesTo(file, 'r2')
  expect(file.ends).toEqual([])
})

test('directories that are removed and made again, or replaced by others, are seen each time', async () => {
  const directory = scratch()
  const root = join(directory, 'values')
  const files = new Files(root)
  const [file, tree] = [files.watchFile('deep/app.conf'), files.watchTree('deep')]
  await Promise.all([comesTo(file, ABSENT), comesTo(tree, ABSENT)])
  for (let round = 0; round < 15; round++) {
    mkdirSync(join(root, 'deep'), { recursive: true })
    writeFileSync(join(root, 'deep', 'app.conf'), `${round}`)
    await Promise.all([comesTo(file, `${round}`), comesTo(tree, { 'app.conf': `${round}` })])
    const [from, aside] = round % 2 === 0 ? [root, 'old'] : [join(root, 'deep'), 'old']
    mkdirSync(join(directory, 'other', 'deep'), { recursive: true })
    writeFileSync(join(directory, 'other', 'deep', 'app.conf'), `other ${round}`)
    renameSync(from, join(directory, aside))
    renameSync(join(directory, round % 2 === 0 ? 'other' : 'other/deep'), from)
    await Promise.all([comesTo(file, `other ${round}`), comesTo(tree, { 'app.conf': `other ${round}` })])
    writeFileSync(join(root, 'deep', 'app.conf'), `written ${round}`)
    await Promise.all([comesTo(file, `written ${round}`), comesTo(tree, { 'app.conf': `written ${round}` })])
    for (const name of ['old', 'other']) rmSync(join(directory, name), { recursive: true, force: true })
    rmSync(root, { recursive: true })
    if (round % 3 === 0) await Promise.all([comesTo(file, ABSENT), comesTo(tree, ABSENT)])
  }
  expect([...file.ends, ...tree.ends]).toEqual([])
})

test('a provider of a single file sees it replaced, gone and back', async () => {
  const path = join(scratch(), 'app.conf')
  writeFileSync(path, '1')
  const watching = new Files(path).watchFile('')
  await comesTo(watching, '1')
  replaceFile(path, '2')
  await comesTo(watching, '2')
  writeFileSync(path, '3')
  await comesTo(watching, '3')
  unlinkSync(path)
  await comesTo(watching, ABSENT)
  replaceFile(path, '4')
  await comesTo(watching, '4')
  expect(watching.ends).toEqual([])
})

test('a tree keeps the files that did not change, and shows names that come, go and move', async () => {
  const root = scratch()
  mkdirSync(join(root, 'sub'))
  writeFileSync(join(root, 'kept'), 'kept')
  writeFileSync(join(root, 'sub', 'moves'), 'moves')
  const tree = new Files(root).watchTree('')
  await comesTo(tree, { kept: 'kept', 'sub/moves': 'moves' })
  const before = fileIn(tree.latest, 'kept')
  renameSync(join(root, 'sub', 'moves'), join(root, 'moved'))
  writeFileSync(join(root, 'sub', 'new'), 'new')
  await comesTo(tree, { kept: 'kept', moved: 'moves', 'sub/new': 'new' })
  rmSync(join(root, 'sub'), { recursive: true })
  await comesTo(tree, { kept: 'kept', moved: 'moves' })
  expect(fileIn(tree.latest, 'kept')).toBe(before)
})

test(
  '10,000 files cost one watch for each directory and the one above, and a change among them is seen',
  { timeout: 60_000 },
  async () => {
    const root = scratch()
    const count = 10_000
    for (let i = 0; i < count; i++) {
      if (i % 100 === 0) mkdirSync(join(root, `d${i / 100}`))
      writeFileSync(join(root, `d${Math.floor(i / 100)}`, `f${i}`), `${i}`)
    }
    const watchesBefore = inotifyWatches()
    const files = new Files(root)
    const [tree, file] = [files.watchTree(''), files.watchFile('d7/f707')]
    await eventually(() => expect(filesIn(tree.latest).size).toBe(count), { withinMs: 30_000 })
    await eventually(() => expect(inotifyWatches() - watchesBefore).toBe(102), { withinMs: 30_000 })
    replaceFile(join(root, 'd7', 'f707'), 'changed')
    await comesTo(file, 'changed')
    await eventually(() => expect(Buffer.from(fileIn(tree.latest, 'd7/f707').content).toString()).toBe('changed'), {
      withinMs: 30_000,
    })
    await Promise.all([tree.stop(), file.stop()])
    await eventually(() => expect(inotifyWatches()).toBe(watchesBefore))
  },
)

function filesIn({ value }: Reading): Tree['files'] {
  if (!(value instanceof Tree)) throw new Error('not a tree')
  return value.files
}

function fileIn(reading: Reading, path: string): TreeFile {
  return filesIn(reading).get(path) as TreeFile
}
