import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { Mailbox } from '../../../lib/base/mailbox.ts'
import { silentLog } from '../../../lib/base/log.ts'
import { Hints, type Bell } from '../../../providers/file/hints.ts'
import { Places } from '../../../providers/file/resolve.ts'
import type { DirectoryEvents, WatchDirectory } from '../../../providers/file/watch-directory.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { scratch } from '../../support/scratch.ts'
import { comesTo, contentOf, Files } from './files.ts'

/** Watches whose events a test makes. */
class FakeDirectories {
  readonly running = new Map<string, DirectoryEvents>()
  started = 0
  closed = 0
  readonly watch: WatchDirectory = async (directory, events) => {
    this.started++
    this.running.set(directory, events)
    return async () => {
      this.closed++
      if (this.running.get(directory) === events) this.running.delete(directory)
    }
  }

  events(directory: string): DirectoryEvents {
    const events = this.running.get(directory)
    if (events === undefined) throw new Error(`${directory} is not watched`)
    return events
  }

  async ready(...directories: readonly string[]): Promise<void> {
    await settled()
    for (const directory of directories) this.events(directory).ready()
  }
}

function placesOf(names: Readonly<Record<string, readonly string[] | 'all'>>): Places {
  const places = new Places()
  for (const [directory, each] of Object.entries(names)) {
    if (each === 'all') places.addAll(directory)
    else for (const name of each) places.add(directory, name)
  }
  return places
}

function rang(...bells: readonly Bell[]): readonly boolean[] {
  const full = bells.map(bell => bell.full)
  for (const bell of bells) bell.clear()
  return full
}

async function following(names: Readonly<Record<string, readonly string[] | 'all'>>[]) {
  const directories = new FakeDirectories()
  const hints = new Hints(silentLog, directories.watch)
  const bells = names.map((): Bell => new Mailbox())
  for (const [i, bell] of bells.entries()) hints.follow(bell, placesOf(names[i] ?? {}))
  await directories.ready(...directories.running.keys())
  return { directories, hints, bells }
}

test('a directory is watched once, and rings those who wait for the name that changed, in the same turn', async () => {
  const { directories, bells } = await following([{ '/d': ['a'] }, { '/d': ['b'] }, { '/d': 'all' }])
  expect(directories.started).toBe(1)
  expect(rang(...bells)).toEqual([true, true, true])
  directories.events('/d').changed('b')
  expect(rang(...bells)).toEqual([false, true, true])
  directories.events('/d').renamed('c')
  expect(rang(...bells)).toEqual([false, false, true])
  directories.events('/d').changed(undefined)
  expect(rang(...bells)).toEqual([true, true, true])
})

test('who comes to wait for more in a watched directory is rung once, and not again for the same', async () => {
  const { hints, bells } = await following([{ '/d': ['a'] }])
  const [bell] = bells as [Bell]
  rang(bell)
  hints.follow(bell, placesOf({ '/d': ['a'] }))
  expect(rang(bell)).toEqual([false])
  hints.follow(bell, placesOf({ '/d': ['a', 'b'] }))
  expect(rang(bell)).toEqual([true])
  hints.follow(bell, placesOf({ '/d': 'all' }))
  expect(rang(bell)).toEqual([true])
})

test('a directory that nobody waits for any more is not watched any more', async () => {
  const { directories, hints, bells } = await following([{ '/d': ['a'], '/e': ['a'] }, { '/d': ['b'] }])
  const [one, two] = bells as [Bell, Bell]
  hints.follow(one, placesOf({ '/d': ['a'] }))
  await settled()
  expect([...directories.running.keys()]).toEqual(['/d'])
  hints.forget(one)
  await settled()
  expect([...directories.running.keys()]).toEqual(['/d'])
  hints.forget(two)
  await settled()
  expect([directories.started, directories.closed]).toEqual([2, 2])
})

