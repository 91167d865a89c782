/** What a provider must keep whose readings have leases, as tests beside `conformance.ts`; `providers/README.md` has the rules under
 *  "Leases". */
import { describe, expect, onTestFinished, test } from 'vitest'
import { v } from '../../lib/base/schema.ts'
import { dependencyId, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Provider, ProviderPlugin } from '../../lib/provider.ts'
import type { Lease, Reading } from '../../lib/reading.ts'
import { eventually } from '../support/eventually.ts'
import { noteIn, providerHost } from '../support/provider-host.ts'
import { scratch } from '../support/scratch.ts'
import { before, PROMPT_MS, Watching } from './workbench.ts'

/** One backend of its own that gives leases, and counts. */
export interface LeaseFixture<Options> {
  readonly plugin: ProviderPlugin<Options>
  readonly options: unknown
  /** Options of the same backend under another identity, such as another namespace. */
  readonly elsewhere: unknown
  /** Each reading of it makes something new, whose lease can be renewed. */
  readonly dependency: Dependency
  /** How long a lease is granted for. */
  readonly durationMs: number
  /** How many leases were made so far. */
  made(): number
  /** How many there are. */
  alive(): Promise<number>
  /** Ends every lease behind everybody's back. */
  endAll(): Promise<void>
  /** Makes the backend fail to answer, and answer again. */
  breakBackend(): Promise<void>
  mendBackend(): Promise<void>
  close(): Promise<void>
}

export interface LeaseTraits {
  /** Whether a lease hangs on something that the provider keeps in its note. @default false */
  readonly notes?: boolean
}

const TIMEOUT_MS = 60_000
/** The clocks of two machines, and the whole seconds that a backend counts in. */
const TOLERANCE_MS = 3_000

/** Declares the suite for one provider; `make` is called anew for each test. */
export function leaseConformance<Options>(
  name: string,
  make: () => Promise<LeaseFixture<Options>>,
  { notes = false }: LeaseTraits = {},
): void {
  describe(`the leases of the ${name} provider`, { timeout: TIMEOUT_MS }, () => {
    test('come with a reading that is the last of its watch, one for each watch', async () => {
      const bench = await leaseBench(make)
      const watching = new Watching(await bench.open(), bench.fixture.dependency, false)
      const { lease } = await watching.first()
      expect(lease).toMatchObject({ id: expect.stringMatching(/./), renewable: true })
      await watching.stop()
      expect([watching.readings.length, bench.fixture.made()]).toEqual([1, 1])
      await bench.read()
      expect(bench.fixture.made()).toBe(2)
    })

    test('count from before they were asked for', async () => {
      const bench = await leaseBench(make)
      const askedAtMs = Date.now()
      const { durationMs, endsAtMs } = await bench.lease()
      expect(durationMs).toBeLessThanOrEqual(bench.fixture.durationMs)
      expect(durationMs).toBeGreaterThan(bench.fixture.durationMs - TOLERANCE_MS)
      expect(endsAtMs).toBeLessThanOrEqual(Date.now() + durationMs)
      expect(endsAtMs).toBeGreaterThanOrEqual(askedAtMs + durationMs - TOLERANCE_MS)
    })

    test('are renewed, again and again, under the same name, and nothing is made', async () => {
      const bench = await leaseBench(make)
      const lease = await bench.lease()
      for (let round = 0; round < 3; round++) {
        const renewed = await bench.renew(lease)
        expect(renewed).toMatchObject({ id: lease.id, renewable: true })
        expect(renewed?.durationMs).toBeGreaterThan(bench.fixture.durationMs - TOLERANCE_MS)
        expect(renewed?.durationMs).toBeLessThanOrEqual(bench.fixture.durationMs)
      }
      expect([bench.fixture.made(), await bench.fixture.alive()]).toEqual([1, 1])
    })

    test('that the backend knows no more are gone when they are renewed, and revoked without an error', async () => {
      const bench = await leaseBench(make)
      const lease = await bench.lease()
      await bench.fixture.endAll()
      await eventually(async () => expect(await bench.fixture.alive()).toBe(0))
      expect(await bench.renew(lease)).toBeUndefined()
      await expect(bench.revoke(lease)).resolves.toBeUndefined()
      expect(bench.fixture.made()).toBe(1)
    })

    test('are revoked, and a second time without an error', async () => {
      const bench = await leaseBench(make)
      const [one] = [await bench.lease(), await bench.lease()]
      await bench.revoke(one)
      await eventually(async () => expect(await bench.fixture.alive()).toBe(1))
      await bench.revoke(one)
      expect(await bench.renew(one)).toBeUndefined()
    })

    test('are neither gone nor made anew while the backend does not answer', async () => {
      const bench = await leaseBench(make)
      const lease = await bench.lease()
      await bench.fixture.breakBackend()
      for (const attempt of [() => bench.renew(lease), () => bench.revoke(lease)]) {
        await expect(before<unknown>(attempt(), TIMEOUT_MS / 2, 'an error')).rejects.toBeInstanceOf(ProviderError)
      }
      await bench.fixture.mendBackend()
      expect(await eventually(() => bench.renew(lease))).toMatchObject({ id: lease.id })
      expect([bench.fixture.made(), await bench.fixture.alive()]).toEqual([1, 1])
    })

    test('are renewed and revoked by another process, which has only what was kept', async () => {
      const bench = await leaseBench(make)
      const lease = await bench.lease()
      await bench.provider.close()
      await bench.open()
      const kept = JSON.parse(JSON.stringify(lease)) as Lease
      expect(await bench.renew(kept)).toMatchObject({ id: lease.id })
      await bench.revoke(kept)
      await eventually(async () => expect(await bench.fixture.alive()).toBe(0))
    })

    test.runIf(notes)('are gone, or go on, but are no error for one whose note is lost', async () => {
      const bench = await leaseBench(make)
      const lease = await bench.lease()
      await bench.provider.close()
      bench.note.clear()
      await bench.open()
      const renewed = await bench.renew(lease)
      // What it hangs on is not ours any more: it may end, and must not be taken to last longer than was said.
      expect(renewed?.endsAtMs ?? 0).toBeLessThanOrEqual(lease.endsAtMs + TOLERANCE_MS)
    })

    test('that come when nobody waits for them any more are yielded, or revoked', async () => {
      const bench = await leaseBench(make)
      await bench.open()
      const controller = new AbortController()
      const readings = bench.provider.watch(bench.fixture.dependency, controller.signal)[Symbol.asyncIterator]()
      const next = Promise.allSettled([readings.next()])
      await eventually(() => expect(bench.fixture.made()).toBe(1), { everyMs: 0 })
      controller.abort(new Error('over'))
      const [{ status, value }] = (await before(next, PROMPT_MS, 'the end of a watch')) as [
        { status: string; value?: IteratorResult<Reading> },
      ]
      const yielded = status === 'fulfilled' && value?.done !== true ? (value?.value.lease ?? undefined) : undefined
      if (yielded !== undefined) await bench.revoke(yielded)
      await eventually(async () => expect(await bench.fixture.alive()).toBe(0))
    })

    test('hang on an identity that another place does not have', async () => {
      const { fixture } = await leaseBench(make)
      const { plugin } = fixture
      const identity = (options: unknown) => plugin.identity?.(v.parse(plugin.options, options), {})
      expect(identity(fixture.options)).toBe(identity(structuredClone(fixture.options)))
      expect(identity(fixture.elsewhere)).not.toBe(identity(fixture.options))
    })

    test('show nothing of a lease in the dependency', async () => {
      const bench = await leaseBench(make)
      const before = dependencyId(bench.fixture.dependency)
      const { id } = await bench.lease()
      expect(dependencyId(bench.fixture.dependency)).toBe(before)
      expect(before).not.toContain(id)
    })
  })
}

