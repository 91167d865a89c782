/** The token that the provider itself asks with, for whoever wants one without logging in. */
import type { Clock, Random } from '../../lib/base/clock.ts'
import { parseDurationMs } from '../../lib/base/duration.ts'
import { Mailbox } from '../../lib/base/mailbox.ts'
import type { Value } from '../../lib/base/value.ts'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { ProviderError } from '../../lib/errors.ts'
import { contentRevision, type Reading } from '../../lib/reading.ts'
import { jittered, poll } from '../poll.ts'
import type { Client } from './client.ts'
import { saysMayNot } from './failure.ts'
import { mapOf, numberOf, textOf } from './secret.ts'

export interface OwnTokenOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  /** How often the server is asked whether it still knows the token. */
  readonly rereadMs: number
  readonly revisionKey: Uint8Array
}

/** The token as it is, and each that takes its place. */
export async function* watchOwnToken(
  { client, clock, random, rereadMs, revisionKey }: OwnTokenOptions,
  dependency: Dependency,
  signal: AbortSignal,
): AsyncGenerator<Reading, void, undefined> {
  const what = showDependency(dependency)
  const replaced = new Mailbox<true>()
  let leftMs = 0
  const read = async (cut: AbortSignal) => {
    // What is read anew below holds for all that was said until now.
    replaced.clear()
    // It may have been revoked, and if nothing else is asked nobody would notice. A policy may forbid the question.
    await client.ask(what, { operation: 'read', path: 'auth/token/lookup-self', takes: saysMayNot }, cut)
    const held = await client.token(what, cut)
    leftMs = held.leftMs
    const token = held.token.reveal()
    return readingOf(new Map([['token', token]]), token, revisionKey, clock.nowMs())
  }
  const stop = client.onTokenReplaced(() => replaced.put(true))
  try {
    yield* poll(
      { everyMs: () => Math.min(jittered(rereadMs, random), leftMs), clock, random, hint: replaced },
      read,
      signal,
    )
  } finally {
    stop()
  }
}

/** The token in a wrapping of the server's, which can be opened once and until it ends. It is made anew before that, or before the token
 *  in it ends; so it has a lease, though the server knows none. */
export async function wrapOwnToken(
  { client, clock, revisionKey }: Pick<OwnTokenOptions, 'client' | 'clock' | 'revisionKey'>,
  dependency: Dependency,
  signal: AbortSignal,
): Promise<Reading> {
  const what = showDependency(dependency)
  const { token, leftMs } = await client.token(what, signal)
  const wrapSeconds = (parseDurationMs(dependency.params['wrap'] ?? '') ?? 0) / 1_000
  const askedAtMs = clock.nowMs()
  const ask = { operation: 'write', path: 'sys/wrapping/wrap', fields: { token: token.reveal() }, wrapSeconds } as const
  const info = mapOf(mapOf((await client.ask(what, ask, signal)).body)?.get('wrap_info'))
  const wrapped = textOf(info, 'token')
  const durationMs = Math.min(numberOf(info, 'ttl') * 1_000, leftMs)
  if (info === undefined || wrapped === '' || !(durationMs > 0)) {
    throw new ProviderError('invalid-data', `${what}: the server has wrapped nothing`)
  }
  const reading = readingOf(info, wrapped, revisionKey, clock.nowMs())
  return { ...reading, lease: { id: '', durationMs, renewable: false, endsAtMs: askedAtMs + durationMs } }
}

function readingOf(
  value: ReadonlyMap<string, Value>,
  token: string,
  revisionKey: Uint8Array,
  observedAtMs: number,
): Reading {
  return { value, revision: contentRevision(token, revisionKey), observedAtMs, sensitive: true }
}
