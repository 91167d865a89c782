/** The server's stream of events, which ends the waits of watches early. Polling goes on below it: an event may be lost, and most servers
 *  have no stream. */
import { exponentialBackoff } from '../../lib/base/backoff.ts'
import type { Clock, Random } from '../../lib/base/clock.ts'
import { Mailbox } from '../../lib/base/mailbox.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { messageOf } from '../../lib/errors.ts'
import type { ProviderHost } from '../../lib/provider.ts'
import { jittered } from '../poll.ts'
import { SubscriptionRefused } from './api.ts'
import type { Client } from './client.ts'
import { subjectOf, subjectsOf, type VaultEvent } from './event.ts'

/** How long a watch has waited before there is a stream, and by how much that is spread: what runs once has ended by then, and a fleet that
 *  starts together does not connect together. */
const START_MS = 2_000
const START_SPREAD_MS = 5_000
/** How long a stream is kept when nobody listens: watches end and begin anew. */
const LINGER_MS = 60_000
/** After a connection that could not be had, or ended. */
const LOST_MS = { firstMs: 1_000, longestMs: 60_000 }
/** A stream that lasted so long was a good one. */
const GOOD_MS = 60_000
/** After a server has said that it has no stream for us. */
const REFUSED_MS = 3_600_000
const REFUSED_JITTER = 0.2
/** On average from one watch to the next, when all of them look whether they have missed something. */
const LOOK_APART_MS = 20

/** Of one watch: where it is told that what it reads has changed. */
export interface Listener {
  readonly hint: Mailbox<unknown>
  start(): void
  /** It has read, and waits. */
  waits(): void
  stop(): void
}

export class Events {
  readonly #client: Client
  readonly #host: ProviderHost
  readonly #isOn: boolean
  /** By namespace: a server tells of the changes in one. */
  readonly #streams = new Map<string, Stream>()
  #isClosed = false

  constructor(client: Client, host: ProviderHost, isOn: boolean) {
    this.#client = client
    this.#host = host
    this.#isOn = isOn && client.canSubscribe
  }

