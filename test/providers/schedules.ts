import { exponentialBackoff } from '../../lib/base/backoff.ts'
import { systemClock } from '../../lib/base/clock.ts'
import { forEachConcurrent } from '../../lib/base/concurrent.ts'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Struct, Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Provider } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { Store } from '../../lib/store/store.ts'
import { eventually } from '../support/eventually.ts'
import { FaultProxy, type Fault } from '../support/fault-proxy.ts'
import { sequence } from '../support/random.ts'

/** The provider that is looked at. */
export interface Subject {
  /** One to this port. */
  open(port: number): Promise<Provider>
  /** All keys below a path, as a list of pairs. */
  tree(path: string): Dependency
}

/** What random schedules do to a backend: a real server, or a double of one. */
export interface Backend {
  readonly port: number
  /** Makes all of a change at once; tried until it is acknowledged, so it may be made twice. */
  write(change: Change): Promise<void>
  /** Forgets what was before, where the backend keeps that, or anything else that happens beside the keys. */
  compact(): Promise<void>
  /** Ends it without a word and starts it again, on what it held. One for all who ask meanwhile. */
  restart(): Promise<void>
}

export interface Change {
  readonly put: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

/** What there was in all schedules together. */
interface Played {
  schedules: number
  writes: number
  readings: number
  faults: number
  compactions: number
  restarts: number
}

const CONCURRENT = 24
const STEPS = 15
/** So many steps in a row may come one upon the other. */
const LULL = 5
const KEYS = 4
/** In each state there is this key, which counts them: so a reading says which state it shows. */
const COUNT = 'count'
const FAULTS: readonly Fault[] = ['hang', 'half-open', 'refuse', 'slow']
const CURRENT_WITHIN_MS = 60_000

/** Plays schedules, several at a time on one backend, and gives what there was. Rejects with the first that went wrong, by its
 *  seed: the final state was missed, or something was read that never was, that was empty, or that was older than what had been read
 *  before. */
async function playSchedules(backend: Backend, subject: Subject, seeds: readonly number[]): Promise<Played> {
  const played: Played = { schedules: 0, writes: 0, readings: 0, faults: 0, compactions: 0, restarts: 0 }
  await forEachConcurrent(seeds, CONCURRENT, async seed => {
    const schedule = await Schedule.open(seed, backend, subject, played)
    try {
      await schedule.play()
      played.schedules++
    } catch (error) {
      throw new Error(`schedule ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    } finally {
      await schedule.close()
    }
  })
  return played
}

/** Plays the first of all schedules, and says what there was.
 *  @param name of the backend, for people */
export async function playFirst(name: string, backend: Backend, subject: Subject, schedules: number): Promise<Played> {
  const seeds = Array.from({ length: schedules }, (_, i) => i + 1)
  const played = await playSchedules(backend, subject, seeds)
  process.stdout.write(`${name} schedules: ${JSON.stringify(played)}\n`)
  return played
}

/** Ends a server and starts it again, once for all who ask meanwhile. */
export function restarting(server: { kill(): Promise<void>; resume(): Promise<void> }): () => Promise<void> {
  let underWay: Promise<void> | undefined
  const restart = async () => {
    await server.kill()
    await server.resume()
  }
  return () => (underWay ??= restart().finally(() => (underWay = undefined)))
}

interface Made {
  readonly backend: Backend
  readonly subject: Subject
  readonly proxy: FaultProxy
  readonly provider: Provider
  readonly played: Played
}

class Schedule {
  readonly #backend: Backend
  readonly #subject: Subject
  readonly #proxy: FaultProxy
  readonly #provider: Provider
  readonly #store: Store
  readonly #prefix: string
  readonly #random: () => number
  readonly #played: Played
  readonly #state = new Map<string, string>()
  /** What each state was, by its count. */
  readonly #states = new Map<number, Readonly<Record<string, string>>>()
  #count = 0
  #newestRead = 0
  #wrong: string | undefined

  private constructor(seed: number, made: Made) {
    this.#backend = made.backend
    this.#subject = made.subject
    this.#proxy = made.proxy
    this.#provider = made.provider
    this.#played = made.played
    this.#prefix = prefixOf(seed)
    this.#random = sequence(seed)
    this.#store = new Store({
      providers: new Map([['mine', this.#looking()]]),
      clock: systemClock,
      random: this.#random,
      log: silentLog,
      redactor: new Redactor(),
      backoff: exponentialBackoff({ firstMs: 10, longestMs: 200 }),
    })
  }

  static async open(seed: number, backend: Backend, subject: Subject, played: Played): Promise<Schedule> {
    const proxy = await FaultProxy.to(() => backend.port)
    return new Schedule(seed, { backend, subject, proxy, provider: await subject.open(proxy.port), played })
  }

  async play(): Promise<void> {
    await this.#write()
    const inputs = this.#store.subscribe()
    const tree = this.#subject.tree(`${this.#prefix}a/`)
    inputs.want([tree])
    const current = () => {
      const served = inputs.get(tree)
      if (served === undefined) throw new Error(`nothing is served: ${inputs.why(tree)}`)
      const [is, want] = [shown(valuesOf(served)), shown(Object.fromEntries(this.#state))]
      if (is !== want) throw new Error(`the final state ${want} was missed, and ${is} is served`)
    }
    for (let step = 0; step < STEPS; step++) {
      if (step % LULL === 0) await this.#lull(current)
      await this.#act()
    }
    await this.#lull(current)
    if (this.#wrong !== undefined) throw new Error(this.#wrong)
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#provider.close()
    await this.#proxy.close()
  }

  /** All is well for as long as it takes to see the newest. */
  async #lull(current: () => void): Promise<void> {
    this.#proxy.fault = 'pass'
    await eventually(current, { withinMs: CURRENT_WITHIN_MS })
  }

  /** One thing that happens to the keys, to the line or to the server. */
  async #act(): Promise<void> {
    const dice = this.#random()
    if (dice < 0.5) return this.#write()
    if (dice < 0.6) this.#proxy.cut()
    else if (dice < 0.75) this.#proxy.fault = FAULTS[Math.floor(this.#random() * FAULTS.length)] ?? 'hang'
    else if (dice < 0.85) this.#proxy.fault = 'pass'
    else if (dice < 0.92) {
      await this.#backend.compact()
      this.#played.compactions++
    } else if (dice < 0.935) {
      await this.#backend.restart()
      this.#played.restarts++
    } else await systemClock.sleep(this.#random() * 300, new AbortController().signal)
    if (dice >= 0.5 && dice < 0.85) this.#played.faults++
  }

  /** Puts some keys and removes others, all at once. */
  async #write(): Promise<void> {
    const put: Record<string, string> = { [COUNT]: String(++this.#count) }
    const remove: string[] = []
    for (let i = 0; i < KEYS; i++) {
      const [key, dice] = [`k${i}`, this.#random()]
      if (dice < 0.3) put[key] = String(this.#random())
      else if (dice < 0.5) remove.push(key)
    }
    for (const [key, value] of Object.entries(put)) this.#state.set(key, value)
    for (const key of remove) this.#state.delete(key)
    // It may be read before it is acknowledged.
    this.#states.set(this.#count, Object.fromEntries(this.#state))
    const below = (key: string) => `${this.#prefix}a/${key}`
    await this.#backend.write({
      put: Object.fromEntries(Object.entries(put).map(([key, value]) => [below(key), value])),
      remove: remove.map(below),
    })
    this.#played.writes++
  }

  /** The provider, and a look at each of its readings. */
  #looking(): Provider {
    const look = (reading: Reading) => this.#look(reading)
    const provider = this.#provider
    return {
      async *watch(dependency, signal) {
        for await (const reading of provider.watch(dependency, signal)) {
          look(reading)
          yield reading
        }
      },
      close: async () => {},
    }
  }

  #look(reading: Reading): void {
    this.#played.readings++
    const values = valuesOf(reading)
    const count = Number(values[COUNT])
    const state = this.#states.get(count)
    if (state === undefined || shown(state) !== shown(values))
      this.#wrong ??= `${shown(values)} was read and never was: with that count it was ${shown(state ?? {})}, before it ${shown(this.#states.get(count - 1) ?? {})}`
    if (count < this.#newestRead) this.#wrong ??= `state ${count} was read after state ${this.#newestRead}`
    this.#newestRead = count
  }
}

function prefixOf(seed: number): string {
  return `schedule-${seed}/`
}

function valuesOf({ value }: Reading): Readonly<Record<string, Value>> {
  const pairs = value === absent ? [] : (value as readonly Struct[])
  return Object.fromEntries(pairs.map(({ fields }) => [fields.get('Key'), fields.get('Value')]))
}

function shown(values: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
