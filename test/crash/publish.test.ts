import { mkdtempSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { disk } from '../../lib/base/disk.ts'
import { CRASH_MOMENTS } from '../support/crash-filesystem.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { sequence } from '../support/random.ts'
import { checkSeen, newWorld, play, type Mode, type Story, type World } from './publish-run.ts'

const MODES: readonly Mode[] = ['volume', 'files']
const CONTENTS = ['A', 'B', 'C']
const TAKEN: readonly { name: string; bad: (content: string) => boolean }[] = [
  { name: 'all are taken well', bad: () => false },
  { name: 'the second is taken badly', bad: content => content === 'B' },
  { name: 'the last is taken badly', bad: content => content === 'C' },
]
/** How often each power cut is tried, with other losses each time. */
const ROUNDS = 3
/** These play a whole story some hundred times. */
const TIMEOUT_MS = 120_000

describe.each(MODES)('publishing in mode %s', mode => {
  describe.each(TAKEN)('when $name', ({ bad }) => {
    const story: Story = { mode, contents: CONTENTS, bad }

    test('survives a crash at every call, and one more at any later call', { timeout: TIMEOUT_MS }, async () => {
      const calls = await countCalls(story)
      expect(calls).toBeGreaterThan(50)
      for (let at = 1; at <= calls; at++) {
        for (const when of CRASH_MOMENTS) {
          await play(inMemory(), story, [{ at, when }])
          // The second one comes soon, in the recovery from the first, or later.
          await play(inMemory(), story, [
            { at, when },
            { at: 1 + ((at * 7) % 23), when: CRASH_MOMENTS[at % 3] as (typeof CRASH_MOMENTS)[number] },
          ])
        }
      }
    })

    test(
      'survives a power cut at every call, and another crash or cut in the recovery',
      { timeout: TIMEOUT_MS },
      async () => {
        const calls = await countCalls(story)
        expect(calls).toBeGreaterThan(50)
        const random = sequence(1)
        for (let at = 1; at <= calls; at++) {
          for (const when of CRASH_MOMENTS) {
            for (let round = 0; round < ROUNDS; round++) {
              const world = inMemory()
              const cutPower = async () => {
                world.fileSystem = (world.fileSystem as MemoryFileSystem).powerCut(random)
              }
              const plans = [{ at, when }, ...(round === 0 ? [] : [{ at: 1 + Math.floor(random() * 30), when }])]
              let crashes = 0
              // The first is a power cut, or only the second, or both.
              await play(world, story, plans, async () => (crashes++ === 0 && round === 1 ? undefined : cutPower()))

              // What is published stays published, also without us.
              await cutPower()
              await checkSeen(world, story)
            }
          }
        }
      },
    )
  })

  test('survives a crash at every other call on a real file system', { timeout: TIMEOUT_MS }, async () => {
    const story = { mode, contents: CONTENTS, bad: (content: string) => content === 'B' }
    const calls = await countCalls(story)
    for (let at = 1; at <= calls; at += 2) {
      const when = CRASH_MOMENTS[at % 3] as (typeof CRASH_MOMENTS)[number]
      await play(onDisk(), story, [{ at, when }])
    }
  })
})

function inMemory(): World {
  return newWorld(new MemoryFileSystem(), '/')
}

/** In memory where there is such a directory: this is about order, and syncs are slow. */
function onDisk(): World {
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'outrigger-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  return newWorld(disk, root)
}

async function countCalls(story: Story): Promise<number> {
  const world = inMemory()
  await play(world, story, [])
  return world.calls
}
