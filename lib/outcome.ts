import { listed } from './base/listed.ts'
import { showDependency, type Dependency } from './dependency.ts'

/** What one pass over a bundle came to. */
export type Outcome =
  /** Readings are missing; nothing was published. */
  | { readonly kind: 'waiting'; readonly for: readonly Waiting[] }
  /** What is visible is what should be. */
  | { readonly kind: 'unchanged'; readonly generation: number }
  /** A template or an output is wrong; what was visible stays. */
  | { readonly kind: 'broken'; readonly problem: Problem }
  /** Staged and refused by a check, or condemned before; what was visible stays. */
  | { readonly kind: 'rejected'; readonly digest: string; readonly why: string }
  | {
      readonly kind: 'published'
      readonly generation: number
      readonly changed: readonly string[]
      readonly confirmed: boolean
    }
  /** Published, taken badly, and replaced by the last confirmed contents as `generation`. */
  | { readonly kind: 'rolled-back'; readonly condemned: number; readonly generation: number; readonly why: string }

export interface Waiting {
  readonly dependency: Dependency
  /** The provider's last error, or that the backend says there is nothing. */
  readonly why: string
}

export interface Problem {
  readonly message: string
  readonly hint?: string
}

/** An outcome for people, in one line. Of what is waited for it names the first few: there may be thousands. */
export function explainOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'waiting':
      return `waiting for ${listed(outcome.for.map(showWaiting), '; ')}`
    case 'unchanged':
      return `unchanged at generation ${outcome.generation}`
    case 'broken':
      return outcome.problem.message
    case 'rejected':
      return outcome.why
    case 'published':
      return `published generation ${outcome.generation}`
    case 'rolled-back':
      return `generation ${outcome.condemned} was rolled back by ${outcome.generation}: ${outcome.why}`
  }
}

function showWaiting({ dependency, why }: Waiting): string {
  const name = showDependency(dependency)
  // A provider's errors say of what they are, and here that stands beside them.
  return `${name} (${why.replaceAll(`${name}: `, '')})`
}