class LeaseBench<Options> {
  readonly fixture: LeaseFixture<Options>
  readonly note = new Map<string, string>()
  readonly #directory = scratch()
  #provider: Provider | undefined

  constructor(fixture: LeaseFixture<Options>) {
    this.fixture = fixture
  }

  get provider(): Provider {
    if (this.#provider === undefined) throw new Error('open() comes first')
    return this.#provider
  }

  async open(): Promise<Provider> {
    const { plugin, options } = this.fixture
    const { host } = providerHost(this.#directory, { note: noteIn(this.note) })
    const provider = await plugin.open(v.parse(plugin.options, options), host)
    this.#provider = provider
    onTestFinished(() => provider.close())
    return provider
  }

  /** The first reading of a watch, opened where that has not been done. */
  async read(): Promise<Reading> {
    const watching = new Watching(this.#provider ?? (await this.open()), this.fixture.dependency, false)
    const reading = await watching.first()
    await watching.stop()
    return reading
  }

  async lease(): Promise<Lease> {
    const { lease } = await this.read()
    if (lease === undefined) throw new Error('a reading without a lease')
    return lease
  }

  async renew(lease: Lease): Promise<Lease | undefined> {
    if (this.provider.renew === undefined) throw new Error('the provider renews nothing')
    return await this.provider.renew(lease, new AbortController().signal)
  }

  async revoke(lease: Lease): Promise<void> {
    if (this.provider.revoke === undefined) throw new Error('the provider revokes nothing')
    await this.provider.revoke(lease, new AbortController().signal)
  }
}

async function leaseBench<Options>(make: () => Promise<LeaseFixture<Options>>): Promise<LeaseBench<Options>> {
  const fixture = await make()
  onTestFinished(() => fixture.close())
  return new LeaseBench(fixture)
}
