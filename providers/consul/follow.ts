import { hash } from 'node:crypto'
import type { Clock, Random } from '../../lib/base/clock.ts'
import { ProviderError } from '../../lib/errors.ts'
import { jittered } from '../poll.ts'
import type { Answer, Api, Ask } from './api.ts'
import { isOfLine } from './failure.ts'
import { Floor } from './floor.ts'
import type { Newest } from './newest.ts'

/** How queries are followed. */
export interface Following {
  readonly api: Pick<Api, 'get'>
  readonly clock: Clock
  readonly random: Random
  readonly places: Places
  readonly newest: Newest
  readonly waitMs: number
  /** How often is read again what finds no place to wait. */
  readonly pollMs: number
  readonly maxStaleMs: number
  readonly consistent: boolean
}

/** How many queries may wait at the same time, each on a connection of its own. */
export class Places {
  #left: number

  constructor(count: number) {
    this.#left = count
  }

  /** Takes one, if there is one. */
  take(): boolean {
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  give(): void {
    this.#left++
  }
}

/** A query whose wait was broken off that soon is not asked again here: the store does that, and takes its time. */
const HELD_MS = 1_000

/** How long after an answer that is news the next query is sent: what it changes is published first, and to ask again would take the
 *  processor from that. Nothing is missed meanwhile, since a query says what it knows. */
const AFTERWARDS_MS = 5

/** Whom a read is answered by: the leader, which makes sure that it still is; the leader; any server. */
type Mode = 'consistent' | 'default' | 'stale'

/** The answers to a query: one at once, then one whenever it may be another. Ends by throwing an OperationalError or the signal's
 *  reason.
 *
 *  Each answer has an index, and the next query waits until there is a greater one. The rules are Consul's own:
 *  https://developer.hashicorp.com/consul/api-docs/features/blocking
 *  1. The same content is no news: a wait that has ended, or one that was woken by something else. The index alone does not say so,
 *     since one that was counted anew may come to be the same.
 *  2. A smaller one than ever before means that the server was restored or made anew; or that another answers, which is behind; or
 *     that it was just started, and has not taken up all yet that it holds, which even a leader answers from. So what comes with it
 *     is thrown away, and the leader is asked for a consistent read, which is believed. For the last reason, the same goes for a first
 *     answer that holds nothing.
 *  3. An index of 0 would not be waited for: the least is 1.
 *  4. Any server may answer, if it was in touch with its leader lately; else the leader is asked instead.
 *  5. What blocks on a hash of its content says so in its answer.
 *  6. Where too many wait already, it is read now and then instead. */
export async function* follow(
  following: Following,
  ask: Ask,
  signal: AbortSignal,
  { isFresh = false }: { readonly isFresh?: boolean } = {},
): AsyncGenerator<Answer, never, undefined> {
  const { api, clock, random, places, newest } = following
  const query = JSON.stringify([ask.path, ask.params])
  const { isOfAgent = false } = ask
  const usual = isOfAgent ? 'default' : modeOf(following)
  const floor = new Floor(clock)
  let mode: Mode = isFresh ? 'consistent' : usual
  let known: Mark = NOTHING_KNOWN
  let shown: string | undefined
  for (;;) {
    signal.throwIfAborted()
    await floor.pass(signal)
    const isFirst = known === NOTHING_KNOWN
    const isWaiting = !isFirst && places.take()
    if (!isFirst && !isWaiting) await clock.sleep(jittered(following.pollMs, random), signal)
    const waitMs = isWaiting ? jittered(following.waitMs, random) : undefined
    const params = { ...(mode === 'default' ? {} : { [mode]: '' }), ...(isWaiting ? paramsOf(known) : {}) }
    const startMs = clock.monotonicMs()
    let answer: Answer
    try {
      answer = await api.get(ask, { waitMs, params }, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Whatever stands between us and Consul may end a wait in its own time. A read that fails as well is a failure.
      if (!isWaiting || !isOfLine(error) || clock.monotonicMs() - startMs < HELD_MS) throw error
      known = NOTHING_KNOWN
      continue
    } finally {
      if (isWaiting) places.give()
    }
    if (mode === 'stale' && isBehind(answer, following.maxStaleMs)) {
      mode = 'default'
      continue
    }
    const next = markOf(answer)
    const isDoubtful = next.index < newest.of(query) || (shown === undefined && isBlank(answer) && !isOfAgent)
    if (isDoubtful && mode !== 'consistent') {
      known = NOTHING_KNOWN
      mode = 'consistent'
      continue
    }
    mode = usual
    known = next
    newest.set(query, next.index)
    const content = hash('sha256', answer.body)
    const isSame = content === shown
    shown = content
    if (isSame) continue
    yield answer
    await clock.sleep(AFTERWARDS_MS, signal)
  }
}

function modeOf({ consistent, maxStaleMs }: Following): Mode {
  if (consistent) return 'consistent'
  return maxStaleMs > 0 ? 'stale' : 'default'
}

/** What an answer can be waited to differ from. */
interface Mark {
  readonly index: number
  readonly hash: string | undefined
}

const NOTHING_KNOWN: Mark = { index: 0, hash: undefined }

function markOf({ headers }: Answer): Mark {
  const [text, contentHash] = [headers.get('x-consul-index'), headers.get('x-consul-contenthash')]
  if (text !== undefined && /^\d+$/.test(text)) return { index: Math.max(1, Number(text)), hash: undefined }
  if (contentHash !== undefined) return { index: 1, hash: contentHash }
  throw new ProviderError('invalid-data', 'the answer has no index to wait by', {
    hint: 'check that the address is that of a Consul agent',
  })
}

function paramsOf({ index, hash: contentHash }: Mark): Readonly<Record<string, string>> {
  if (contentHash !== undefined) return { hash: contentHash }
  return index === 0 ? {} : { index: String(index) }
}

function isBlank({ status, body }: Answer): boolean {
  return status === 404 || BLANK.has(body.subarray(0, 8).toString('latin1').trim())
}

const BLANK: ReadonlySet<string> = new Set(['', '[]', '{}', 'null'])

/** Whether a server has not heard of its leader for too long. One that was just started knows no leader and has nothing at all:
 *  that is what blank files were rendered from. */
function isBehind({ headers }: Answer, maxStaleMs: number): boolean {
  return (
    headers.get('x-consul-knownleader') === 'false' || Number(headers.get('x-consul-lastcontact') ?? 0) > maxStaleMs
  )
}