test('a directory that went, or was replaced, is watched anew with all below it', async () => {
  for (const sign of ['gone', 'renamed'] as const) {
    const names = { '/': ['d'], '/d': ['e'], '/d/e': ['a'], '/dd': ['a'] }
    const { directories, hints, bells } = await following([names])
    const [bell] = bells as [Bell]
    for (let i = 0; i < 3; i++) {
      hints.follow(bell, placesOf(names))
      await settled()
      for (const [, events] of directories.running) events.ready()
    }
    const before = new Map(directories.running)
    expect([...before.keys()].toSorted()).toEqual(['/', '/d', '/d/e', '/dd'])
    rang(bell)
    if (sign === 'gone') directories.events('/d').gone()
    else directories.events('/').renamed('d')
    expect(rang(bell)).toEqual([true])
    await settled()
    expect([...directories.running.keys()].toSorted()).toEqual(['/', '/dd'])
    hints.follow(bell, placesOf(names))
    await directories.ready('/d')
    hints.follow(bell, placesOf(names))
    await directories.ready('/d/e')
    expect(directories.running.get('/d')).not.toBe(before.get('/d'))
    expect(directories.running.get('/d/e')).not.toBe(before.get('/d/e'))
    expect(directories.running.get('/dd')).toBe(before.get('/dd'))
    await hints.close()
    expect(directories.running.size).toBe(0)
  }
})

test('a directory is watched only when the one above it is', async () => {
  const directories = new FakeDirectories()
  const hints = new Hints(silentLog, directories.watch)
  const bell: Bell = new Mailbox()
  const places = placesOf({ '/d': ['e'], '/d/e': ['a'] })
  hints.follow(bell, places)
  await settled()
  expect([...directories.running.keys()]).toEqual(['/d'])
  directories.events('/d').ready()
  expect(rang(bell)).toEqual([true])
  hints.follow(bell, places)
  await settled()
  expect([...directories.running.keys()]).toEqual(['/d', '/d/e'])
})

const exhausted: WatchDirectory = async () => {
  throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' })
}

test('when the system has no watches left, files are looked at each second, and the log says so once', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), '1')
  const clock = new FakeClock()
  const files = new Files(root, { watchDirectory: exhausted, host: { clock, random: () => 0.5 } })
  const [a, b] = [files.watchFile('a'), files.watchFile('b')]
  await Promise.all([a.first(), b.first()])
  // Both have been told that there will be no hints, and sleep.
  await eventually(() => expect(clock.sleeping).toBe(2))
  for (let i = 2; i < 5; i++) {
    writeFileSync(join(root, 'a'), `${i}`)
    await clock.advance(999)
    expect(contentOf(a.latest)).toBe(`${i - 1}`)
    await clock.advance(1)
    await comesTo(a, `${i}`)
    await eventually(() => expect(clock.sleeping).toBe(2))
  }
  expect(files.logged.map(line => JSON.parse(line) as { level: string })).toMatchObject([
    { level: 'warn', reason: /ENOSPC/ },
  ])
})

test('a watcher that fails later is noticed too', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a'), '1')
  const directories = new FakeDirectories()
  const files = new Files(root, { watchDirectory: directories.watch })
  const a = files.watchFile('a')
  await a.first()
  await eventually(() => directories.events(dirname(root)))
  await settled()
  directories.events(dirname(root)).failed(new Error('EMFILE: too many open files'))
  writeFileSync(join(root, 'a'), '2')
  await comesTo(a, '2')
  expect(files.logged).toHaveLength(1)
})

const deaf: WatchDirectory = async (_, events) => {
  events.ready()
  return async () => {}
}

test('a change whose event is lost is seen by the slow poll', async () => {
  const root = scratch()
  mkdirSync(join(root, 'r1'))
  mkdirSync(join(root, 'r2'))
  symlinkSync('r1', join(root, 'current'))
  const clock = new FakeClock()
  const files = new Files(join(root, 'current'), { watchDirectory: deaf, host: { clock, random: () => 0.5 } })
  const a = files.watchFile('a')
  await a.first()
  await eventually(() => expect(clock.sleeping).toBe(1))
  writeFileSync(join(root, 'r1', 'a'), 'late')
  await clock.advance(29_999)
  expect(a.readings).toHaveLength(1)
  await clock.advance(1)
  await comesTo(a, 'late')
})

test('poll: says how often everything is looked at', async () => {
  const root = scratch()
  const clock = new FakeClock()
  const files = new Files(root, { poll: '2s', watchDirectory: deaf, host: { clock, random: () => 0.5 } })
  const a = files.watchFile('a')
  await a.first()
  await eventually(() => expect(clock.sleeping).toBe(1))
  writeFileSync(join(root, 'a'), 'late')
  await clock.advance(2_000)
  await comesTo(a, 'late')
})
