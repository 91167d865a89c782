/** The tokens of the double. */
import { randomBytes } from 'node:crypto'
import { secondsOf, type Answer } from './vault-double-engines.ts'
import type { Json } from './vault-server.ts'

export interface Token {
  readonly id: string
  /** Empty of a batch token. */
  readonly accessor: string
  readonly policies: readonly string[]
  readonly namespace: string
  /** With which it ends; undefined of an orphan. */
  readonly parent: string | undefined
  /** Whether it may not even what every other token may with itself. */
  readonly isBare: boolean
  readonly durationMs: number
  readonly renewable: boolean
  /** When no renewal helps any more. */
  readonly endsAtMostMs: number
  /** 0 for one without an end. */
  endsAtMs: number
  /** 0 for one without a limit. */
  usesLeft: number
  lastRenewalMs?: number
}

/** What a token is made of, as `auth/token/create` and the roles of log-ins have it, where `token_` stands before most names. */
export interface Made {
  readonly id?: string
  readonly policies: readonly string[]
  readonly namespace: string
  readonly ttl?: string | number
  readonly explicit_max_ttl?: string | number
  readonly num_uses?: number
  readonly type?: string
  readonly renewable?: boolean
  readonly parent?: string
  readonly no_default_policy?: boolean
}

const UNKNOWN_ACCESSOR: Answer = { status: 400, body: { errors: ['1 error occurred:\n\t* invalid accessor\n\n'] } }

export class Tokens {
  readonly #tokens = new Map<string, Token>()

  make({
    id,
    policies,
    namespace,
    ttl = '1h',
    explicit_max_ttl = 0,
    num_uses = 0,
    type,
    renewable = true,
    parent,
    no_default_policy: isBare = false,
  }: Made): Token {
    const durationMs = secondsOf(ttl) * 1_000
    const maxMs = secondsOf(explicit_max_ttl) * 1_000
    const isBatch = type === 'batch'
    const token = {
      id: id ?? `${isBatch ? 'b' : 's'}.${randomBytes(12).toString('hex')}`,
      accessor: isBatch ? '' : randomBytes(12).toString('hex'),
      policies,
      namespace,
      parent,
      isBare,
      durationMs,
      renewable: renewable && !isBatch && durationMs > 0,
      endsAtMostMs: maxMs === 0 ? Infinity : Date.now() + maxMs,
      endsAtMs: 0,
      usesLeft: num_uses,
    }
    if (durationMs > 0) prolong(token)
    this.#tokens.set(token.id, token)
    return token
  }

  /** The token of an id, of which this is a use. */
  use(id: string): Token | undefined {
    const token = this.#tokens.get(id)
    if (token === undefined || !this.isThere(id)) return undefined
    if (token.usesLeft > 0 && --token.usesLeft === 0) this.#tokens.delete(id)
    return token
  }

  /** Whether a token is known, and its parents are. */
  isThere(id: string): boolean {
    const token = this.#tokens.get(id)
    if (token === undefined || (token.endsAtMs > 0 && token.endsAtMs <= Date.now())) return false
    return token.parent === undefined || this.isThere(token.parent)
  }

  revokeAllBut(id: string): void {
    for (const other of this.#tokens.keys()) if (other !== id) this.#tokens.delete(other)
  }

  answer(action: string, body: Json, token: Token, namespace: string): Answer {
    const byAccessor = this.#there().find(({ accessor }) => accessor !== '' && accessor === body?.accessor)
    switch (action) {
      case 'create':
        return tokenAnswer(
          this.make({ ...body, policies: body?.policies ?? token.policies, namespace, parent: token.id }),
        )
      case 'accessors':
        return { status: 200, body: { data: { keys: this.#there().map(({ accessor }) => accessor) } } }
      case 'lookup-self':
        return { status: 200, body: { data: lookedUp(token) } }
      case 'renew-self':
        return this.#renewed(token)
      case 'renew-accessor':
        return byAccessor === undefined ? UNKNOWN_ACCESSOR : this.#renewed(byAccessor)
      case 'revoke-accessor':
        if (byAccessor === undefined) return UNKNOWN_ACCESSOR
        this.#tokens.delete(byAccessor.id)
        return { status: 204 }
      case 'revoke-self':
      case 'revoke':
        this.#tokens.delete(action === 'revoke' ? String(body?.token) : token.id)
        return { status: 204 }
      default:
        return { status: 404, body: { errors: ['unsupported path'] } }
    }
  }

  #there(): readonly Token[] {
    return [...this.#tokens.values()].filter(({ id }) => this.isThere(id))
  }

  #renewed(token: Token): Answer {
    if (!token.renewable) return { status: 400, body: { errors: ['lease is not renewable'] } }
    prolong(token)
    token.lastRenewalMs = Date.now()
    return tokenAnswer(token)
  }
}

function prolong(token: Token): void {
  token.endsAtMs = Math.min(Date.now() + token.durationMs, token.endsAtMostMs)
}

function leftOf({ endsAtMs }: Token): number {
  return endsAtMs === 0 ? 0 : Math.ceil((endsAtMs - Date.now()) / 1_000)
}

function lookedUp(token: Token): Json {
  const { policies, accessor, renewable, usesLeft, lastRenewalMs } = token
  const renewed = lastRenewalMs === undefined ? {} : { last_renewal_time: Math.floor(lastRenewalMs / 1_000) }
  const type = accessor === '' ? 'batch' : 'service'
  return { ttl: leftOf(token), policies, accessor, renewable, num_uses: usesLeft, type, ...renewed }
}

export function tokenAnswer(token: Token): Answer {
  const auth = {
    client_token: token.id,
    accessor: token.accessor,
    policies: token.policies,
    metadata: null,
    lease_duration: leftOf(token),
    renewable: token.renewable,
    num_uses: token.usesLeft,
    orphan: token.parent === undefined,
    token_type: token.accessor === '' ? 'batch' : 'service',
  }
  return { status: 200, body: { request_id: randomBytes(8).toString('hex'), lease_id: '', data: null, auth } }
}
