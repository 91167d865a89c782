import { describe, expect, onTestFinished, test } from 'vitest'
import { fromBytes } from '../../lib/base/text.ts'
import type { Verdict } from '../../lib/gate/verdict.ts'
import type { Notice } from '../../lib/notice.ts'
import { HookError } from '../../lib/notify/hook.ts'
import type { Standing } from '../../lib/sync/standing.ts'
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

  test.each([
    ['broken', 'broken'],
    ['waiting', undefined],
  ])('shows that somebody removed the volume also while it is %s', async (kind, content) => {
    const at = await place()
    const bundle = await start(at, { content: 'A' })
    await bundle.confirmed('A')
    bundle.set(content)
    await bundle.until(standing => standing?.outcome?.kind === kind)
    await at.fileSystem.remove(`${root}/volume`)
    await at.clock.advance(40_000)

    expect(bundle.standing).toMatchObject({ visible: undefined, confirmed: false, outcome: { kind } })
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

test('of contents that checks refused the newest are remembered, and no more than a hundred', async () => {
  const at = await place()
  const asked: string[] = []
  const check = async (directory: string): Promise<Verdict> => {
    const text = fromBytes(await at.fileSystem.readFile(`${directory}/app.conf`))
    asked.push(text)
    return text === 'A' ? { ok: true } : { ok: false, why: `no ${text}` }
  }
  const bundle = await start(at, { content: 'A', check })
  await bundle.confirmed('A')
  const refused = async (text: string) => {
    bundle.set(text)
    await bundle.until(({ outcome } = {} as Standing) => outcome?.kind === 'rejected' && outcome.why === `no ${text}`)
  }
  for (let i = 0; i <= 100; i++) await refused(`bad ${i}`)
  await refused('bad 100')
  await refused('bad 0')

  expect(asked.filter(text => text === 'bad 100')).toHaveLength(1)
  expect(asked.filter(text => text === 'bad 0')).toHaveLength(2)
})

describe('what somebody removes', () => {
  test('of the links is put back when the bundle comes round', async () => {
    const at = await place()
    const bundle = await start(at, { content: 'A' })
    await bundle.confirmed('A')
    await at.fileSystem.remove(`${root}/volume/app.conf`)
    await at.clock.advance(31_000)

    await bundle.until(() => true)
    expect(await at.fileSystem.stat(`${root}/volume/app.conf`)).toMatchObject({ kind: 'link' })
    expect(bundle.standing).toMatchObject({ visible: 1, confirmed: true })
  })

  test('of the visible generation makes a new one with all its files', async () => {
    const at = await place()
    const hook = listener()
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.confirmed('A')
    await at.fileSystem.remove(`${root}/volume/..g1/app.conf`)

    await bundle.until(standing => standing?.visible === 2 && standing.confirmed)
    expect(await visibleText(at.fileSystem)).toBe('A')
    expect(hook.heard.map(({ generation, changed }) => [generation, changed])).toEqual([
      [1, ['app.conf']],
      [2, ['app.conf']],
    ])
  })
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

  test('does not let generations pile up that nobody will go back to', async () => {
    const at = await place()
    const hook = listener()
    hook.fail(new HookError('failed', 'connection refused'))
    const bundle = await start(at, { content: 'A', hooks: { hook: hook.tell } })
    await bundle.until(standing => standing?.outcome?.kind === 'published')
    for (let i = 1; i <= 10; i++) {
      bundle.set(`content ${i}`)
      await bundle.until(standing => standing?.visible === i + 1 && standing.outcome?.kind === 'published')
    }

    expect(await bundle.publisher.generations()).toEqual([10, 11])
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

  test('is replaced by the one that is configured in its place, which is told after the restart', async () => {
    const at = await place()
    const [wrong, right, other] = [listener(), listener(), listener()]
    wrong.fail(new HookError('failed', 'connection refused'))
    const first = await start(at, { content: 'A', hooks: { wrong: wrong.tell, other: other.tell } })
    await first.until(standing => standing?.outcome?.kind === 'published')
    await first.stop()
    const second = await start(at, { content: 'A', hooks: { right: right.tell, other: other.tell } })
    await second.confirmed('A')
    await second.stop()
    const third = await start(at, { content: 'A', hooks: { right: right.tell, other: other.tell } })
    await third.confirmed('A')

    expect(right.heard.map(notice => notice.generation)).toEqual([1])
    expect(other.heard.map(notice => notice.generation)).toEqual([1])
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

  test('is confirmed after all when what had to stay is taken well in the end', async () => {
    const at = await place()
    let refusals = 3
    const tell = async () => {
      if (refusals-- > 0) throw new HookError('refused', 'still starting')
    }
    const bundle = await start(at, { content: 'A', hooks: { hook: tell } })
    await bundle.until(standing => standing?.condemned !== undefined)
    await bundle.confirmed('A')
    expect(bundle.standing).toMatchObject({ visible: 1, condemned: undefined, outcome: { kind: 'unchanged' } })

    // A rollback that is refused once stays as well, and is heard again.
    refusals = 2
    bundle.set('B')
    await bundle.until(standing => standing?.visible === 3 && standing.condemned !== undefined)
    await bundle.until(standing => standing?.confirmed === true)
    expect(await visibleText(at.fileSystem)).toBe('A')
  })

  test('is not called well or unchanged for coming round or starting again', async () => {
    const at = await place()
    const { bundle } = await refusing(at, badText)
    await bundle.until(standing => standing?.outcome?.kind === 'rejected')
    await at.clock.advance(60_000)
    expect(bundle.standing?.outcome?.kind).toBe('rejected')
    await bundle.stop()
    const { bundle: again } = await refusing(at, badText)
    await again.until(standing => standing?.outcome !== undefined)
    expect(again.standing).toMatchObject({
      visible: 1,
      confirmed: false,
      outcome: { kind: 'rejected', why: expect.stringContaining('port 0') as string },
    })
  })

  test('is judged anew by a restart where it had to stay, and may be confirmed then', async () => {
    const at = await place()
    const probe = (verdict: Verdict) => async () => verdict
    const first = await start(at, { content: 'A', probe: probe({ ok: false, why: 'wrong port' }) })
    await first.until(standing => standing?.outcome?.kind === 'rejected')
    await first.stop()
    const second = await start(at, { content: 'A', probe: probe({ ok: true }) })
    await second.until(standing => standing?.outcome !== undefined)
    expect(second.standing).toMatchObject({ visible: 1, confirmed: true, condemned: undefined })
    await second.stop()

    // What was confirmed in the end is what a worse one is rolled back to.
    let verdict: Verdict = { ok: true }
    const third = await start(at, { content: 'A', probe: async () => verdict })
    await third.confirmed('A')
    verdict = { ok: false, why: 'healthz answers 500' }
    third.set('B')
    await third.until(standing => standing?.outcome?.kind === 'rolled-back')
    expect(await visibleText(at.fileSystem)).toBe('A')
  })

  test('gets contents that it once took badly again when others were taken well meanwhile, also after a restart', async () => {
    const at = await place()
    let verdict: Verdict = { ok: true }
    const probe = async () => verdict
    const first = await start(at, { content: 'A', probe })
    await first.confirmed('A')
    verdict = { ok: false, why: 'healthz answers 500' }
    first.set('B')
    await first.until(standing => standing?.outcome?.kind === 'rolled-back')
    verdict = { ok: true }
    first.set('C')
    await first.confirmed('C')
    await first.stop()
    const second = await start(at, { content: 'B', probe })
    await second.confirmed('B')

    expect(await visibleText(at.fileSystem)).toBe('B')
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

  test.each(['volume', 'files'] as const)('leaves no copy behind for each try in mode %s', async mode => {
    const at = await place()
    const files = (content: string) => [
      { path: mode === 'volume' ? 'app.conf' : `${root}/etc/app.conf`, content: Buffer.from(content), mode: 0o640 },
    ]
    const failing = (path: string): never => {
      throw Object.assign(new Error(`EIO: i/o error, write '${path}'`), { code: 'EIO', path })
    }
    const replaceFile = at.fileSystem.replaceFile.bind(at.fileSystem)
    at.fileSystem.replaceFile = async (path, ...rest) =>
      path.endsWith('/journal') ? failing(path) : replaceFile(path, ...rest)
    const bundle = await start(at, { mode, content: 'A', files })
    await bundle.until(standing => standing?.failing !== undefined)
    await at.clock.advance(600_000)

    expect(await bundle.publisher.generations()).toEqual([])
    at.fileSystem.replaceFile = replaceFile
    await bundle.confirmed('A')
    expect(await bundle.publisher.visible()).toBe(1)
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

describe('a publish at absolute paths that cannot be finished', () => {
  const files = (content: string) =>
    content
      .split(' ')
      .map(pair => pair.split('='))
      .map(([name = '', text = '']) => ({ path: `${root}/etc/${name}`, content: Buffer.from(text), mode: 0o640 }))

  async function stuck() {
    const at = await place()
    const replaceFile = at.fileSystem.replaceFile.bind(at.fileSystem)
    const mend = () => (at.fileSystem.replaceFile = replaceFile)
    at.fileSystem.replaceFile = async (path, ...rest) => {
      if (!path.endsWith('/forbidden')) return replaceFile(path, ...rest)
      throw Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES', path })
    }
    const hook = listener()
    const bundle = await start(at, { mode: 'files', content: 'a=1 b=1', files, hooks: { hook: hook.tell } })
    await bundle.confirmed('a=1 b=1')
    bundle.set('a=2 b=1 forbidden=2')
    await bundle.until(standing => standing?.failing !== undefined)
    const shown = async (name: string) => fromBytes(await at.fileSystem.readFile(`${root}/etc/${name}`))
    return { at, bundle, hook, mend, shown }
  }

  test('is finished as soon as it can be', async () => {
    const { bundle, mend, shown } = await stuck()
    await bundle.until(standing => standing?.failing !== undefined)
    mend()
    await bundle.confirmed('a=2 b=1 forbidden=2')
    expect(await shown('forbidden')).toBe('2')
  })

  test('leaves no copy behind for each try', async () => {
    const { at, bundle } = await stuck()
    await at.clock.advance(600_000)
    expect(await bundle.publisher.generations()).toEqual([1, 2])
  })

  test('does not keep newer contents from being published over it', async () => {
    const { bundle, hook, shown } = await stuck()
    bundle.set('a=3 b=1')
    await bundle.confirmed('a=3 b=1')
    expect(await shown('a')).toBe('3')
    expect(bundle.standing?.failing).toBeUndefined()
    expect(hook.heard.at(-1)?.changed).toEqual([`${root}/etc/a`, `${root}/etc/forbidden`])
  })

  test('is undone when the old contents are asked for again, also after a restart', async () => {
    const { at, bundle, shown } = await stuck()
    expect(await shown('a')).toBe('2')
    await bundle.stop()
    const again = await start(at, { mode: 'files', content: 'a=1 b=1', files })
    await again.confirmed('a=1 b=1')
    expect(await shown('a')).toBe('1')
  })
})

test('a failure is tried again at its own pace, however often the inputs change', async () => {
  const at = await place()
  const bundle = await start(at, { content: 'A' })
  await bundle.confirmed('A')
  let tries = 0
  at.fileSystem.createFile = async path => {
    tries++
    throw Object.assign(new Error(`ENOSPC: no space left on device, open '${path}'`), { code: 'ENOSPC', path })
  }
  for (let i = 0; i < 400; i++) {
    bundle.set(`B${i}`)
    await at.clock.advance(25)
  }

  // Ten seconds, and at the longest a second until a pass begins though changes keep coming.
  expect(tries).toBeLessThan(20)
})

test('an end in the middle of a check leaves no copy behind', async () => {
  const at = await place()
  const checking = Promise.withResolvers<Verdict>()
  const bundle = await start(at, { content: 'A', check: () => checking.promise })
  await bundle.until(() => at.clock.monotonicMs() > 1_000)
  expect(await bundle.publisher.generations()).toEqual([1])
  checking.reject(new Error('aborted'))
  await bundle.stop()

  expect(await bundle.publisher.generations()).toEqual([])
})

test('an end loses no hook that is just ending', async () => {
  const at = await place()
  const ending = Promise.withResolvers<void>()
  const bundle = await start(at, { content: 'A', hooks: { slow: () => ending.promise } })
  await bundle.until(standing => standing?.visible === 1)
  const stopped = bundle.stop()
  await at.clock.advance(100)
  ending.resolve()
  await stopped
  const heard: Notice[] = []
  const again = await start(at, { content: 'A', hooks: { slow: async notice => void heard.push(notice) } })
  await again.confirmed('A')

  expect(heard).toEqual([])
})

test('what is visible and being told is not shown as waiting for what it waited for before', async () => {
  const at = await place()
  const told = Promise.withResolvers<void>()
  const bundle = await start(at, { hooks: { slow: () => told.promise } })
  await bundle.until(standing => standing?.outcome?.kind === 'waiting')
  bundle.set('A')
  await bundle.until(standing => standing?.visible === 1)
  expect(bundle.standing?.outcome).toBeUndefined()
  told.resolve()
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
