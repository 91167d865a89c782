import type { Outcome, Problem } from '../outcome.ts'

/** What the reconciler knows of its bundle, for the status. */
export interface Standing {
  /** What is visible, and whether it is confirmed. */
  readonly visible: number | undefined
  readonly confirmed: boolean
  /** Whether a generation has been confirmed before, and could be gone back to. */
  readonly hasConfirmed: boolean
  readonly outcome: Outcome | undefined
  /** Why the visible generation was condemned though it stays: there is nothing to go back to, or it was put back already. */
  readonly condemned: string | undefined
  /** Set while a pass is failing on something other than its inputs: a full volume, a lost directory. */
  readonly failing: Problem | undefined
}

/** Before the first look. */
export const nothingKnown: Standing = {
  visible: undefined,
  confirmed: false,
  hasConfirmed: false,
  outcome: undefined,
  condemned: undefined,
  failing: undefined,
}
