import { systemClock, type Clock } from '../../lib/base/clock.ts'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { v } from '../../lib/base/schema.ts'
import { Tree, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Health, Provider, ProviderPlugin, Question } from '../../lib/provider.ts'
import { absent, type Absent, type Lease, type Reading } from '../../lib/reading.ts'

interface Script {
  value: Value | Tree | Absent
  revision: string
  sensitive: boolean
  lease: Lease | undefined
  mint: (() => Minted) | undefined
  error: Error | undefined
  hanging: boolean
  started: number
  readonly bells: Set<Mailbox<true>>
}

export interface SetOptions {
  /** @default a new one for each `set` */
  readonly revision?: string
  /** @default false */
  readonly sensitive?: boolean
  readonly lease?: Lease
}

/** What a backend makes anew for each who asks: a credential, a certificate. */
export interface Minted {
  readonly value: Value
  readonly lease: Lease
}

/** A provider whose readings and failures a test scripts. What is scripted holds at once: for the watches that run, which
 *  wake in the same turn, and for those to come. A path that was never set is `absent`. The kind and the params of a
 *  dependency are not looked at. */
export class ScriptedProvider implements Provider {
  readonly #clock: Clock
  readonly #scripts = new Map<string, Script>()
  #revisions = 0
  #outage: Error | undefined
  /** How often `close` was called. */
  closed = 0
  /** The ids of the leases that were renewed and revoked, in order. */
  readonly renewed: string[] = []
  readonly revoked: string[] = []
  /** What each watch was told that is served already. */
  readonly knowns: (Reading | undefined)[] = []
  /** How long a reading is taken for the newest; by default what changes is seen at once. */
  everyMs: () => number = () => 0
  /** What `renew` does; by default the lease starts anew, with its own duration. */
  onRenew: (lease: Lease, signal: AbortSignal) => Promise<Lease | undefined> = async lease => ({
    ...lease,
    endsAtMs: this.#clock.nowMs() + lease.durationMs,
  })
  /** What `revoke` does; by default nothing. */
  onRevoke: (lease: Lease, signal: AbortSignal) => Promise<void> = async () => {}

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** Gives a path a value, and ends what `fail` and `hang` did to it. */
  set(path: string, value: Value | Tree | Absent, options: SetOptions = {}): void {
    const script = this.#script(path)
    script.value = value
    script.revision = options.revision ?? `r${++this.#revisions}`
    script.sensitive = options.sensitive ?? false
    script.lease = options.lease
    script.mint = undefined
    this.heal(path)
  }

  /** Makes each reading of a path a new one, with a lease. */
  mint(path: string, mint: () => Minted): void {
    this.#script(path).mint = mint
    this.heal(path)
  }

  /** Makes a path absent. */
  remove(path: string): void {
    this.set(path, absent)
  }

  /** Makes the watches of a path throw, and each that follows, until `set` or `heal`. */
  fail(path: string, error: Error = new ProviderError('unavailable', 'the script says so')): void {
    const script = this.#script(path)
    script.error = error
    ring(script)
  }

  /** Makes the watches of a path yield nothing, until `set`, `heal` or `fail`. */
  hang(path: string): void {
    this.#script(path).hanging = true
  }

  /** Ends what `fail` and `hang` did to a path: its value is yielded again. */
  heal(path: string): void {
    const script = this.#script(path)
    script.error = undefined
    script.hanging = false
    ring(script)
  }

  /** Makes every watch throw, until `mend`. */
  breakAll(error: Error = new ProviderError('unavailable', 'the script says so')): void {
    this.#outage = error
    for (const script of this.#scripts.values()) ring(script)
  }

  /** Ends what `breakAll` did. */
  mend(): void {
    this.#outage = undefined
  }

  /** How many watches of this path, or of all, are running. */
  active(path?: string): number {
    return this.#sum(path, script => script.bells.size)
  }

  /** How many watches of this path, or of all, have been started so far. */
  started(path?: string): number {
    return this.#sum(path, script => script.started)
  }

  async *watch({ path }: Dependency, signal: AbortSignal, known?: Reading): AsyncGenerator<Reading, never, undefined> {
    signal.throwIfAborted()
    this.knowns.push(known)
    const script = this.#script(path)
    const bell = new Mailbox<true>()
    script.started++
    script.bells.add(bell)
    try {
      for (;;) {
        const error = this.#outage ?? script.error
        if (error !== undefined) throw error
        if (!script.hanging) yield this.#reading(script)
        await bell.take(signal)
      }
    } finally {
      script.bells.delete(bell)
    }
  }

  async renew(lease: Lease, signal: AbortSignal): Promise<Lease | undefined> {
    this.renewed.push(lease.id)
    return this.onRenew(lease, signal)
  }

  async revoke(lease: Lease, signal: AbortSignal): Promise<void> {
    this.revoked.push(lease.id)
    return this.onRevoke(lease, signal)
  }

  async check(): Promise<Health> {
    return this.#outage === undefined ? { ok: true, message: 'scripted' } : { ok: false, message: this.#outage.message }
  }

  async close(): Promise<void> {
    this.closed++
  }

  #script(path: string): Script {
    let script = this.#scripts.get(path)
    if (script === undefined) {
      const nothing = { value: absent, revision: 'none', sensitive: false, lease: undefined, mint: undefined } as const
      script = { ...nothing, error: undefined, hanging: false, started: 0, bells: new Set() }
      this.#scripts.set(path, script)
    }
    return script
  }

  #reading({ value, revision, sensitive, lease, mint }: Script): Reading {
    if (mint !== undefined) {
      const observedAtMs = this.#clock.nowMs()
      return { ...mint(), revision: `r${++this.#revisions}`, observedAtMs, sensitive: true }
    }
    const reading: Reading = { value, revision, observedAtMs: this.#clock.nowMs(), sensitive }
    return lease === undefined ? reading : { ...reading, lease }
  }

  #sum(path: string | undefined, count: (script: Script) => number): number {
    const scripts = path === undefined ? [...this.#scripts.values()] : [this.#script(path)]
    return scripts.reduce((sum, script) => sum + count(script), 0)
  }
}

function ring(script: Script): void {
  for (const bell of script.bells) bell.put(true)
}

/** A plugin whose `open` gives this provider. `ref "NAME://PATH#FIELD"` takes a field of a map; `tree` takes a `Tree`; the
 *  function `scripted PATH` is `ref` by path. */
export function scriptedPlugin(provider: ScriptedProvider, type = 'scripted'): ProviderPlugin<object> {
  return {
    type,
    options: v.looseObject({}),
    reference: { ...question('value', 2), hasFields: true },
    tree: question('tree', 1),
    functions: { scripted: question('value', 1) },
    open: async () => provider,
  }
}

function question(kind: string, argumentsMax: number): Question {
  return {
    ask(name, args) {
      if (args.length < 1 || args.length > argumentsMax)
        throw new Error(`want a path${argumentsMax > 1 ? ' and a field' : ''}`)
      const [path, field] = args
      if (typeof path !== 'string') throw new Error('want the path as a string')
      if (field !== undefined && typeof field !== 'string') throw new Error('want the field as a string')
      return { provider: name, kind, path, params: {} }
    },
    answer({ value }, [, field]) {
      if (value === absent) throw new Error('there is no answer to what is absent')
      if (value instanceof Tree !== (kind === 'tree')) throw new Error(`want a ${kind}`)
      if (field === undefined || value instanceof Tree) return value
      if (!(value instanceof Map)) throw new Error('want a map to take a field from')
      return value.get(field) ?? null
    },
  }
}
