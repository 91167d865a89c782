import type { KeptToken } from './kept-token.ts'

/** A token that this process has. */
export interface HeldToken extends Omit<KeptToken, 'account'> {
  /** Undefined where it cannot be told, and so the token not be kept. */
  readonly account: string | undefined
  /** Whether it is from before a restart. */
  readonly isKept: boolean
  renewable: boolean
  endsMs: number
  neededUntilMs: number
  /** Whether its last renewal gave it much less than it had at first: it nears the end of all renewals. */
  isEnding: boolean
  /** Ends what keeps it alive. */
  readonly over: AbortController
  /** The renewal or replacement that is under way. */
  prolonging?: Promise<void> | undefined
}

/** One that was just got, or taken up from the note. */
export function heldToken(
  given: Omit<HeldToken, 'isEnding' | 'over' | 'prolonging' | 'isKept'>,
  isKept: boolean,
): HeldToken {
  return { ...given, isKept, isEnding: false, over: new AbortController() }
}
