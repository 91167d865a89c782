import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../lib/base/log.ts'
import { v } from '../../lib/base/schema.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { dependencyId } from '../../lib/dependency.ts'
import type { Note } from '../../lib/provider.ts'
import type { KeptLease, Reading } from '../../lib/reading.ts'
import type { Keeper } from '../../lib/store/keeper.ts'
import { Store, type Subscription } from '../../lib/store/store.ts'
import { vaultOptions } from '../../providers/vault/options.ts'
import { vault } from '../../providers/vault/plugin.ts'
import { VaultProvider } from '../../providers/vault/provider.ts'
import { noteIn } from '../support/provider-host.ts'
import { sequence } from '../support/sequence.ts'
import { SimulatedVault, type Kind } from '../support/simulated-vault.ts'
import type { Figure } from './measure.ts'
import { settled, SimulatedClock } from './simulated-clock.ts'

const SIDECARS = 10_000
const SECOND = 1_000
const MINUTE = 60_000
/** How long a fleet takes to come up for the first time. */
const RAMP_MS = MINUTE
const WATCHED_MS = 2 * MINUTE
const ROW_SECONDS = 5
const BAR_MAX = 60
/** How much more than at other times may be asked in the busiest second after a restart. */
const HIGHEST_TO_STEADY_MAX = 1.5
/** What the server of the second part answers in a second; all above that it turns away. */
const ADMITTED_MAX = 2_000

const db = vault.reference.ask('vault', ['db/creds/app', 'username'])
const kv = vault.reference.ask('vault', ['kv/app', 'v'])

/** Ten thousand sidecars, each with a KV v2 secret and a credential with a lease of ten minutes, on a simulated server and clock. All but these
 *  and the disk is the code that ships: provider, session, store, lease keeper, backoff and jitter. */
