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

/** The token of a note, while it is good and for this account; undefined otherwise. */
export function readToken(note: string, account: string, clock: Clock): KeptToken | undefined {
  // What the note holds was sealed by us, so it is as `writeToken` wrote it.
  const { endsAtMs, keptAtMs, ...kept } = JSON.parse(note) as Omit<KeptToken, 'token' | 'endsMs'> & {
    readonly token: string
    readonly endsAtMs: number | null
    readonly keptAtMs: number
  }
  // A wall clock that went back would make it longer than it is.
  const leftMs = endsAtMs === null ? Infinity : endsAtMs - Math.max(clock.nowMs(), keptAtMs)
  if (kept.account !== account || !(leftMs > 0)) return undefined
  return { ...kept, token: new Secret(kept.token), endsMs: clock.monotonicMs() + leftMs }
}
