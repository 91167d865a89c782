import { describe, expect, onTestFinished, test } from 'vitest'
import { fromBytes } from '../../lib/base/text.ts'
import type { Verdict } from '../../lib/gate/verdict.ts'
import type { Notice } from '../../lib/notice.ts'
import { HookError } from '../../lib/notify/hook.ts'
import { TestBundle, type BundleSetup } from '../support/bundle.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryFileSystem } from '../support/memory-filesystem.ts'

const root = '/root'

async function place(): Promise<{ fileSystem: MemoryFileSystem; clock: FakeClock }> {
  const fileSystem = new MemoryFileSystem()
  await fileSystem.makeDirectories(root, 0o755)
  return { fileSystem, clock: new FakeClock() }
}

async function start(
  at: { fileSystem: MemoryFileSystem; clock: FakeClock },
  more: Partial<BundleSetup> = {},
): Promise<TestBundle> {
  const bundle = await TestBundle.start({ mode: 'volume', root, ...at, ...more })
  onTestFinished(() => bundle.stop())
  return bundle
}

async function visibleText(fileSystem: MemoryFileSystem): Promise<string> {
  const target = await fileSystem.readLink(`${root}/volume/..data`)
  return fromBytes(await fileSystem.readFile(`${root}/volume/${target}/app.conf`))
}

/** A hook that remembers what it heard, and fails as a test says. */
function listener() {
  const heard: Notice[] = []
  let failing: Error | undefined
  return {
    heard,
    fail: (error: Error | undefined) => (failing = error),
    tell: async (notice: Notice) => {
      if (failing !== undefined) throw failing
      heard.push(notice)
    },
  }
}

describe('a pass', () => {
  test('publishes, tells and confirms', async () => {
    const at = await place()
    const hook = listener()
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.confirmed('A')

    expect(await visibleText(at.fileSystem)).toBe('A')
    expect(hook.heard).toMatchObject([
      { bundle: 'web', generation: 1, changed: ['app.conf'], directory: `${root}/volume/..g1` },
    ])
    expect(bundle.outcomes).toEqual(['published'])
  })

  test('publishes nothing while something is missing, and the first generation at once when it is there', async () => {
    const at = await place()
    const bundle = await start(at)
    await bundle.until(standing => standing?.outcome?.kind === 'waiting')
    expect(await at.fileSystem.stat(`${root}/volume/..data`)).toBeUndefined()

    const before = at.clock.monotonicMs()
    bundle.set('A')
    await bundle.confirmed('A')
    expect(at.clock.monotonicMs() - before).toBeLessThan(100)
  })

  test('keeps what is visible when the template breaks, and goes on when it is mended', async () => {
    const at = await place()
    const bundle = await start(at, { content: 'A' })
    await bundle.confirmed('A')
    bundle.set('broken')
    await bundle.until(standing => standing?.outcome?.kind === 'broken')
    expect(await visibleText(at.fileSystem)).toBe('A')

    bundle.set('B')
    await bundle.confirmed('B')
    expect(await visibleText(at.fileSystem)).toBe('B')
  })

  test('gathers a burst of changes into one generation', async () => {
    const at = await place()
    const hook = listener()
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.confirmed('A')
    for (const content of ['B', 'C', 'D', 'E']) {
      bundle.set(content)
      await at.clock.advance(50)
    }
    await bundle.confirmed('E')

    expect(hook.heard.map(notice => notice.generation)).toEqual([1, 2])
  })

  test('tells nobody when the contents are the same', async () => {
    const at = await place()
    const hook = listener()
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.confirmed('A')
    bundle.set('A')
    await bundle.until(standing => standing?.outcome?.kind === 'unchanged')

    expect(hook.heard).toHaveLength(1)
  })

  test('publishes again when somebody removed the volume', async () => {
    const at = await place()
    const bundle = await start(at, { content: 'A' })
    await bundle.confirmed('A')
    await at.fileSystem.remove(`${root}/volume`)
    await bundle.until(standing => standing?.visible === 2 && standing.confirmed)

    expect(await visibleText(at.fileSystem)).toBe('A')
  })
})

