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
}

export function writeToken({ token, endsMs, ...kept }: KeptToken, clock: Clock): string {
  const leftMs = endsMs - clock.monotonicMs()
  const endsAtMs = leftMs === Infinity ? null : clock.nowMs() + leftMs
  return JSON.stringify({ ...kept, token: token.reveal(), endsAtMs, keptAtMs: clock.nowMs() })
}

interface Written extends Omit<KeptToken, 'token' | 'endsMs'> {
  readonly token: string
  readonly endsAtMs: number | null
  readonly keptAtMs: number
}

/** The token of a note, while it is good and for this account; undefined otherwise. */
export function readToken(note: string, account: string, clock: Clock): KeptToken | undefined {
  const written = parsed(note)
  if (written?.account !== account) return undefined
  const { endsAtMs, keptAtMs, ...kept } = written
  // A wall clock that went back would make it longer than it is.
  const leftMs = endsAtMs === null ? Infinity : endsAtMs - Math.max(clock.nowMs(), keptAtMs)
  if (!(leftMs > 0)) return undefined
  return { ...kept, token: new Secret(kept.token), endsMs: clock.monotonicMs() + leftMs }
}

/** What the note holds was sealed by us, so it is as `writeToken` wrote it; another version may have written something else. */
function parsed(note: string): Written | null | undefined {
  try {
    return JSON.parse(note) as Written | null
  } catch {
    // Without its message: that of JSON.parse quotes the note.
    return undefined
  }
}
