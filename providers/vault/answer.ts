/** What is asked of a server, and what it answers. */
import type { ResponseHeaders } from '../../lib/base/http.ts'
import type { Secret } from '../../lib/base/secret.ts'
import type { Value } from '../../lib/base/value.ts'

export interface ApiRequest {
  readonly operation: 'read' | 'list' | 'write'
  /** Below `/v1/`, as its parts are called, not encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** What is written. */
  readonly fields?: Readonly<Record<string, unknown>>
  readonly token?: Secret | undefined
  /** Empty for the root. */
  readonly namespace: string
  /** For how long the answer is to be wrapped, in whole seconds, instead of given. */
  readonly wrapSeconds?: number
  /** What the server said last of how far it was (`X-Vault-Index`): it must not answer from before that. */
  readonly index?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: ResponseHeaders
  /** What the body holds; undefined for an empty one. */
  readonly body: Value | undefined
}
