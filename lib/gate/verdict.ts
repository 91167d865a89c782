/** What a check or a probation came to. `why` is for people: what failed and how, in its own last words; masked. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string }
