import { join } from 'node:path'
import { expect } from 'vitest'
import { openJournal, type Journal } from '../../lib/state/journal.ts'
import { filesPublisher } from '../../lib/publish/files.ts'
import { changedBetween, type Publisher } from '../../lib/publish/publisher.ts'
import { volumePublisher } from '../../lib/publish/volume.ts'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import type { OutputFile } from '../../lib/generation.ts'
import { Crash, CrashFileSystem, type CrashPlan } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { readThrough, readTree } from '../support/reader.ts'

export type Mode = 'volume' | 'files'

export interface World {
  /** Changes when the power is cut. */
  fileSystem: FileSystem
  readonly root: string
  readonly clock: FakeClock
  /** What each hook last heard: outside of us, so it survives. */
  readonly told: Map<string, number>
  /** Every telling, to see that none is repeated after its delivery was recorded. */
  readonly deliveries: string[]
  /** Changing calls of the last process. */
  calls: number
}

export function newWorld(fileSystem: FileSystem, root: string): World {
  return { fileSystem, root, clock: new FakeClock(Date.now() + 60_000), told: new Map(), deliveries: [], calls: 0 }
}

const HOOKS = ['hup', 'http']
const BOOTS_MAX = 50

export interface Story {
  readonly mode: Mode
  /** The contents that the inputs ask for, one after the other. */
  readonly contents: readonly string[]
  /** Whether the application takes them badly. */
  readonly bad: (content: string) => boolean
}

/** Runs the story to its end, with a process that dies as each plan says and is started again; `afterCrash` comes in between. */
export async function play(
  world: World,
  story: Story,
  plans: readonly CrashPlan[],
  afterCrash: () => Promise<void> = async () => {},
): Promise<void> {
  const left = [...plans]
  const progress = { published: 0 }
  for (let boots = 1; ; boots++) {
    if (boots > BOOTS_MAX) throw new Error('it never ends')
    const fileSystem = new CrashFileSystem(world.fileSystem, left.shift())
    try {
      await live(world, story, fileSystem, progress)
      world.calls = fileSystem.calls
      break
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      await afterCrash()
      await checkReader(world, story)
    }
  }
  await checkEnd(world, story)
}

/** The files of a content. Those of A and B have the same names; those of C have some of their own. */
export function filesOf(
  content: string,
  { mode, root }: { readonly mode: Mode; readonly root: string },
): readonly OutputFile[] {
  const base = mode === 'volume' ? '' : `${join(root, 'etc')}/`
  const group = content === 'C' ? 'c' : 'ab'
  return ['app.conf', 'tls/cert.pem', `only-${group}.conf`, `new-${group}/deep/x.conf`].map(path => ({
    path: base + path,
    content: Buffer.from(`${content} in ${path}`),
    mode: 0o640,
  }))
}

interface Process {
  readonly world: World
  readonly story: Story
  readonly publisher: Publisher
  readonly journal: Journal
  readonly fileSystem: CrashFileSystem
}

async function live(
  world: World,
  story: Story,
  fileSystem: CrashFileSystem,
  progress: { published: number },
): Promise<void> {
  const { root, clock } = world
  const host = { fileSystem, clock, keepAgeMs: 0 }
  const state = join(root, 'state')
  const publisher = story.mode === 'volume' ? volumePublisher(join(root, 'volume'), host) : filesPublisher(state, host)
  await fileSystem.makeDirectories(state, 0o700)
  await fileSystem.syncDirectory(root) // As `prepare` does for what it makes.
  const journal = await openJournal(join(state, 'journal'), {
    fileSystem,
    clock,
    generations: () => publisher.generations(),
  })
  expect(journal.damage).toEqual([])
  const process: Process = { world, story, publisher, journal, fileSystem }
  await boot(process)
  for (; progress.published < story.contents.length; progress.published++) {
    const content = story.contents[progress.published] as string
    const { digest, condemnedDigests } = await recovery(process)
    if (digest !== content && !condemnedDigests.has(content))
      await publishAs(process, content, filesOf(content, { ...story, root }))
  }
  const { lastConfirmed } = await recovery(process)
  await publisher.collect(1, lastConfirmed === undefined ? [] : [lastConfirmed])
}

async function boot(process: Process): Promise<void> {
  const { publisher } = process
  await publisher.prepare()
  const { unfinished } = await recovery(process)
  if (unfinished !== undefined) await publisher.resume(unfinished)
  const { known, condemned, confirmed } = await recovery(process)
  if ((await publisher.visible()) === undefined) return
  expect(known).toBe(true)
  if (condemned !== undefined) return rollBack(process)
  await tellOwed(process)
  if (!confirmed) await probation(process)
}

async function recovery({ publisher, journal }: Process) {
  return journal.recover(await publisher.visible(), await publisher.generations())
}

async function publishAs(
  process: Process,
  content: string,
  files: readonly OutputFile[],
  restores?: number,
): Promise<void> {
  const { publisher, journal } = process
  const { nextNumber: generation, owed, changed: untold } = await recovery(process)
  await publisher.stage(generation, files)
  const differs = await changedBetween(publisher, await publisher.visible(), generation)
  const changed = owed.length === 0 ? differs : [...new Set([...differs, ...untold])].toSorted()
  const intent = { kind: 'intended', generation, digest: content, hooks: HOOKS, changed } as const
  await journal.append(restores === undefined ? intent : { ...intent, restores })
  await publisher.publish(generation)
  await tellOwed(process)
  await probation(process)
}