describe('a check that refuses', () => {
  test('keeps the generation from being seen, and is not asked again about the same contents', async () => {
    const at = await place()
    let asked = 0
    const check = async (directory: string): Promise<Verdict> => {
      asked++
      const text = fromBytes(await at.fileSystem.readFile(`${directory}/app.conf`))
      return text === 'bad' ? { ok: false, why: 'nginx: unknown directive' } : { ok: true }
    }
    const bundle = await start(at, { content: 'A', check })
    await bundle.confirmed('A')
    bundle.set('bad')
    await bundle.until(standing => standing?.outcome?.kind === 'rejected')
    bundle.set('bad')
    await at.clock.advance(5_000)

    expect(await visibleText(at.fileSystem)).toBe('A')
    expect(asked).toBe(2)
    expect(bundle.standing?.outcome).toMatchObject({ why: 'nginx: unknown directive' })
    expect(await bundle.publisher.generations()).toEqual([1])

    bundle.set('B')
    await bundle.confirmed('B')
    expect(asked).toBe(3)
  })
})

test('a check that nobody could run to its end is tried again, and the generation published when it passes', async () => {
  const at = await place()
  let verdict: Verdict = { ok: true }
  const bundle = await start(at, { content: 'A', check: async () => verdict })
  await bundle.confirmed('A')
  verdict = { ok: false, why: 'nginx did not end within 10s', inconclusive: true }
  bundle.set('B')
  await bundle.until(standing => standing?.outcome?.kind === 'rejected')
  expect(await visibleText(at.fileSystem)).toBe('A')

  verdict = { ok: true }
  await bundle.confirmed('B')
  expect(await visibleText(at.fileSystem)).toBe('B')
})

describe('a hook that fails', () => {
  test('is told as soon as it can be, and the generation is confirmed only then', async () => {
    const at = await place()
    const hook = listener()
    hook.fail(new HookError('failed', 'connection refused'))
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.until(standing => standing?.outcome?.kind === 'published')
    expect(bundle.standing?.confirmed).toBe(false)
    expect(bundle.owed).toEqual(['hook'])

    hook.fail(undefined)
    await bundle.confirmed('A')
    expect(hook.heard.map(notice => notice.generation)).toEqual([1])
  })

  test('holds up no newer generation, and hears of the newest only', async () => {
    const at = await place()
    const [bad, good] = [listener(), listener()]
    bad.fail(new HookError('failed', 'connection refused'))
    const bundle = await start(at, { content: 'A', hooks: { bad: bad.tell, good: good.tell } })
    await bundle.until(standing => standing?.visible === 1)
    bundle.set('B')
    await bundle.until(standing => standing?.visible === 2)
    bad.fail(undefined)
    await bundle.confirmed('B')

    expect(bad.heard.map(notice => notice.generation)).toEqual([2])
    expect(good.heard.map(notice => notice.generation)).toEqual([1, 2])
  })

  test('is told after a restart, without any input', async () => {
    const at = await place()
    const hook = listener()
    hook.fail(new HookError('failed', 'connection refused'))
    const first = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await first.until(standing => standing?.outcome?.kind === 'published')
    await first.stop()
    hook.fail(undefined)
    const second = await start(at, { hooks: { hook: hook.tell } })
    await second.until(standing => standing?.confirmed === true)

    expect(hook.heard.map(notice => notice.generation)).toEqual([1])
  })

  test('is not called again by a restart once it has succeeded', async () => {
    const at = await place()
    const hook = listener()
    const first = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await first.confirmed('A')
    await first.stop()
    const second = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await second.confirmed('A')

    expect(hook.heard).toHaveLength(1)
    expect(second.outcomes).toEqual(['unchanged'])
  })
})

