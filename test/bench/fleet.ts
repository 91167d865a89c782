import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../../lib/base/log.ts'
import { v } from '../../lib/base/schema.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { KeptLease } from '../../lib/reading.ts'
import { Store } from '../../lib/store/store.ts'
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
const WATCHED_MS = 3 * MINUTE
const ROW_SECONDS = 5
const BAR_MAX = 60
/** What the server of the second part answers in a second; all above that it turns away. */
const SERVED_MAX = 2_000

const db = vault.reference.ask('vault', ['db/creds/app', 'username'])
const kv = vault.reference.ask('vault', ['kv/app', 'v'])

/** Ten thousand sidecars, each with a KV v2 secret and a credential with a lease of ten minutes, on a simulated server and clock. All but these
 *  is the code that ships: provider, session, store, lease keeper, backoff and jitter. */
export async function measureFleet(): Promise<readonly Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-bench-fleet-'))
  try {
    const fleet = new Fleet(directory)
    await fleet.rampUp()
    const [before, made] = [fleet.take(), fleet.server.made]
    const steady = { perSecond: mean(before.seconds.slice(-30)) }
    const figures: Figure[] = [{ what: 'steady: requests per second', value: steady.perSecond.toFixed(0) }]

    await fleet.restart()
    await fleet.pass(WATCHED_MS)
    const restarted = fleet.take()
    print(`${count(SIDECARS)} sidecars restarted in the same moment, with what they had kept`, restarted)
    figures.push(
      ...figuresOf('restart', restarted),
      same('restart: credentials made anew', fleet.server.made - made, 0),
    )

    fleet.limit(SERVED_MAX)
    await fleet.restart()
    await fleet.pass(WATCHED_MS)
    const limited = fleet.take()
    print(`the same, of a server that answers ${count(SERVED_MAX)} requests a second and turns away the rest`, limited)
    figures.push(...figuresOf('restart, limited', limited))
    figures.push(same('restart, limited: credentials made anew', fleet.server.made - made, 0))
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
  readonly #notes = Array.from({ length: SIDECARS }, () => noteIn(new Map()))
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
    const opened = await this.#open(this.#notes.map(() => []))
    for (const [i, start] of opened.entries()) {
      start()
      if (i % 100 === 99) await this.clock.advance((RAMP_MS / SIDECARS) * 100)
    }
    await this.clock.advance(2 * MINUTE)
  }

  async restart(): Promise<void> {
    const leases: (readonly KeptLease[])[] = []
    for (const { store, provider } of this.#sidecars) {
      await store.close()
      await provider.close()
      leases.push(store.handOver())
    }
    this.#sidecars = []
    const opened = await this.#open(leases)
    this.take()
    for (const start of opened) start()
  }

  async pass(durationMs: number): Promise<void> {
    await this.clock.advance(durationMs)
  }

  async stop(): Promise<void> {
    for (const { store, provider } of this.#sidecars) {
      await store.close()
      await provider.close()
    }
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
  async #open(leases: readonly (readonly KeptLease[])[]): Promise<readonly (() => void)[]> {
    const [clock, random] = [this.clock, this.#random]
    const options = v.parse(vaultOptions, { address: 'http://127.0.0.1:1', auth: { method: 'approle', roleId: 'web' } })
    const starts: (() => void)[] = []
    for (const [i, kept] of leases.entries()) {
      const host = {
        name: 'vault',
        clock,
        random,
        log: silentLog,
        environment: {},
        configDirectory: '/',
        directory: async () => this.#directory,
        note: this.#notes[i] ?? noteIn(new Map()),
      }
      const provider = await VaultProvider.open(options, host, this.server.connect)
      starts.push(() => {
        const store = new Store({
          providers: new Map([['vault', provider]]),
          clock,
          random,
          log: silentLog,
          redactor: new Redactor(),
        })
        store.restore(undefined, kept)
        store.subscribe('web').want([db, kv])
        this.#sidecars.push({ store, provider })
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

function figuresOf(name: string, { seconds, kinds }: Asked): readonly Figure[] {
  const peak = Math.max(...seconds)
  const later = seconds.slice(ROW_SECONDS)
  const sums = [...kinds].map(([kind, each]) => `${kind} ${count(sum(each))}`)
  return [
    { what: `${name}: requests in all`, value: sums.join(', ') },
    { what: `${name}: peak second / mean`, value: `${count(peak)} / ${mean(seconds).toFixed(0)}` },
    { what: `${name}: peak / mean`, value: (peak / mean(seconds)).toFixed(2) },
    { what: `${name}: peak / mean after ${ROW_SECONDS} s`, value: (Math.max(...later) / mean(later)).toFixed(2) },
    same(`${name}: logins`, sum(kinds.get('login') ?? []), 0),
  ]
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