async function tellOwed(process: Process): Promise<void> {
  const { publisher, journal, fileSystem, world } = process
  const visible = (await publisher.visible()) as number
  for (const hook of (await recovery(process)).owed) {
    await fileSystem.step(() => {
      world.told.set(hook, visible)
    })
    await journal.append({ kind: 'delivered', generation: visible, hook })
    // A record that resolved is there for good: this must be the only one for this hook and generation.
    expect(world.deliveries).not.toContain(`${hook} ${visible}`)
    world.deliveries.push(`${hook} ${visible}`)
  }
}

async function probation(process: Process): Promise<void> {
  const { publisher, journal, story } = process
  const generation = (await publisher.visible()) as number
  const digest = (await recovery(process)).digest as string
  if (!story.bad(digest)) return journal.append({ kind: 'confirmed', generation })
  await journal.append({ kind: 'condemned', generation, digest, why: 'probe' })
  await rollBack(process)
}

async function rollBack(process: Process): Promise<void> {
  const { publisher } = process
  const { lastConfirmed, lastConfirmedDigest } = await recovery(process)
  if (lastConfirmed === undefined) return
  await publishAs(process, lastConfirmedDigest as string, await publisher.read(lastConfirmed), lastConfirmed)
}

/** What must hold at every moment, the process being dead. */
async function checkReader(world: World, story: Story): Promise<void> {
  const { fileSystem, root } = world
  await checkGenerations(world, story)
  if (story.mode === 'files') {
    // Each file is whole, and of some content that was asked for.
    const all = new Map(
      story.contents.flatMap(content => filesOf(content, { ...story, root }).map(file => [file.path, content])),
    )
    for (const path of all.keys()) {
      const text = await readThrough(fileSystem, path)
      if (text === undefined) continue
      const whole = story.contents.map(content => `${content} in ${path.slice(join(root, 'etc').length + 1)}`)
      expect(whole).toContain(text)
    }
    return
  }
  const data = await pinned(world)
  if (data === undefined) return
  const content = data['app.conf']?.slice(0, 1) as string
  expect(data).toEqual(expected(content, story, root))
}

/** Every generation that lies there is complete, seen or not: any of them may be gone back to. */
async function checkGenerations({ fileSystem, root }: World, story: Story): Promise<void> {
  const home = join(root, story.mode === 'volume' ? 'volume' : 'state')
  if ((await fileSystem.stat(home)) === undefined) return
  const base = story.mode === 'volume' ? '' : join(root, 'etc').slice(1)
  for (const name of await fileSystem.list(home)) {
    if (!/^\.\.g[0-9]+$/.test(name)) continue
    const tree = await readTree(fileSystem, join(home, name, base))
    expect(tree).toEqual(expected(tree['app.conf']?.slice(0, 1) as string, story, root))
  }
}

/** What a reader finds who follows `..data` once. */
async function pinned({ fileSystem, root }: World) {
  const current = join(root, 'volume', '..data')
  if ((await fileSystem.stat(join(root, 'volume'))) === undefined) return undefined
  const target = await fileSystem.readLink(current)
  return target === undefined ? undefined : readTree(fileSystem, join(root, 'volume', target))
}

function expected(content: string, story: Story, root: string): Record<string, string> {
  const base = story.mode === 'volume' ? '' : `${join(root, 'etc')}/`
  return Object.fromEntries(
    filesOf(content, { ...story, root }).map(file => [
      file.path.slice(base.length),
      Buffer.from(file.content).toString(),
    ]),
  )
}

async function checkEnd(world: World, story: Story): Promise<void> {
  const { fileSystem, root, clock, told } = world
  const host = { fileSystem, clock, keepAgeMs: 0 }
  const state = join(root, 'state')
  const publisher = story.mode === 'volume' ? volumePublisher(join(root, 'volume'), host) : filesPublisher(state, host)
  await checkSeen(world, story)
  const visible = (await publisher.visible()) as number
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(HOOKS.map(hook => [hook, visible])))
  const journal = await openJournal(join(state, 'journal'), {
    fileSystem,
    clock,
    generations: () => publisher.generations(),
  })
  const numbers = journal.records.flatMap(({ entry }) => (entry.kind === 'intended' ? [entry.generation] : []))
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  expect(journal.recover(visible, await publisher.generations())).toMatchObject({
    confirmed: true,
    owed: [],
    unfinished: undefined,
  })
  // Nothing temporary is left.
  expect(await publisher.generations()).toEqual([visible])
  const home = story.mode === 'volume' ? join(root, 'volume') : state
  const names = await fileSystem.list(home)
  expect(names.filter(name => name.startsWith('..'))).toEqual(
    story.mode === 'volume' ? ['..data', `..g${visible}`] : [`..g${visible}`],
  )
}

/** What is seen is exactly the last good content: no file of another one, no link that leads nowhere. */
export async function checkSeen({ fileSystem, root }: World, story: Story): Promise<void> {
  const lastGood = story.contents.findLast(content => !story.bad(content)) as string
  const tree = await readTree(fileSystem, join(root, story.mode === 'volume' ? 'volume' : 'etc'))
  expect(tree).toEqual(expected(lastGood, story, root))
}