describe('an application that takes a generation badly', () => {
  const badText = 'bad'
  async function refusing(at: { fileSystem: MemoryFileSystem; clock: FakeClock }, content: string) {
    const heard: Notice[] = []
    const tell = async (notice: Notice) => {
      heard.push(notice)
      if ((await visibleText(at.fileSystem)) === badText) throw new HookError('refused', 'port 0 is no port')
    }
    return { heard, bundle: await start(at, { content, hooks: { hook: tell } }) }
  }

  test('gets the last confirmed contents back as a new generation, and is told of it', async () => {
    const at = await place()
    const { bundle, heard } = await refusing(at, 'A')
    await bundle.confirmed('A')
    bundle.set(badText)
    await bundle.until(standing => standing?.outcome?.kind === 'rolled-back')

    expect(await visibleText(at.fileSystem)).toBe('A')
    expect(heard.at(-1)).toMatchObject({ generation: 3, restores: 1, changed: ['app.conf'] })
    expect(bundle.standing).toMatchObject({ visible: 3, confirmed: true })
    expect(bundle.standing?.outcome).toMatchObject({
      condemned: 2,
      generation: 3,
      why: expect.stringContaining('port 0') as string,
    })
  })

  test('is not given the same contents again until an input changes, also after a restart', async () => {
    const at = await place()
    const { bundle } = await refusing(at, 'A')
    await bundle.confirmed('A')
    bundle.set(badText)
    await bundle.until(standing => standing?.outcome?.kind === 'rolled-back')
    bundle.set(badText)
    await bundle.until(standing => standing?.outcome?.kind === 'rejected')
    await bundle.stop()
    const { bundle: again } = await refusing(at, badText)
    await again.until(standing => standing?.outcome?.kind === 'rejected')
    expect(await again.publisher.visible()).toBe(3)

    again.set('B')
    await again.confirmed('B')
    expect(await visibleText(at.fileSystem)).toBe('B')
  })

  test('keeps a bad first generation, since there is nothing to go back to, and the status says why', async () => {
    const at = await place()
    const { bundle } = await refusing(at, badText)
    await bundle.until(standing => standing?.outcome?.kind === 'rejected')

    expect(await visibleText(at.fileSystem)).toBe(badText)
    expect(bundle.standing).toMatchObject({
      visible: 1,
      confirmed: false,
      condemned: expect.stringContaining('port 0') as string,
    })
  })

  test('is judged by the probe as well, and a rollback that fails it too is not rolled back again', async () => {
    const at = await place()
    let verdict: Verdict = { ok: true }
    const bundle = await start(at, { content: 'A', probe: async () => verdict })
    await bundle.confirmed('A')
    verdict = { ok: false, why: 'healthz answers 500' }
    bundle.set('B')
    await bundle.until(standing => standing?.outcome?.kind === 'rolled-back')
    await at.clock.advance(120_000)

    expect(await visibleText(at.fileSystem)).toBe('A')
    expect(bundle.standing).toMatchObject({ visible: 3, confirmed: false, condemned: 'healthz answers 500' })
  })
})

describe('a file system that fails', () => {
  test('keeps what is visible, says why, and recovers by itself', async () => {
    const at = await place()
    const bundle = await start(at, { content: 'A' })
    await bundle.confirmed('A')
    const createFile = at.fileSystem.createFile.bind(at.fileSystem)
    at.fileSystem.createFile = async path => {
      throw Object.assign(new Error(`ENOSPC: no space left on device, open '${path}'`), { code: 'ENOSPC', path })
    }
    bundle.set('B')
    await bundle.until(standing => standing?.failing !== undefined)
    expect(bundle.standing?.failing?.message).toContain('ENOSPC')
    expect(await visibleText(at.fileSystem)).toBe('A')

    at.fileSystem.createFile = createFile
    await bundle.confirmed('B')
    expect(bundle.standing?.failing).toBeUndefined()
  })

  test('loses no conclusion: what could not be recorded is taken up again', async () => {
    const at = await place()
    const hook = listener()
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.confirmed('A')
    const appendFile = at.fileSystem.appendFile.bind(at.fileSystem)
    const replaceFile = at.fileSystem.replaceFile.bind(at.fileSystem)
    let failures = 0
    const failing = async (path: string) => {
      failures++
      throw Object.assign(new Error(`EIO: i/o error, write '${path}'`), { code: 'EIO', path })
    }
    // The intent is recorded, and then nothing more for a while.
    at.fileSystem.appendFile = async (path, bytes) => {
      if (String(bytes).includes('"intended"')) await appendFile(path, bytes)
      else await failing(path)
    }
    at.fileSystem.replaceFile = failing
    bundle.set('B')
    await bundle.until(() => failures > 3)
    at.fileSystem.appendFile = appendFile
    at.fileSystem.replaceFile = replaceFile
    await bundle.confirmed('B')

    expect(hook.heard.map(notice => notice.generation)).toEqual([1, 2])
  })
})

test('a volume whose state was lost is adopted: its hooks are told once, and nothing is published again', async () => {
  const at = await place()
  const hook = listener()
  const first = await start(at, { content: 'A' })
  await first.confirmed('A')
  await first.stop()
  await at.fileSystem.remove(`${root}/state`)
  const second = await start(at, { content: 'A', hooks: { hook: hook.tell } })
  await second.confirmed('A')

  expect(hook.heard).toMatchObject([{ generation: 1, changed: ['app.conf'] }])
  expect(await second.publisher.visible()).toBe(1)
})
