import type { Clock } from '../../../lib/base/clock.ts'
import { Secret } from '../../../lib/base/secret.ts'

/** A token as it is noted for the next process. */
export interface KeptToken {
  /** Whom it was got for, and where: one that was got otherwise is not used. */
  readonly account: string
  readonly token: Secret
  readonly accessor: string
  readonly grantedMs: number
  readonly renewable: boolean
  /** On the monotonic clock. */
  readonly endsMs: number
  /** Until when leases may hang on it, on the monotonic clock. */
  readonly neededUntilMs: number
}

/** What a note has: the token that requests are sent with, and those before it on which leases hang. */
export interface KeptTokens {
  readonly current: KeptToken | undefined
  readonly replaced: readonly KeptToken[]
}

interface Written extends Omit<KeptToken, 'token' | 'endsMs' | 'neededUntilMs'> {
  readonly token: string
  readonly endsAtMs: number | null
  readonly neededUntilAtMs: number
}

interface WrittenNote {
  /** The current one is the first. */
  readonly tokens: readonly Written[]
  readonly keptAtMs: number
}

export function writeTokens(current: KeptToken, replaced: readonly KeptToken[], clock: Clock): string {
  const [keptAtMs, nowMs] = [clock.nowMs(), clock.monotonicMs()]
  const tokens = [current, ...replaced].map(
    ({ account, token, accessor, grantedMs, renewable, endsMs, neededUntilMs }): Written => ({
      account,
      token: token.reveal(),
      accessor,
      grantedMs,
      renewable,
      endsAtMs: endsMs === Infinity ? null : keptAtMs + endsMs - nowMs,
      neededUntilAtMs: keptAtMs + neededUntilMs - nowMs,
    }),
  )
  return JSON.stringify({ tokens, keptAtMs } satisfies WrittenNote)
}

/** The tokens of a note that are good still and were got for this account. */
export function readTokens(note: string, account: string, clock: Clock): KeptTokens {
  const written = parsed(note)
  if (!Array.isArray(written?.tokens)) return { current: undefined, replaced: [] }
  const { tokens, keptAtMs } = written
  // A wall clock that went back would make them longer than they are.
  const [atMs, nowMs] = [Math.max(clock.nowMs(), keptAtMs), clock.monotonicMs()]
  const [current, ...replaced] = tokens.map(({ token, endsAtMs, neededUntilAtMs, ...kept }): KeptToken | undefined => {
    const leftMs = endsAtMs === null ? Infinity : endsAtMs - atMs
    if (kept.account !== account || !(leftMs > 0)) return undefined
    const neededUntilMs = nowMs + neededUntilAtMs - atMs
    return { ...kept, token: new Secret(token), endsMs: nowMs + leftMs, neededUntilMs }
  })
  return { current, replaced: replaced.filter(kept => kept !== undefined) }
}

/** What the note holds was sealed by us, so it is as `writeTokens` wrote it; another version may have written something else. */
function parsed(note: string): WrittenNote | null | undefined {
  try {
    return JSON.parse(note) as WrittenNote | null
  } catch {
    // Without its message: that of JSON.parse quotes the note.
    return undefined
  }
}
