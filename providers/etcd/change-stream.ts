import type { Clock } from '../../lib/base/clock.ts'
import type { HttpLines } from '../../lib/base/http-lines.ts'
import { OperationalError, ProviderError } from '../../lib/errors.ts'
import type { Cluster } from './cluster.ts'
import { Refusal, refusalOf } from './failure.ts'
import { Gap, type Following } from './following.ts'
import { parseMessage, type WatchLine, type WatchResponse } from './wire.ts'

export interface ChangeStreamOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly heartbeatMs: number
  readonly timeoutMs: number
  /** It has ended; nothing more comes. */
  readonly ended: (stream: ChangeStream) => void
}

/** How long what lies unread in the socket may take. */
const UNREAD_MS = 50

/** One connection over which etcd tells of the changes of any number of ranges.
 *
 *  Its request is written and its answer read at the same time: so ranges come and go while it stands, and it can be asked for a
 *  sign of life, which is how a connection that is open at one end only is noticed, and a server that hangs. */
export class ChangeStream {
  readonly #options: ChangeStreamOptions
  readonly #followings = new Map<number, Following>()
  readonly #end = new AbortController()
  /** What is said before there is a connection. */
  readonly #unsent: string[] = []
  #lines: HttpLines | undefined
  #endpoint: string | undefined
  #lastId = 0
  /** How many lines have come. */
  #heard = 0

  constructor(options: ChangeStreamOptions) {
    this.#options = options
    const { signal } = this.#end
    this.#open(signal).catch((error: unknown) => this.#fail(error))
    this.#listen(signal).catch((error: unknown) => this.#fail(error))
  }

  get isIdle(): boolean {
    return this.#followings.size === 0
  }

  add(following: Following): void {
    const id = ++this.#lastId
    this.#followings.set(id, following)
    const { key, rangeEnd } = following.range
    const create = { key, range_end: rangeEnd, start_revision: following.start, watch_id: id, fragment: true }
    this.#send({ create_request: create })
  }

  remove(following: Following): void {
    for (const [id, other] of this.#followings) {
      if (other !== following) continue
      this.#followings.delete(id)
      this.#send({ cancel_request: { watch_id: id } })
    }
  }

  /** Ends it; whoever still follows has a gap. May be called again. */
  close(): void {
    this.#finish(new Gap('the stream was closed'))
  }

  async #open(signal: AbortSignal): Promise<void> {
    const events = {
      line: (line: string) => this.#take(line),
      refused: (status: number, body: Buffer) => this.#fail(refusalOf(this.#where, status, body)),
      ended: (error: OperationalError) => this.#fail(error),
    }
    const { lines, endpoint } = await this.#options.cluster.openLines('/v3/watch', events, signal)
    if (signal.aborted) return lines.close()
    this.#lines = lines
    this.#endpoint = endpoint
    for (const line of this.#unsent.splice(0)) lines.send(line)
  }

  /** Asks for a sign of life again and again; the answer to what was sent first is one, too. */
  async #listen(signal: AbortSignal): Promise<void> {
    const { clock, heartbeatMs, timeoutMs } = this.#options
    for (;;) {
      const heard = this.#heard
      await clock.sleep(timeoutMs, signal)
      // When we ourselves were held up, what has come meanwhile is taken first.
      if (this.#heard === heard) await clock.sleep(UNREAD_MS, signal)
      if (this.#heard === heard) throw new ProviderError('timeout', `${this.#where}: the stream of changes is silent`)
      await clock.sleep(Math.max(0, heartbeatMs - timeoutMs), signal)
      this.#send({ progress_request: {} })
    }
  }

  #send(message: object): void {
    const line = JSON.stringify(message)
    if (this.#lines === undefined) this.#unsent.push(line)
    else this.#lines.send(line)
  }

  #take(line: string): void {
    this.#heard++
    const { result, error } = (parseMessage(line) ?? {}) as WatchLine
    if (error !== undefined) this.#fail(new Refusal(this.#where, 200, error))
    else if (result === undefined) this.#fail(new ProviderError('invalid-data', `${this.#where}: a line is not JSON`))
    else this.#tell(result)
  }

  #tell({ watch_id: id, events = [], fragment, canceled, compact_revision: compacted, ...rest }: WatchResponse): void {
    const following = this.#followings.get(Number(id ?? 0))
    if (canceled === true && compacted === undefined) {
      // It answers our own word, or it refuses. What may be read may be followed, so it is the token that is no good any more,
      // and that is the whole stream's; what is forbidden indeed, the next read says.
      if (following === undefined && rest.created !== true) return
      const denied = new ProviderError('unavailable', `${this.#where}: the changes cannot be followed`)
      return this.#finish(new Gap('the stream is refused', denied))
    }
    if (following === undefined) return
    if (canceled === true) {
      this.#followings.delete(Number(id))
      return following.break(new Gap('the revision was compacted'))
    }
    if (events.length > 0) following.put(events, fragment === true)
  }

  get #where(): string {
    return this.#endpoint === undefined ? 'etcd' : new URL(this.#endpoint).host
  }

  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return
    if (this.#endpoint !== undefined) this.#options.cluster.demote(this.#endpoint)
    const isKnown = error instanceof OperationalError
    this.#finish(new Gap('the stream broke', isKnown ? error : new ProviderError('unavailable', String(error))))
  }

  #finish(gap: Gap): void {
    if (this.#end.signal.aborted) return
    this.#end.abort(gap)
    this.#lines?.close()
    for (const following of this.#followings.values()) following.break(gap)
    this.#followings.clear()
    this.#options.ended(this)
  }
}