export async function measureFleet(): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-bench-fleet-'))
  try {
    const fleet = new Fleet(directory)
    await fleet.rampUp()
    const steady = mean(fleet.take().seconds.slice(-30))
    const figures: Figure[] = [{ what: 'steady: requests per second', value: steady.toFixed(0) }]
    let { made } = fleet.server

    await fleet.restart()
    await fleet.pass(WATCHED_MS)
    const restarted = fleet.take()
    print(
      `${count(SIDECARS)} sidecars restarted in the same moment, with the state and the volume that they had`,
      restarted,
    )
    const highest = Math.max(...restarted.seconds)
    const toSteady = highest / steady
    figures.push(
      { what: 'restart: requests in all', value: sums(restarted) },
      { what: 'restart: highest second', value: count(highest) },
      {
        what: 'restart: highest second / steady rate',
        value: toSteady.toFixed(2),
        goal: { text: `at most ${HIGHEST_TO_STEADY_MAX}`, met: toSteady <= HIGHEST_TO_STEADY_MAX },
      },
      same('restart: logins', sum(restarted.kinds.get('login') ?? []), 0),
      same('restart: credentials made anew', fleet.server.made - made, 0),
    )

    ;({ made } = fleet.server)
    fleet.limit(ADMITTED_MAX)
    await fleet.startAnew()
    const servedMs = await fleet.served(WATCHED_MS)
    const anew = fleet.take()
    print(
      `${count(SIDECARS)} new ones in the same moment, of a server that admits ${count(ADMITTED_MAX)} requests a second`,
      anew,
    )
    const later = anew.seconds.slice(ROW_SECONDS)
    figures.push(
      { what: 'anew: requests in all', value: sums(anew) },
      {
        what: 'anew: seconds in which more was asked than admitted',
        value: String(anew.seconds.filter(each => each > ADMITTED_MAX).length),
      },
      { what: 'anew: highest second', value: count(Math.max(...anew.seconds)) },
      {
        what: `anew: highest second after ${ROW_SECONDS} s / admitted`,
        value: (Math.max(...later) / ADMITTED_MAX).toFixed(2),
      },
      { what: `anew: mean after ${ROW_SECONDS} s / admitted`, value: (mean(later) / ADMITTED_MAX).toFixed(2) },
      { what: 'anew: all are served after', value: servedMs === undefined ? 'never' : `${servedMs / SECOND} s` },
      same('anew: credentials made', fleet.server.made - made, SIDECARS),
    )
    figures.push(same('tokens used after their end', fleet.server.wrongs.length, 0))
    await fleet.stop()
    return figures
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Sidecar {
  readonly store: Store
  readonly provider: VaultProvider
  readonly inputs: Subscription
}

/** What is on the disk of a sidecar. */
interface Disk {
  readonly note: Note
  readonly keeper: Keeper
  readonly leases: readonly KeptLease[]
}

function emptyDisk(): Disk {
  const readings = new Map<string, Reading>()
  const keeper: Keeper = {
    reading: async dependency => readings.get(dependencyId(dependency)),
    putReading: (dependency, reading) => void readings.set(dependencyId(dependency), reading),
    removeReading: dependency => void readings.delete(dependencyId(dependency)),
    // They are handed over as a whole.
    async putLease() {},
    async removeLease() {},
    async forgetOlder() {},
    retain() {},
  }
  return { note: noteIn(new Map()), keeper, leases: [] }
}

/** What was asked. */
interface Asked {
  /** Requests of each second. */
  readonly seconds: readonly number[]
  readonly kinds: ReadonlyMap<Kind, readonly number[]>
}

class Fleet {
  readonly clock = new SimulatedClock()
  readonly server: SimulatedVault
  readonly #random = sequence(1)
  readonly #directory: string
  #disks: readonly Disk[] = Array.from({ length: SIDECARS }, emptyDisk)
  #sidecars: Sidecar[] = []
  #kinds = new Map<Kind, number[]>()
  #sinceMs = 0

  constructor(directory: string) {
    this.#directory = directory
    this.server = new SimulatedVault(this.clock, {
      tokenMs: 20 * MINUTE,
      tokenMaxMs: Infinity,
      leaseMs: 10 * MINUTE,
      leaseMaxMs: Infinity,
      leaseRenewable: true,
      answerMs: () => 5 + this.#random() * 20,
    })
    this.server.onRequest = kind => this.#note(kind)
  }

  /** Lets only so many requests through in a second, as a quota does. */
  limit(perSecond: number): void {
    let [second, served] = [-1, 0]
    this.server.isBusy = () => {
      const now = Math.floor(this.clock.monotonicMs() / SECOND)
      if (now !== second) [second, served] = [now, 0]
      return ++served > perSecond
    }
  }

  async rampUp(): Promise<void> {
    const opened = await this.#open()
    for (const [i, start] of opened.entries()) {
      start()
      if (i % 100 === 99) await this.clock.advance((RAMP_MS / SIDECARS) * 100)
    }
    await this.clock.advance(2 * MINUTE)
  }

  /** Ends all and starts them again on what they had. */
  async restart(): Promise<void> {
    const leases = this.#sidecars.map(({ store }) => store)
    await this.stop()
    this.#disks = this.#disks.map((disk, i) => ({ ...disk, leases: leases[i]?.handOver() ?? [] }))
    const opened = await this.#open()
    this.take()
    for (const start of opened) start()
  }

  /** Ends all and starts as many that have nothing. */
  async startAnew(): Promise<void> {
    await this.stop()
    this.#disks = this.#disks.map(emptyDisk)
    const opened = await this.#open()
    this.take()
    for (const start of opened) start()
  }

  /** Lets time pass; gives after how much of it each had all that it wants. */
  async served(durationMs: number): Promise<number | undefined> {
    let servedMs: number | undefined
    for (let passedMs = 0; passedMs < durationMs; passedMs += SECOND) {
      const isServed = this.#sidecars.every(({ inputs }) => [db, kv].every(each => inputs.get(each) !== undefined))
      if (isServed) servedMs ??= passedMs
      await this.clock.advance(SECOND)
    }
    return servedMs
  }

  async pass(durationMs: number): Promise<void> {
    await this.clock.advance(durationMs)
  }

  async stop(): Promise<void> {
    for (const { store, provider } of this.#sidecars) {
      await store.close()
      await provider.close()
    }
    this.#sidecars = []
  }

  /** What was asked since this was called last. */
  take(): Asked {
    const length = Math.round((this.clock.monotonicMs() - this.#sinceMs) / SECOND)
    const kinds = this.#kinds
    const seconds = Array.from({ length }, (_, i) => [...kinds.values()].reduce((sum, each) => sum + (each[i] ?? 0), 0))
    this.#kinds = new Map()
    this.#sinceMs = this.clock.monotonicMs()
    return { seconds, kinds }
  }

  /** Opens everything, and gives what starts each. The files of the disk are not of the simulated time. */
  async #open(): Promise<readonly (() => void)[]> {
    const [clock, random] = [this.clock, this.#random]
    const options = v.parse(vaultOptions, { address: 'http://127.0.0.1:1', auth: { method: 'approle', roleId: 'web' } })
    const starts: (() => void)[] = []
    for (const { note, keeper, leases } of this.#disks) {
      const host = {
        name: 'vault',
        clock,
        random,
        log: silentLog,
        environment: {},
        configDirectory: '/',
        directory: async () => this.#directory,
        note,
      }
      const provider = await VaultProvider.open(options, host, this.server.connect)
      starts.push(() => {
        const providers = new Map([['vault', provider]])
        const store = new Store({ providers, clock, random, log: silentLog, redactor: new Redactor() })
        // As the program does, and as its reconciler does who sees what is confirmed and owed to nobody.
        store.restore(keeper, leases)
        store.putOff()
        const inputs = store.subscribe('web')
        if (leases.length > 0) inputs.unhurried()
        inputs.want([db, kv])
        this.#sidecars.push({ store, provider, inputs })
      })
    }
    await settled()
    return starts
  }

  #note(kind: Kind): void {
    const second = Math.floor((this.clock.monotonicMs() - this.#sinceMs) / SECOND)
    const seconds = this.#kinds.get(kind) ?? []
    this.#kinds.set(kind, seconds)
    seconds[second] = (seconds[second] ?? 0) + 1
  }
}

function sums({ kinds }: Asked): string {
  return [...kinds].map(([kind, each]) => `${kind} ${count(sum(each))}`).join(', ')
}

function same(what: string, value: number, goal: number): Figure {
  return { what, value: count(value), goal: { text: String(goal), met: value === goal } }
}

/** A row for each few seconds: the mean of its requests per second, and what its busiest second had. */
function print(title: string, { seconds }: Asked): void {
  const rows = Array.from({ length: Math.ceil(seconds.length / ROW_SECONDS) }, (_, i) =>
    seconds.slice(i * ROW_SECONDS, (i + 1) * ROW_SECONDS),
  )
  const most = Math.max(...rows.map(mean))
  process.stdout.write(`\n  ${title}: requests per second\n`)
  for (const [i, row] of rows.entries()) {
    const bar = '#'.repeat(Math.round((mean(row) / most) * BAR_MAX)).padEnd(BAR_MAX)
    const at = `${i * ROW_SECONDS} s`.padStart(6)
    process.stdout.write(`  ${at}  ${bar}  ${mean(row).toFixed(0).padStart(6)}  (busiest ${count(Math.max(...row))})\n`)
  }
}

function sum(values: readonly number[]): number {
  // A second in which nothing was asked is a hole.
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length)
}

function count(value: number): string {
  return value.toLocaleString('en')
}
