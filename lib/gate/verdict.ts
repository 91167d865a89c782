/** What a check or a probation came to. */
export type Verdict = { readonly ok: true } | Refusal

export interface Refusal {
  readonly ok: false
  /** For people: what failed and how, in its own last words; masked. */
  readonly why: string
  /** Set when nobody could tell: the check did not run to its end. Then nothing is published, and the same contents are checked
   *  again later. */
  readonly inconclusive?: true
}
