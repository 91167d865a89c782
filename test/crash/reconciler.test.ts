import { describe, expect, test } from 'vitest'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import type { Notice } from '../../lib/notice.ts'
import { HookError } from '../../lib/notify/hook.ts'
import { TestBundle, type Mode } from '../support/bundle.ts'
import { CRASH_MOMENTS, CrashFileSystem, type CrashPlan } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { readTree } from '../support/reader.ts'
import { sequence } from '../support/sequence.ts'
import { filesOf } from './publish-run.ts'

const ROOT = '/'
const CONTENTS = ['A', 'B', 'C']
const BOOTS_MAX = 30

/** What survives our process: the disk, and what the application heard. */
interface World {
  disk: MemoryFileSystem
  readonly clock: FakeClock
  readonly told: Map<string, number>
  /** `HOOK GENERATION`, once its delivery was recorded for good. */
  readonly recorded: Set<string>
  readonly repeated: string[]
}

interface Story {
  readonly mode: Mode
  /** The content that the application refuses. */
  readonly refused: string | undefined
}

/** Plays the whole story with the real reconciler, notifier, journal and publisher; the process dies as the plans say. */
async function play(story: Story, plans: readonly CrashPlan[], cutPower?: () => number): Promise<number> {
  const world: World = {
    disk: new MemoryFileSystem(),
    clock: new FakeClock(),
    told: new Map(),
    recorded: new Set(),
    repeated: [],
  }
  const left = [...plans]
  let progress = 0
  for (let boots = 1; progress < CONTENTS.length; boots++) {
    if (boots > BOOTS_MAX) throw new Error('it never ends')
    const fileSystem = new CrashFileSystem(world.disk, left.shift())
    const bundle = await boot(world, story, fileSystem, CONTENTS[progress] as string)
    while (bundle !== undefined && progress < CONTENTS.length) {
      const turns = bundle.outcomes.length
      if (turns > 0) bundle.set(CONTENTS[progress])
      await bundle.until(() => fileSystem.dead || (bundle.outcomes.length > turns && isConcluded(bundle)))
      if (fileSystem.dead) break
      progress++
    }
    await bundle?.stop()
    if (fileSystem.dead && cutPower !== undefined) world.disk = world.disk.powerCut(cutPower)
    if (progress === CONTENTS.length) {
      await checkEnd(world, story, fileSystem)
      return fileSystem.calls
    }
    await checkReader(world, story)
  }
  throw new Error('unreachable')
}

function isConcluded({ standing }: TestBundle): boolean {
  const kind = standing?.outcome?.kind
  if (kind === 'rejected') return true
  return standing?.confirmed === true && (kind === 'published' || kind === 'unchanged' || kind === 'rolled-back')
}

async function boot(world: World, story: Story, fileSystem: CrashFileSystem, content: string) {
  const { mode, refused } = story
  const tell = (hook: string) => async (notice: Notice) => {
    if (world.recorded.has(`${hook} ${notice.generation}`)) world.repeated.push(`${hook} ${notice.generation}`)
    await fileSystem.step(() => void world.told.set(hook, notice.generation))
    if (hook === 'http' && (await appText(world.disk, story)).startsWith(`${refused} `)) {
      throw new HookError('refused', 'no')
    }
  }
  try {
    return await TestBundle.start({
      mode,
      fileSystem,
      root: ROOT,
      clock: world.clock,
      content,
      hooks: { hup: tell('hup'), http: tell('http') },
      files: one => filesOf(one, { mode, root: ROOT }),
      onDelivered: (generation, hook) => world.recorded.add(`${hook} ${generation}`),
    })
  } catch (error) {
    if (!fileSystem.dead) throw error
    return undefined
  }
}

async function appText(disk: FileSystem, { mode }: Story): Promise<string> {
  const tree = await readTree(disk, mode === 'volume' ? '/volume' : '/etc')
  return tree['app.conf'] ?? ''
}

/** At every moment a reader who pins the generation sees files of one content only. */
async function checkReader({ disk }: World, { mode }: Story): Promise<void> {
  if (mode === 'files' || (await disk.stat('/volume')) === undefined) return
  const target = await disk.readLink('/volume/..data').catch(() => undefined)
  if (target === undefined) return
  const seen = await readTree(disk, `/volume/${target}`)
  const content = seen['app.conf']?.slice(0, 1) as string
  expect(seen).toEqual(expected(content, mode))
}

async function checkEnd(world: World, story: Story, fileSystem: CrashFileSystem): Promise<void> {
  const lastGood = CONTENTS.findLast(content => content !== story.refused) as string
  const tree = await readTree(world.disk, story.mode === 'volume' ? '/volume' : '/etc')
  const present = Object.fromEntries(Object.entries(tree).filter(([, text]) => text !== undefined))
  expect(present).toEqual(expected(lastGood, story.mode))
  expect(fileSystem.dead).toBe(false)

  // Every hook heard of what is visible, and none twice of the same after that was recorded.
  const names = await world.disk.list(story.mode === 'volume' ? '/volume' : '/state')
  const generations = names.filter(name => /^\.\.g\d+$/.test(name)).map(name => Number(name.slice(3)))
  const visible = Math.max(...generations)
  expect(Object.fromEntries(world.told)).toEqual({ hup: visible, http: visible })
  expect(world.repeated).toEqual([])

  // No temporary file is left.
  expect(names.filter(name => /\.(new|gone|tmp)/.test(name))).toEqual([])
}

function expected(content: string, mode: Mode): Record<string, string> {
  const base = mode === 'volume' ? '' : '/etc/'
  const files = filesOf(content, { mode, root: ROOT })
  return Object.fromEntries(files.map(file => [file.path.slice(base.length), Buffer.from(file.content).toString()]))
}

describe.each<Mode>(['volume', 'files'])('the whole path in mode %s', mode => {
  describe.each([undefined, 'B', 'C'])('when the application refuses %s', refused => {
    const story: Story = { mode, refused }

    test('survives a crash at every call, and a second one in the recovery', { timeout: 120_000 }, async () => {
      const calls = await play(story, [])
      expect(calls).toBeGreaterThan(50)
      for (let at = 1; at <= calls; at++) {
        const when = CRASH_MOMENTS[at % 3] as (typeof CRASH_MOMENTS)[number]
        for (const moment of CRASH_MOMENTS) await play(story, [{ at, when: moment }])
        await play(story, [
          { at, when },
          { at: 1 + ((at * 7) % 23), when: CRASH_MOMENTS[(at + 1) % 3] as (typeof CRASH_MOMENTS)[number] },
        ])
      }
    })

    test('survives a power cut at every call', { timeout: 120_000 }, async () => {
      const calls = await play(story, [])
      const random = sequence(7)
      for (let at = 1; at <= calls; at++) {
        for (const when of CRASH_MOMENTS) await play(story, [{ at, when }], random)
      }
    })
  })
})
