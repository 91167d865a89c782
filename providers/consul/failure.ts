import type { HttpResponse } from '../../lib/base/http.ts'
import { OperationalError, ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'

/** What Consul answered instead of a result. Its own text is looked at and not shown. */
export class Refusal extends ProviderError {
  readonly status: number

  constructor(status: number, { code, says, hint }: Meaning, where: string, retryAfterMs?: number) {
    super(code, `${where}: ${says} (Consul answers ${status})`, {
      ...(hint === undefined ? {} : { hint }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
    this.status = status
  }
}

/** @param hasToken whether one was sent */
export function refusalOf(where: string, response: HttpResponse, hasToken: boolean): Refusal {
  const { status, body, headers } = response
  const text = body.subarray(0, TEXT_BYTES_MAX).toString('utf8')
  return new Refusal(status, meaningOf(status, text, hasToken), where, retryAfterOf(headers.get('retry-after')))
}

/** How much of an answer's text is looked at. */
const TEXT_BYTES_MAX = 4_096

interface Meaning {
  readonly code: ProviderErrorCode
  readonly says: string
  readonly hint?: string
}

/** What another server or datacenter says comes as a 500 with its words. */
function meaningOf(status: number, text: string, hasToken: boolean): Meaning {
  for (const [pattern, meaning] of BY_TEXT) if (pattern.test(text)) return meaning
  if (status === 403 || /permission denied/i.test(text)) return hasToken ? DENIED : NO_TOKEN
  const known = BY_STATUS[status]
  if (known !== undefined) return known
  if (status >= 500) return { code: 'unavailable', says: 'it cannot be read now' }
  return { code: 'bad-config', says: 'it is not understood', hint: 'check the address, and the names in the template' }
}

const DENIED: Meaning = {
  code: 'forbidden',
  says: 'permission denied',
  hint: "give the token's policy a read of it",
}

const NO_TOKEN: Meaning = { code: 'unauthenticated', says: 'permission denied, without a token', hint: 'set token' }

const BY_TEXT: readonly (readonly [RegExp, Meaning])[] = [
  [/ACL not found/i, { code: 'unauthenticated', says: 'it does not know the token', hint: 'check the token' }],
  [/No cluster leader/i, { code: 'unavailable', says: 'there is no leader', hint: 'check that most servers are up' }],
  [
    /No path to datacenter/i,
    { code: 'unavailable', says: 'no path to the datacenter', hint: "check the datacenter's name" },
  ],
  [/Enterprise/, { code: 'unsupported', says: 'only Consul Enterprise has that', hint: 'leave out ns and partition' }],
  [
    /Connect must be enabled/i,
    { code: 'unsupported', says: 'the mesh is not enabled', hint: 'set connect { enabled = true } in Consul' },
  ],
  [/rate limit/i, { code: 'rate-limited', says: 'too many requests' }],
]

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  301: { code: 'bad-config', says: 'it has another address', hint: 'check http: against https:, and the path' },
  401: { code: 'unauthenticated', says: 'it does not know us', hint: 'check username and password' },
  404: { code: 'unsupported', says: 'it has no such part', hint: 'a newer Consul, or Consul Enterprise, may have it' },
  405: { code: 'unsupported', says: 'it has no such part', hint: 'a newer Consul, or Consul Enterprise, may have it' },
  429: { code: 'rate-limited', says: 'too many requests' },
  504: { code: 'timeout', says: 'it took too long' },
}

/** Seconds, or a date, which is rare: then the store's own backoff will do. */
function retryAfterOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined
}

/** Whether the line or the server failed, and not what was asked. */
export function isOfLine(error: unknown): boolean {
  return error instanceof OperationalError && (error.code === 'unavailable' || error.code === 'timeout')
}

/** The error with the dependency before it; a signal's reason as it is. */
export function failure(dependency: string, error: unknown): unknown {
  if (!(error instanceof OperationalError)) return error
  const { code, message, hint } = error
  const retryAfterMs = error instanceof ProviderError ? error.retryAfterMs : undefined
  return new ProviderError(code as ProviderErrorCode, `${dependency}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
