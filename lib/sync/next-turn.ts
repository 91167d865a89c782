import type { Outcome } from '../outcome.ts'
import type { Parts } from './parts.ts'
import { settle } from './settle.ts'

/** After this long without a change a bundle comes round all the same, to see whether the volume still shows what it should. */
const HEAL_EVERY_MS = 30_000

/** Waits until it is worth coming round again after a pass that came to `outcome`. */
export async function nextTurn(
  outcome: Outcome,
  visible: number | undefined,
  { inputs, clock, ...parts }: Pick<Parts, 'inputs' | 'clock' | 'settle'>,
  signal: AbortSignal,
): Promise<void> {
  const missing = outcome.kind === 'waiting' ? outcome.for.map(({ dependency }) => dependency) : []
  // What was answered stays answered, so each is asked for once, and not with every answer to one of many.
  let answered = 0
  do {
    if (!(await inputs.changed.takenWithin(HEAL_EVERY_MS, clock, signal))) return
    while (answered < missing.length && inputs.settled(missing.slice(answered, answered + 1))) answered++
  } while (answered < missing.length)
  // Nobody sees anything yet: the first generation is not kept waiting for a quiet moment.
  if (outcome.kind === 'waiting' && visible === undefined) return
  await settle(inputs.changed, parts.settle, clock, signal)
}
