import type { Outcome } from '../outcome.ts'
import type { Rendered } from '../render/renderer.ts'
import type { Inputs } from './parts.ts'

/** What a pass comes to that has nothing to publish. */
export function whyNot(rendered: Exclude<Rendered, { kind: 'complete' }>, inputs: Inputs): Outcome {
  if (rendered.kind === 'broken') return { kind: 'broken', problem: rendered.problem }
  return {
    kind: 'waiting',
    for: rendered.missing.map(dependency => ({ dependency, why: inputs.why(dependency) })),
  }
}
