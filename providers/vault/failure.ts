/** What a status means. The server's own words are looked at and not shown: they may quote what was asked with. */
import type { Value } from '../../lib/base/value.ts'
import { ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import type { Answer } from './answer.ts'

interface Meaning {
  readonly code: ProviderErrorCode
  readonly says: string
  readonly hint?: string
}

/** In the order in which they are looked for, by the status and what the server says. */
const MEANINGS: readonly (Meaning & { readonly status: number; readonly pattern?: RegExp })[] = [
  {
    status: 400,
    pattern: /missing client token/,
    code: 'unauthenticated',
    says: 'the server wants a token',
    hint: 'set auth, or VAULT_TOKEN',
  },
  {
    status: 400,
    pattern: /wrapping token is not valid|does not exist/,
    code: 'invalid-data',
    says: 'the wrapping token has been used, has ended or never was',
    hint: 'a wrapped value can be had once: wrap it anew; if nobody here had it, somebody else did',
  },
  {
    status: 400,
    pattern: /lease not found|invalid lease|lease expired/,
    code: 'invalid-data',
    says: 'the lease is not there any more',
  },
  { status: 400, pattern: /not renewable/, code: 'unsupported', says: 'the lease cannot be renewed' },
  { status: 400, pattern: /unsupported|not supported/, code: 'unsupported', says: 'the path does not take that' },
  {
    status: 400,
    code: 'invalid-data',
    says: 'the server does not take the request (400)',
    hint: "the path's own documentation says what it wants; the server's audit log has the request",
  },
  { status: 401, code: 'unauthenticated', says: 'the token is not taken (401)', hint: 'see auth' },
  { status: 404, pattern: /unsupported|not supported/, code: 'unsupported', says: 'the path does not take that' },
  {
    status: 405,
    code: 'unsupported',
    says: 'the path does not take that (405)',
    hint: 'it may only be written, or listed',
  },
  {
    status: 412,
    code: 'unavailable',
    says: 'the node that answers is not yet as far as an earlier answer was (412)',
  },
  { status: 413, code: 'invalid-data', says: 'the request is too large for the server (413)' },
  { status: 429, code: 'rate-limited', says: 'the server asks for fewer requests (429)', hint: 'see its quotas' },
  {
    status: 472,
    code: 'unavailable',
    says: 'the server is a disaster recovery secondary, which gives no secrets (472)',
    hint: 'set address to the primary',
  },
  { status: 473, code: 'unavailable', says: 'the server is a standby and does not answer (473)' },
  { status: 501, code: 'unavailable', says: 'the server is not initialized (501)', hint: 'initialize and unseal it' },
  { status: 503, pattern: /sealed/i, code: 'unavailable', says: 'the server is sealed', hint: 'unseal it' },
  { status: 503, pattern: /standby/i, code: 'unavailable', says: 'the server is a standby without an active node' },
]

const UNKNOWN_TOKEN: Meaning = {
  code: 'unauthenticated',
  says: 'the token is not known: it has ended, was revoked or is none',
  hint: 'see auth; a token file needs whoever keeps it current',
}
const MAY_NOT: Meaning = {
  code: 'forbidden',
  says: 'the token may not',
  hint: "give its policies the path's capability",
}

/** Whether a refusal (403) is about the token itself, by the server's words; older servers say the same of both. */
export function saysUnknownToken(answer: Answer): boolean {
  return errorsOf(answer.body).some(text => /invalid token|bad token|token not found/.test(text))
}

/** Whether a refusal (403) is about what a token may, by the server's words: none of them says it so of a token that it does not know. */
export function saysMayNot(answer: Answer): boolean {
  return (
    answer.status === 403 && errorsOf(answer.body).some(text => /^1 error occurred:\s*\* permission denied/.test(text))
  )
}

/** Whether the server knows no such lease, or no token of such an accessor: they have ended, or were revoked. */
export function saysGone({ status, body }: Answer): boolean {
  const isRefusal = status === 400 || status === 403 || status === 404
  return (
    isRefusal && errorsOf(body).some(text => /lease not found|invalid lease|lease expired|invalid accessor/.test(text))
  )
}

/** The ProviderError for an answer that is no success. Of a 403 the caller knows whether the token itself is what was refused.
 *  @param what names the dependency, or what else was asked */
export function failureOf(what: string, answer: Answer, isTokenKnown = true): ProviderError {
  const { code, says, hint } = meaningOf(answer, isTokenKnown)
  const retryAfterMs = retryAfterOf(answer)
  return new ProviderError(code, `${what}: ${says}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

/** The server knows how to log in there, and not with these credentials. */
export class CredentialsRefused extends ProviderError {}

/** The same of a login: what the server does not take there are the credentials. */
export function loginFailureOf(path: string, answer: Answer): ProviderError {
  const what = `log in at ${path}`
  const { status } = answer
  if (status === 404) {
    return new ProviderError('unauthenticated', `${what}: nothing is mounted there (404)`, { hint: 'see auth.mount' })
  }
  if (status !== 400 && status !== 401 && status !== 403) return failureOf(what, answer)
  return new CredentialsRefused('unauthenticated', `${what}: the server does not take the credentials (${status})`, {
    hint: "see auth: the role, the mount and the files of the credentials; the server's audit log has the request",
  })
}

function meaningOf(answer: Answer, isTokenKnown: boolean): Meaning {
  const { status } = answer
  if (status === 403) return isTokenKnown ? MAY_NOT : UNKNOWN_TOKEN
  const texts = errorsOf(answer.body)
  const found = MEANINGS.find(
    ({ status: wanted, pattern }) =>
      wanted === status && (pattern === undefined || texts.some(text => pattern.test(text))),
  )
  if (found !== undefined) return found
  if (status >= 500) return { code: 'unavailable', says: `the server has an error of its own (${status})` }
  return { code: 'invalid-data', says: `the server answers ${status}` }
}

/** What the server says is wrong. */
function errorsOf(body: Value | undefined): readonly string[] {
  return textsIn(body, 'errors')
}

export function warningsOf(body: Value | undefined): readonly string[] {
  return textsIn(body, 'warnings')
}

function textsIn(body: Value | undefined, name: string): readonly string[] {
  const list = body instanceof Map ? (body as ReadonlyMap<string, Value>).get(name) : undefined
  return Array.isArray(list) ? list.filter(item => typeof item === 'string') : []
}

/** How long a server may ask us to wait at most: one that says more may be wrong, and an outage would outlast it. */
const RETRY_AFTER_MS_MAX = 3_600_000

/** Seconds; Vault sends no dates. */
function retryAfterOf({ headers }: Answer): number | undefined {
  const text = headers.get('retry-after')
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined
  return Math.min(Number(text) * 1_000, RETRY_AFTER_MS_MAX)
}
