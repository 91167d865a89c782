import { describe, expect, onTestFinished, test } from 'vitest'
import type { Log } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { Tree, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import { absent, type Reading, type ServedReading } from '../../lib/reading.ts'
import type { Keeper } from '../../lib/store/keeper.ts'
import { Store, type ShrinkLimit } from '../../lib/store/store.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { sequence } from '../support/random.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const HOLD_MS = 30_000
const EMPTY: ShrinkLimit = { holdMs: HOLD_MS, share: 1 }
const HALF: ShrinkLimit = { holdMs: HOLD_MS, share: 0.5 }
const list: Dependency = { provider: 'one', kind: 'value', path: 'list', params: {} }

/** Things whose names must not be seen. */
function things(count: number): readonly Value[] {
  return Array.from({ length: count }, (_, i) => `sentinel-${i}`)
}

function treeOf(count: number): Tree {
  return new Tree(new Map(things(count).map(name => [name as string, { content: Buffer.from('x') }])))
}

/** A store that watches one list, and what it says. */
function guarded(limit: ShrinkLimit | 'off' = EMPTY, keeper?: Keeper, served: readonly ServedReading[] = []) {
  const clock = new FakeClock()
  const provider = new ScriptedProvider(clock)
  const said: string[] = []
  const say = (message: string, data: object = {}) => void said.push(`${message} ${JSON.stringify(data)}`)
  const log: Log = { debug: say, info: say, warn: say, error: say, with: () => log }
  const store = new Store({
    providers: new Map([['one', provider]]),
    clock,
    random: () => 1,
    log,
    redactor: new Redactor(),
    shrinkLimits: new Map(limit === 'off' ? [] : [['one', limit]]),
  })
  store.restore(keeper, [], served)
  const inputs = store.subscribe('web')
  onTestFinished(async () => {
    await store.close()
    expect(clock.sleeping).toBe(0)
    expect(said.join('\n')).not.toContain('sentinel')
  })
  return {
    clock,
    provider,
    inputs,
    said,
    store,
    /** How many entries are served; undefined for what is absent. */
    served: () => entriesOf(inputs.get(list)),
    status: () => store.status(new Map([['one', 'scripted']]))[0],
    heldBack: () => store.status(new Map([['one', 'scripted']]))[0]?.heldBack,
    give: async (value: Value | Tree | typeof absent) => {
      provider.set('list', value)
      inputs.want([list])
      await settled()
    },
  }
}

function entriesOf(reading: Reading | undefined): number | undefined {
  const value = reading?.value
  if (value instanceof Tree) return value.files.size
  return Array.isArray(value) ? value.length : undefined
}

/** A keeper that holds one reading, and what it was told. */
function keeperOf(value: Value | undefined) {
  const told: string[] = []
  const reading: Reading | undefined =
    value === undefined ? undefined : { value, revision: 'kept', observedAtMs: 0, sensitive: false }
  const keeper: Keeper = {
    putLease: async () => {},
    removeLease: async () => {},
    putReading: () => void told.push('put'),
    reading: async () => reading,
    removeReading: () => void told.push('remove'),
    forgetOlder: async () => {},
    retain: () => {},
  }
  return { keeper, told }
}

describe('a list that loses too much at once', () => {
  test.each([
    ['an empty list', things(10), []],
    ['nothing', things(10), absent],
    ['an empty tree', treeOf(10), new Tree(new Map())],
    ['no tree', treeOf(10), absent],
  ] as const)(
    'is served as it was when there is %s, and believed when it is still so at the end',
    async (_, was, is) => {
      const { clock, give, served, inputs, heldBack, said } = guarded()
      await give(was)
      inputs.changed.clear()
      await give(is)
      expect(served()).toBe(10)
      expect(inputs.changed.full).toBe(false)
      expect(heldBack()).toEqual([{ dependency: 'one://list', had: 10, has: 0, leftMs: HOLD_MS }])
      expect(said.filter(line => line.startsWith('held back'))).toEqual([
        expect.stringMatching(/"dependency":"one:\/\/list","had":10,"has":0,"for":"30s"/),
      ])

      await clock.advance(HOLD_MS - 1)
      expect(served()).toBe(10)
      await clock.advance(1)
      expect(served() ?? 0).toBe(0)
      expect(inputs.changed.full).toBe(true)
      expect(heldBack()).toEqual([])
      expect(said.at(-1)).toMatch(/^still so.*"had":10,"has":0/)
    },
  )

  test('is as it was before when it comes back in time, and nobody is told of anything', async () => {
    const { clock, provider, give, served, inputs, heldBack, said } = guarded()
    provider.set('list', things(10), { revision: 'r' })
    await give(things(10))
    inputs.changed.clear()
    await give([])
    await clock.advance(HOLD_MS - 1)
    await give(things(10))
    await clock.advance(10 * HOLD_MS)

    expect(served()).toBe(10)
    expect(inputs.changed.full).toBe(false)
    expect(heldBack()).toEqual([])
    expect(said.at(-1)).toMatch(/^not held back any more/)
  })

  test('is believed at once when it grows back in part', async () => {
    const { give, served, heldBack } = guarded()
    await give(things(10))
    await give([])
    await give(things(1))
    expect(served()).toBe(1)
    expect(heldBack()).toEqual([])
  })

  test('may lose the share that is configured, and no more', async () => {
    const { clock, give, served } = guarded(HALF)
    await give(things(20))
    await give(things(10))
    expect(served()).toBe(10)
    await give(things(4))
    expect(served()).toBe(10)
    await give(things(5))
    expect(served()).toBe(5)
    await give(things(1))
    await clock.advance(HOLD_MS)
    expect(served()).toBe(1)
    // All of one is all of it, whatever the share.
    await give([])
    expect(served()).toBe(1)
  })

  test('keeps the time that has passed while it goes on shrinking, and gives the newest in the end', async () => {
    const { clock, give, served, heldBack } = guarded(HALF)
    await give(things(20))
    await give(things(6))
    await clock.advance(HOLD_MS - 1)
    await give(things(3))
    expect(heldBack()).toEqual([{ dependency: 'one://list', had: 20, has: 3, leftMs: 1 }])
    await clock.advance(1)
    expect(served()).toBe(3)
  })

  test('is held back beyond its time while it cannot be read, and the first reading after that decides', async () => {
    const { clock, provider, give, served, heldBack } = guarded()
    await give(things(10))
    await give([])
    await clock.advance(HOLD_MS - 1_000)
    provider.fail('list')
    await clock.advance(HOLD_MS)
    expect(served()).toBe(10)
    expect(heldBack()).toEqual([{ dependency: 'one://list', had: 10, has: 0, leftMs: 0 }])

    provider.heal('list')
    // It is asked again within a minute.
    await clock.advance(60_000)
    expect(served()).toBe(0)
    expect(heldBack()).toEqual([])
  })

  test('is as it was before when it is back after a failure', async () => {
    const { clock, provider, give, served, heldBack } = guarded()
    await give(things(10))
    await give([])
    provider.fail('list')
    await clock.advance(2 * HOLD_MS)
    await give(things(9))
    await clock.advance(60_000)
    expect(served()).toBe(9)
    expect(heldBack()).toEqual([])
  })

  test('is believed in the end, though the line is cut more often than its time lasts', async () => {
    const { clock, provider, give, served } = guarded()
    await give(things(10))
    await give([])
    for (let cut = 1; cut <= 2; cut++) {
      await clock.advance(20_000)
      expect(served()).toBe(cut === 1 ? 10 : 0)
      provider.fail('list')
      await settled()
      provider.heal('list')
    }
    expect(served()).toBe(0)
  })

  test('is read anew at the end, as a watch that says nothing may hang on a dead line', async () => {
    const { clock, provider, give, served, heldBack } = guarded()
    await give(things(10))
    await give([])
    const started = provider.started('list')
    // Whatever it is now, a line that is half open says nothing of it.
    provider.hang('list')
    await clock.advance(HOLD_MS)
    expect(provider.started('list')).toBe(started + 1)
    expect(provider.active('list')).toBe(1)
    await clock.advance(HOLD_MS)
    expect(served()).toBe(10)
    expect(heldBack()).toMatchObject([{ leftMs: 0 }])

    provider.heal('list')
    await settled()
    expect(served()).toBe(0)
    expect(provider.started('list')).toBe(started + 1)
  })

  test('fails when the reading anew does not end, and is read once more', async () => {
    const { clock, provider, give, served, status } = guarded()
    await give(things(10))
    await give([])
    provider.hang('list')
    await clock.advance(HOLD_MS)
    const started = provider.started('list')
    await clock.advance(5 * 60_000 - 1)
    expect(status()?.error).toBeUndefined()
    await clock.advance(1)
    expect(served()).toBe(10)
    expect(status()?.error).toBe('no reading within 5m0s of being read anew')
    await clock.advance(60_000)
    expect(provider.started('list')).toBe(started + 1)
    expect(provider.active('list')).toBe(1)

    provider.heal('list')
    await settled()
    expect(served()).toBe(0)
    expect(status()?.error).toBeUndefined()
  })

  test('is as it was before when it is read anew and there again', async () => {
    const { clock, provider, give, served, inputs, said } = guarded()
    await give(things(10))
    await give([])
    inputs.changed.clear()
    const full = provider.watch.bind(provider)
    // The watch that runs misses that it is back.
    provider.watch = (dependency, signal) => {
      provider.set('list', things(10))
      return full(dependency, signal)
    }
    await clock.advance(HOLD_MS)
    expect(served()).toBe(10)
    expect(inputs.changed.full).toBe(false)
    expect(said.at(-1)).toMatch(/^not held back any more/)
  })

  test('is held back until the reading anew succeeds, and what it has lost by then need not be the same', async () => {
    const { clock, provider, give, served, heldBack } = guarded(HALF)
    await give(things(20))
    await give(things(6))
    provider.hang('list')
    await clock.advance(HOLD_MS - 1)
    const started = provider.started('list')
    const full = provider.watch.bind(provider)
    let failures = 2
    provider.watch = (dependency, signal) => {
      if (failures-- > 0) throw new ProviderError('timeout', 'no answer in time')
      provider.set('list', things(3))
      return full(dependency, signal)
    }
    await clock.advance(1)
    expect(provider.started('list')).toBe(started)
    expect(served()).toBe(20)
    expect(heldBack()).toHaveLength(1)
    await clock.advance(5_000)
    expect(served()).toBe(3)
    expect(provider.started('list')).toBe(started + 1)
    expect(heldBack()).toEqual([])
  })

  test('is dropped at once when the backend says that we may not have it', async () => {
    const { clock, provider, give, inputs, heldBack } = guarded()
    await give(things(10))
    await give([])
    provider.fail('list', new ProviderError('forbidden', 'permission denied'))
    await settled()
    expect(inputs.get(list)).toBeUndefined()
    await clock.advance(HOLD_MS)
    expect(inputs.get(list)).toBeUndefined()
    expect(heldBack()).toEqual([])
  })

  test('is forgotten with who wanted it', async () => {
    const { clock, give, inputs, served, heldBack } = guarded()
    await give(things(10))
    await give([])
    inputs.want([])
    await settled()
    expect(clock.sleeping).toBe(0)
    expect(heldBack()).toEqual([])
    await give([])
    expect(served()).toBe(0)
  })
})

describe('is believed at once:', () => {
  test.each([
    ['a first reading', undefined, []],
    ['what was empty before', [], absent],
    ['a text', 'text', absent],
    ['a text that is empty', 'text', ''],
    ['a map that loses its fields', new Map([['user', 'a']]), new Map()],
    ['a list that is another thing now', things(3), 'text'],
    ['one of two', things(2), things(1)],
  ] as const)('%s', async (_, was, is) => {
    const { give, inputs, heldBack } = guarded()
    if (was !== undefined) await give(was)
    await give(is)
    expect(inputs.get(list)?.value).toEqual(is)
    expect(heldBack()).toEqual([])
  })

  test('anything, where the guard is off', async () => {
    const { give, served } = guarded('off')
    await give(things(10))
    await give([])
    expect(served()).toBe(0)
  })
})

describe('after a restart', () => {
  test.each([
    ['an empty list', []],
    ['nothing', absent],
  ] as const)('%s is compared with what was kept, which stays kept until it is believed', async (_, is) => {
    const { keeper, told } = keeperOf(things(4))
    const { clock, give, served, inputs } = guarded(EMPTY, keeper)
    await give(is)
    expect(served()).toBe(4)
    expect(inputs.get(list)?.lastKnownGood).toBe(true)
    expect(inputs.settled([list])).toBe(true)
    expect(told).toEqual([])
    await clock.advance(HOLD_MS)
    expect(served() ?? 0).toBe(0)
    expect(told).toHaveLength(1)
  })

  test('what was kept is not served in the place of a reading that is no less', async () => {
    const { keeper, told } = keeperOf(things(4))
    const { give, inputs } = guarded(HALF, keeper)
    await give(things(2))
    expect(inputs.get(list)).toMatchObject({ value: things(2) })
    expect(inputs.get(list)?.lastKnownGood).toBeUndefined()
    expect(told).toEqual(['put'])
  })

  test('a text that was kept is not served in the place of nothing', async () => {
    const { keeper } = keeperOf('text')
    const { give, inputs } = guarded(EMPTY, keeper)
    await give(absent)
    expect(inputs.get(list)?.value).toBe(absent)
  })

  test('nothing is compared where nothing was kept', async () => {
    const { give, served } = guarded(EMPTY, keeperOf(undefined).keeper)
    await give([])
    expect(served()).toBe(0)
  })
})

describe('after a reload', () => {
  /** What a store hands over that has read this. */
  async function servedOf(...values: readonly (readonly Value[] | string)[]): Promise<readonly ServedReading[]> {
    const { give, store } = guarded()
    for (const value of values) await give(value)
    await store.close()
    return store.handOverServed()
  }

  test('an empty list is compared with what was served, also with what was held back to', async () => {
    for (const values of [[things(4)], [things(4), []]]) {
      const { clock, give, served } = guarded(EMPTY, undefined, await servedOf(...values))
      await give([])
      expect(served()).toBe(4)
      await clock.advance(HOLD_MS)
      expect(served()).toBe(0)
    }
  })

  test('an empty list is held back for as long as was left of its time, however often it is loaded again', async () => {
    let before: readonly ServedReading[] = []
    const seen: unknown[] = []
    for (const atMs of [0, 10_000, 20_000]) {
      const { clock, give, served, store, heldBack } = guarded(EMPTY, undefined, before)
      await clock.advance(atMs)
      if (atMs === 0) await give(things(4))
      // One reload comes before anything is read.
      if (atMs !== 10_000) await give([])
      const left = heldBack()?.[0]?.leftMs
      await clock.advance(9_999)
      const shortBefore = served()
      await clock.advance(1)
      seen.push([left, shortBefore, served()])
      await store.close()
      before = store.handOverServed()
    }
    expect(seen).toEqual([
      [30_000, 4, 4],
      [undefined, undefined, undefined],
      [10_000, 4, 0],
    ])
    expect(before).toEqual([])
  })

  test('an empty list whose time has passed meanwhile is read anew at once', async () => {
    const [before] = await servedOf(things(4), [])
    const { clock, give, served, provider } = guarded(EMPTY, undefined, [before as ServedReading])
    await clock.advance(HOLD_MS + 1)
    await give([])
    expect(served()).toBe(4)
    await clock.advance(0)
    expect(served()).toBe(0)
    expect(provider.started('list')).toBe(2)
  })

  test('what was served is not served in the place of a first reading, nor of none', async () => {
    const { clock, provider, give, served, inputs, store } = guarded(EMPTY, undefined, await servedOf(things(4)))
    provider.fail('list')
    inputs.want([list])
    await settled()
    expect(inputs.get(list)).toBeUndefined()
    await give(things(1))
    await clock.advance(60_000)
    expect(served()).toBe(1)
    // What took its place is handed over from now on.
    await store.close()
    expect(store.handOverServed()).toMatchObject([{ reading: { value: things(1) } }])
  })

  test('what has not been read yet is handed over once more', async () => {
    const before = await servedOf(things(4))
    const { store } = guarded(EMPTY, undefined, before)
    await store.close()
    expect(store.handOverServed()).toEqual(before)
  })

  test('nothing is compared where the provider reads from something else now', async () => {
    const [before] = await servedOf(things(4))
    const other = { ...(before as ServedReading), identity: 'another address' }
    const { give, served } = guarded(EMPTY, undefined, [other])
    await give([])
    expect(served()).toBe(0)
  })

  test('nothing is handed over of what cannot shrink', async () => {
    expect(await servedOf('text')).toEqual([])
    expect(await servedOf([])).toEqual([])
  })
})

/** A backend that grows, shrinks, fails and comes back. What is served is looked at after each step. */
async function play(seed: number): Promise<void> {
  const random = sequence(seed)
  const limit = { holdMs: HOLD_MS, share: random() < 0.5 ? 1 : random() }
  const { clock, provider, give, served, heldBack } = guarded(limit)
  await give(things(10))
  const isTooMuch = (had: number, has: number) => had > 0 && (has === 0 || had - has > had * limit.share)
  let before = 10
  let size = 10
  let isFailing = false
  /** Since when the backend has been read without a failure. */
  let goodSinceMs = 0
  /** Since when something is held back, or a moment before. */
  let heldSinceMs: number | undefined
  for (let step = 0; step < 60; step++) {
    const dice = random()
    const stepAtMs = clock.monotonicMs()
    if (dice < 0.2) {
      provider.fail('list')
      isFailing = true
    } else if (dice < 0.4 && isFailing) {
      provider.heal('list')
      isFailing = false
      goodSinceMs = clock.monotonicMs()
    } else if (!isFailing) {
      size = random() < 0.4 ? 0 : Math.floor(random() * 12)
      await give(size === 0 && random() < 0.5 ? absent : things(size))
    }
    await clock.advance(random() < 0.3 ? HOLD_MS : random() * 20_000)
    const now = served() ?? 0
    // 1. What shrinks too much was first seen so a whole time ago, and has just been read.
    const goodMs = isFailing ? 0 : clock.monotonicMs() - goodSinceMs
    const heldMs = clock.monotonicMs() - (heldSinceMs ?? stepAtMs)
    expect(isTooMuch(before, now) && (isFailing || heldMs < HOLD_MS)).toBe(false)
    heldSinceMs = heldBack()?.length === 1 ? (heldSinceMs ?? stepAtMs) : undefined
    // 2. What is served is the newest, or held back, or cannot be read.
    expect(now === size || heldBack()?.length === 1 || goodMs <= 60_000).toBe(true)
    before = now
  }
  provider.heal('list')
  await clock.advance(60_000 + HOLD_MS)
  expect(served() ?? 0).toBe(size)
  expect(heldBack()).toEqual([])
}

test('whatever comes and fails: nothing shrinks too soon, and the newest is served in the end', async () => {
  for (let seed = 1; seed <= 60; seed++) await play(seed)
}, 60_000)
