import { OperationalError, ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import { parseMessage, type ErrorBody } from './wire.ts'

/** The codes of gRPC that mean something here: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const INVALID_ARGUMENT = 3
const OUT_OF_RANGE = 11

/** What etcd answered instead of a result. Its own text is looked at and not shown. */
export class Refusal extends ProviderError {
  /** Whether another token may help: it was missing, has expired, or the users have changed since it was given. */
  readonly isAboutToken: boolean
  /** Whether the revision that was asked for has been compacted away. */
  readonly isCompacted: boolean
  /** Whether users are not asked for, so that there is no token to be had. */
  readonly isWithoutUsers: boolean

  constructor(where: string, status: number, { code, grpc_code: other, message, error }: ErrorBody) {
    const number = code ?? other
    const text = message ?? error ?? ''
    const isAboutToken =
      number === 16 ||
      status === 401 ||
      (number === INVALID_ARGUMENT && /user name is empty|auth store is old/.test(text))
    const meaning = isAboutToken ? MEANINGS[16] : meaningOf(number, status, text)
    const says = number === undefined ? `etcd answers ${status}` : `etcd answers ${status}, code ${number}`
    super(
      meaning?.code ?? 'unavailable',
      `${where}: ${meaning === undefined ? says : `${meaning.says} (${says})`}`,
      meaning?.hint === undefined ? {} : { hint: meaning.hint },
    )
    this.isAboutToken = isAboutToken
    this.isCompacted = number === OUT_OF_RANGE
    this.isWithoutUsers = text.includes('authentication is not enabled')
  }
}

/** The refusal in the body of an answer. */
export function refusalOf(where: string, status: number, body: Buffer): Refusal {
  return new Refusal(where, status, parseMessage(body.toString('utf8')) ?? {})
}

interface Meaning {
  readonly code: ProviderErrorCode
  readonly says: string
  readonly hint?: string
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  4: { code: 'timeout', says: 'it took too long' },
  7: { code: 'forbidden', says: 'permission denied', hint: 'grant the role of our user a read of these keys' },
  8: { code: 'rate-limited', says: 'too many requests' },
  14: { code: 'unavailable', says: 'it cannot be read now', hint: 'check that the cluster has a leader' },
  16: { code: 'unauthenticated', says: 'it does not know us', hint: 'check username and password' },
}

const WRONG_PASSWORD: Meaning = {
  code: 'unauthenticated',
  says: 'no such user, or another password',
  hint: 'check username and password',
}

const NO_GATEWAY: Meaning = {
  code: 'unsupported',
  says: 'there is no JSON gateway',
  hint: 'etcd 3.4 or newer has one, unless it is started with --enable-grpc-gateway=false',
}

function meaningOf(code: number | undefined, status: number, text: string): Meaning | undefined {
  if (code === INVALID_ARGUMENT && text.includes('authentication failed')) return WRONG_PASSWORD
  if (code === 12 || (status === 404 && code === undefined) || (status === 404 && code === 5)) return NO_GATEWAY
  return code === undefined ? BY_STATUS[status] : MEANINGS[code]
}

/** Of what stands between us and etcd. */
const BY_STATUS: Readonly<Record<number, Meaning>> = {
  403: { code: 'forbidden', says: 'permission denied' },
  429: { code: 'rate-limited', says: 'too many requests' },
}

/** Whether another endpoint may do better. */
export function isOfEndpoint(error: unknown): boolean {
  return error instanceof OperationalError && (error.code === 'unavailable' || error.code === 'timeout')
}

/** The error with the dependency before it; a signal's reason as it is. */
export function failure(dependency: string, error: unknown): unknown {
  if (!(error instanceof OperationalError)) return error
  const { code, message, hint } = error
  const options = { cause: error, ...(hint === undefined ? {} : { hint }) }
  return new ProviderError(code as ProviderErrorCode, `${dependency}: ${message}`, options)
}
