import type { Random } from './clock.ts'

/** How long to wait before the next try: an immutable value, so a retry loop has no state to reset. */
export interface Backoff {
  /** The longest this wait may be. */
  readonly ceilingMs: number
  /** A wait drawn evenly from [0, ceiling]: full jitter, so that a fleet that failed together does not come back together. */
  durationMs(random: Random): number
  /** The backoff after one more failure. */
  next(): Backoff
}

export interface BackoffOptions {
  /** The first ceiling. @default 250 */
  readonly firstMs?: number
  /** What the ceiling never passes. @default 60_000 */
  readonly longestMs?: number
}

/** Ceilings that double from `firstMs` to `longestMs`. */
export function exponentialBackoff({ firstMs = 250, longestMs = 60_000 }: BackoffOptions = {}): Backoff {
  const ceilingMs = Math.min(firstMs, longestMs)
  return {
    ceilingMs,
    durationMs: random => random() * ceilingMs,
    next: () => exponentialBackoff({ firstMs: ceilingMs * 2, longestMs }),
  }
}
