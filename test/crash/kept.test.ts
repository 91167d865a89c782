import { describe, expect, test } from 'vitest'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { FileSystem } from '../../lib/base/filesystem.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Rendered } from '../../lib/render/renderer.ts'
import { absent } from '../../lib/reading.ts'
import { openSealedState } from '../../lib/state/sealed-state.ts'
import { Store, type Subscription } from '../../lib/store/store.ts'
import { testDigest, TestBundle, type Mode } from '../support/bundle.ts'
import { CRASH_MOMENTS, CrashFileSystem, type CrashPlan } from '../support/crash-filesystem.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'
import { readThrough } from '../support/reader.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { sequence } from '../support/sequence.ts'

// What was visible once is never replaced by what was kept before it: the whole path, with a store that keeps its readings, is killed at
// each call, and started again while the backend is away.

const VALUE: Dependency = { provider: 'one', kind: 'value', path: 'value', params: {} }
/** One reading after the other, and for how long each holds: until it is published, until it is kept as well, and until what was before
 *  it is gone. */
const STORY = [
  { content: '0', forMs: 3_000 },
  { content: '1', forMs: 150 },
  { content: '2', forMs: 3_000 },
  { content: '3 is absent', forMs: 150 },
  { content: '4', forMs: 15_000 },
  { content: '5', forMs: 150 },
]
const AWAY_MS = 3_000

interface World {
  disk: MemoryFileSystem
  readonly clock: FakeClock
  readonly mode: Mode
}

/** A process on this disk; undefined where it died at once. */
async function boot({ clock, mode }: World, fileSystem: CrashFileSystem) {
  const provider = new ScriptedProvider(clock)
  const host = { clock, fileSystem, log: silentLog }
  try {
    const providers = new Map([['one', { seal: 'all', identity: 'id' } as const]])
    const sealed = await openSealedState({
      ...host,
      fileSystem: slowly(fileSystem),
      directory: '/sealed',
      key: new Uint8Array(32),
      providers,
    })
    const store = new Store({
      ...host,
      providers: new Map([['one', provider]]),
      identities: new Map([['one', 'id']]),
      random: () => 0.5,
      redactor: new Redactor(),
    })
    store.restore(sealed, sealed.leases)
    const inputs = store.subscribe('web')
    const source = { inputs, render: () => render(inputs, mode) }
    const bundle = await TestBundle.start({ ...host, mode, root: '/', source })
    return {
      provider,
      end: async () => {
        await bundle.stop()
        await store.close()
        await sealed.close()
      },
    }
  } catch (error) {
    if (!fileSystem.dead) throw error
    return undefined
  }
}

/** Adds to a file when everything else that is ready has been done: whoever does not wait for it is done before it. */
function slowly(fileSystem: CrashFileSystem): FileSystem {
  return new Proxy<FileSystem>(fileSystem, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>
      return async (...args: unknown[]) => {
        for (let i = 0; name === 'appendFile' && i < 5; i++) await new Promise(resolve => setImmediate(resolve))
        return call.apply(target, args)
      }
    },
  })
}

function render(inputs: Subscription, mode: Mode): Rendered {
  const reading = inputs.get(VALUE)
  if (reading === undefined) return { kind: 'incomplete', wanted: [VALUE], missing: [VALUE] }
  const text = reading.value === absent ? '3 is absent' : (reading.value as string)
  const path = mode === 'volume' ? 'app.conf' : '/etc/app.conf'
  const files = [{ path, content: Buffer.from(text), mode: 0o640 }]
  return {
    kind: 'complete',
    wanted: [VALUE],
    contents: { bundle: 'web', files, digest: testDigest(files) },
    renders: 1,
  }
}

/** Plays the story until the process dies, and starts it again without the backend, where it may die once more. Gives how many calls
 *  there were, and what was shown at the end. */
async function play(mode: Mode, plans: readonly CrashPlan[], cutPower?: () => number) {
  const world: World = { disk: new MemoryFileSystem(), clock: new FakeClock(), mode }
  let seen = -1
  const shown = async () => {
    const text = await readThrough(world.disk, mode === 'volume' ? '/volume/app.conf' : '/etc/app.conf')
    return Number.parseInt(text ?? '-1', 10)
  }
  const look = async () => {
    const now = await shown()
    expect(now).toBeGreaterThanOrEqual(seen)
    seen = now
  }
  const pass = async (ms: number, fileSystem: CrashFileSystem) => {
    const stepMs = Math.max(50, ms / 10)
    for (let passedMs = 0; passedMs < ms && !fileSystem.dead; passedMs += stepMs) {
      await world.clock.advance(stepMs)
      await look()
    }
  }
  const first = new CrashFileSystem(world.disk, plans[0])
  const running = await boot(world, first)
  for (const { content, forMs } of STORY) {
    running?.provider.set('value', content === '3 is absent' ? absent : content, { revision: content })
    await pass(forMs, first)
  }
  await running?.end()
  await look()
  for (const plan of [plans[1], undefined]) {
    if (cutPower !== undefined) {
      world.disk = world.disk.powerCut(cutPower)
      // What had been made visible and not been synced yet may not have been. Whoever saw it is gone as well.
      seen = await shown()
    }
    const fileSystem = new CrashFileSystem(world.disk, plan)
    const again = await boot(world, fileSystem)
    again?.provider.breakAll()
    await pass(AWAY_MS, fileSystem)
    await again?.end()
    await look()
  }
  return { calls: first.calls, seen }
}

describe.each<Mode>(['volume', 'files'])('what was visible once, in mode %s,', mode => {
  test('is not replaced by what was kept before it, after a crash at every call', { timeout: 120_000 }, async () => {
    const { calls, seen } = await play(mode, [])
    expect(seen).toBe(5)
    expect(calls).toBeGreaterThan(50)
    for (let at = 1; at <= calls; at++) {
      for (const when of CRASH_MOMENTS) await play(mode, [{ at, when }])
    }
  })

  test(
    'is not replaced by what was kept before it, after a power cut at every call, and another',
    { timeout: 120_000 },
    async () => {
      const { calls } = await play(mode, [])
      const random = sequence(5)
      for (let at = 1; at <= calls; at++) {
        const second = { at: 1 + Math.floor(random() * 12), when: CRASH_MOMENTS[at % 3] as CrashPlan['when'] }
        for (const when of CRASH_MOMENTS) await play(mode, [{ at, when }, second], random)
      }
    },
  )
})