  /** For a watch of this; undefined where no event would be about it. */
  listen(dependency: Dependency): Listener | undefined {
    const subject = this.#isOn ? subjectOf(dependency) : undefined
    if (subject === undefined) return undefined
    const namespace = dependency.params.namespace ?? this.#client.settings.namespace
    const hint = new Mailbox<true>()
    let stream: Stream | undefined
    return {
      hint,
      start: () => {
        stream = this.#streamOf(namespace)
        stream?.add(subject, hint)
      },
      waits: () => stream?.begin(),
      stop: () => stream?.delete(subject, hint),
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#streams.values()].map(stream => stream.end(new Error('the provider is closed'))))
  }

  #streamOf(namespace: string): Stream | undefined {
    if (this.#isClosed) return undefined
    const known = this.#streams.get(namespace)
    if (known !== undefined) return known
    const stream = new Stream(namespace, this.#client, this.#host, () => this.#streams.delete(namespace))
    this.#streams.set(namespace, stream)
    return stream
  }
}

/** The stream of one namespace, from when a watch has waited for a while until nobody listens any more. */
class Stream {
  readonly #namespace: string
  readonly #client: Client
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: ProviderHost['log']
  readonly #forget: () => void
  readonly #over = new AbortController()
  /** By their subjects. */
  readonly #listeners = new Map<string, Set<Mailbox<true>>>()
  /** Told that there is another token. */
  readonly #replaced = new Mailbox<true>()
  #connection: AbortController | undefined
  #running: Promise<void> | undefined
  /** Of the start, or of the end. */
  #cancelTimer: () => void = () => {}
  #isStarting = false
  #backoff = exponentialBackoff(LOST_MS)

  constructor(namespace: string, client: Client, { clock, random, log }: ProviderHost, forget: () => void) {
    this.#namespace = namespace
    this.#client = client
    this.#clock = clock
    this.#random = random
    this.#log = log
    this.#forget = forget
  }

  add(subject: string, hint: Mailbox<true>): void {
    if (this.#listeners.size === 0) this.#cancelTimer()
    const hints = this.#listeners.get(subject) ?? new Set()
    this.#listeners.set(subject, hints.add(hint))
  }

  delete(subject: string, hint: Mailbox<true>): void {
    const hints = this.#listeners.get(subject)
    if (hints?.delete(hint) !== true || hints.size > 0) return
    this.#listeners.delete(subject)
    if (this.#listeners.size > 0 || this.#over.signal.aborted) return
    this.#cancelTimer()
    const end = () => void this.end(new Error('nobody listens'))
    if (this.#running === undefined) end()
    else this.#cancelTimer = this.#clock.after(LINGER_MS, end)
  }

  /** Opens the stream in a while, unless it is opened already. */
  begin(): void {
    if (this.#isStarting || this.#over.signal.aborted) return
    this.#isStarting = true
    this.#cancelTimer = this.#clock.after(START_MS + this.#random() * START_SPREAD_MS, () => {
      // It ends with its signal, and has nobody to tell.
      this.#running = this.#run(this.#over.signal).catch(() => {})
    })
  }

  async end(reason: Error): Promise<void> {
    this.#forget()
    this.#cancelTimer()
    this.#over.abort(reason)
    this.#connection?.abort(reason)
    await this.#running
  }

  async #run(signal: AbortSignal): Promise<void> {
    const stop = this.#client.onTokenReplaced(() => {
      this.#replaced.put(true)
      this.#connection?.abort(new Error('another token has taken its place'))
    })
    try {
      for (;;) {
        const waitMs = await this.#follow(signal)
        await this.#replaced.takenWithin(waitMs, this.#clock, signal)
      }
    } finally {
      stop()
    }
  }

  /** Follows the stream until it ends; gives how long to wait before the next. */
  async #follow(signal: AbortSignal): Promise<number> {
    const cut = (this.#connection = new AbortController())
    let looking: Promise<void> | undefined
    let openedMs = Infinity
    try {
      const events = await this.#client.subscribe('the stream of events', this.#namespace, cut.signal)
      openedMs = this.#clock.monotonicMs()
      this.#log.debug('the stream of events is open', this.#data())
      looking = this.#look(cut.signal).catch(() => {})
      for await (const event of events) this.#tell(event)
      throw new Error('it has ended')
    } catch (error) {
      signal.throwIfAborted()
      // Another token: at once, with that.
      if (cut.signal.aborted) return 0
      const isRefused = error instanceof SubscriptionRefused && !isForNow(error.status)
      if (this.#clock.monotonicMs() - openedMs >= GOOD_MS) this.#backoff = exponentialBackoff(LOST_MS)
      const waitMs = isRefused
        ? jittered(REFUSED_MS, this.#random, REFUSED_JITTER)
        : this.#backoff.durationMs(this.#random)
      if (!isRefused) this.#backoff = this.#backoff.next()
      this.#log.debug('no stream of events, so changes are polled for', { ...this.#data(), error: messageOf(error) })
      return waitMs
    } finally {
      cut.abort(new Error('the stream has ended'))
      await looking
    }
  }

  /** While there was no stream something may have been missed. Not all at once: hundreds of watches have a few connections. */
  async #look(signal: AbortSignal): Promise<void> {
    const all = [...this.#listeners].flatMap(([subject, hints]) => [...hints].map(hint => [subject, hint] as const))
    for (const [subject, hint] of all) {
      await this.#clock.sleep(2 * LOOK_APART_MS * this.#random(), signal)
      if (this.#listeners.get(subject)?.has(hint) === true) hint.put(true)
    }
  }

  #tell(event: VaultEvent): void {
    if ((event.namespace ?? this.#namespace) !== this.#namespace) return
    for (const subject of subjectsOf(event)) {
      for (const hint of this.#listeners.get(subject) ?? []) hint.put(true)
    }
  }

  #data(): Readonly<Record<string, string>> {
    return { address: this.#client.settings.shown, ...(this.#namespace === '' ? {} : { namespace: this.#namespace }) }
  }
}

/** Whether a refusal is of now, and not of what the server has and lets us do. */
function isForNow(status: number): boolean {
  return status === 412 || status === 429 || status === 472 || status === 473 || (status >= 500 && status !== 501)
}
