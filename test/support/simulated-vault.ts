import type { Clock } from '../../lib/base/clock.ts'
import { toValue } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Answer, ApiRequest } from '../../providers/vault/answer.ts'
import type { Api } from '../../providers/vault/api.ts'

export interface SimulationOptions {
  readonly tokenMs: number
  /** How long a token can be made to last by renewing it. */
  readonly tokenMaxMs: number
  readonly leaseMs: number
  readonly leaseMaxMs: number
  readonly leaseRenewable: boolean
  /** How long an answer takes. */
  readonly answerMs: () => number
}

/** What a request is, for who counts them. */
export type Kind = 'login' | 'token renewal' | 'lease renewal' | 'credential' | 'read' | 'other'

/** Something that ends by true time, or earlier by the server's hand. */
interface Ending {
  endsMs: number
  readonly maxEndsMs: number
  isRevoked: boolean
  /** Of a token: whether it may not read what others may. */
  mayLess: boolean
}

interface SimulatedLease extends Ending {
  readonly id: string
  readonly token: Ending
}

/** A Vault without a network, by true time: logins, tokens that end, credentials with leases that end with them, and KV v2. It is asked by the
 *  real provider, and knows what was done wrong. */
export class SimulatedVault {
  readonly #clock: Clock
  readonly #options: SimulationOptions
  readonly #tokens = new Map<string, Ending>()
  readonly #leases = new Map<string, SimulatedLease>()
  #made = 0
  #version = 1
  /** While set, nobody is answered. */
  outage: ProviderError | undefined
  /** Whether a request is turned away with 429. */
  isBusy: () => boolean = () => false
  onRequest: (kind: Kind) => void = () => {}
  /** What must never be: a token that was used after its end. */
  readonly wrongs: string[] = []

  constructor(clock: Clock, options: SimulationOptions) {
    this.#clock = clock
    this.#options = options
  }

  /** How many credentials were made so far. */
  get made(): number {
    return this.#made
  }

  readonly connect = (): Api => ({
    send: async (request, signal) => {
      this.onRequest(kindOf(request))
      this.#look(request)
      await this.#clock.sleep(this.#options.answerMs(), signal)
      if (this.outage !== undefined) throw this.outage
      return this.isBusy() ? BUSY : this.#answer(request)
    },
    close() {},
  })

  /** For how long a credential can be used: until its lease or the token that this hangs on comes to its end. What was revoked behind
   *  everybody's back does not count as ended. */
  leftMs(username: string): number {
    const lease = this.#leases.get(`db/creds/app/${username}`)
    return lease === undefined ? 0 : Math.min(lease.endsMs, lease.token.endsMs) - this.#clock.monotonicMs()
  }

  /** The credentials that are there. */
  get alive(): number {
    return [...this.#leases.values()].filter(lease => this.#isThere(lease) && this.#isThere(lease.token)).length
  }

  revokeTokens(): void {
    for (const token of this.#tokens.values()) token.isRevoked = true
  }

  /** Whether the tokens that there are may read KV; others may in any case. */
  permit(isPermitted: boolean): void {
    for (const token of this.#tokens.values()) token.mayLess = !isPermitted
  }

  revokeLeases(): void {
    for (const lease of this.#leases.values()) lease.isRevoked = true
  }

  change(): void {
    this.#version++
  }

  /** What is on its way when a token ends was sent in time. */
  #look({ path, token }: ApiRequest): void {
    const known = this.#tokens.get(token?.reveal() ?? '')
    if (known === undefined || known.isRevoked || this.#isThere(known)) return
    this.wrongs.push(`${path} was asked with a token that had ended`)
  }

  #answer({ operation, path, fields = {}, token: secret }: ApiRequest): Answer {
    if (path === 'auth/approle/login') return this.#loggedIn()
    const id = secret?.reveal() ?? ''
    const token = this.#tokens.get(id)
    if (token === undefined || !this.#isThere(token)) return failed(403, 'permission denied, invalid token')
    if (path === 'auth/token/renew-self') return found({ auth: this.#renewedToken(token) })
    if (path === 'auth/token/lookup-self') return found({ data: { ttl: this.#leftSeconds(token), renewable: true } })
    if (path.startsWith('sys/internal/ui/mounts/kv')) return mount('kv', { version: '2' })
    if (path.startsWith('sys/internal/ui/mounts/db')) return mount('database', null)
    if (path.startsWith('sys/leases/')) return this.#leaseCall(path, fields)
    if (path.startsWith('db/creds/')) return this.#credential(token)
    if (token.mayLess && path.startsWith('kv/')) return failed(403, '1 error occurred:\n\t* permission denied\n\n')
    if (operation === 'read' && path.startsWith('kv/data/')) {
      return found({ data: { data: { v: String(this.#version) }, metadata: this.#metadata(this.#version) } })
    }
    if (operation === 'read' && path.startsWith('kv/metadata/')) {
      const versions = { [this.#version]: this.#metadata(this.#version) }
      return found({ data: { current_version: this.#version, versions, custom_metadata: null } })
    }
    return failed(404, 'unsupported path')
  }

  #metadata(version: number) {
    return { created_time: `version ${version}`, deletion_time: '', destroyed: false, version, custom_metadata: null }
  }

  #loggedIn(): Answer {
    const { tokenMs, tokenMaxMs } = this.#options
    const id = `token-${this.#tokens.size + 1}`
    const token = this.#ending(tokenMs, tokenMaxMs)
    this.#tokens.set(id, token)
    const auth = { client_token: id, accessor: `of ${id}`, num_uses: 0, renewable: true, orphan: true }
    return found({ auth: { ...auth, lease_duration: this.#leftSeconds(token) } })
  }

  #renewedToken(token: Ending) {
    this.#prolong(token, this.#options.tokenMs)
    return { lease_duration: this.#leftSeconds(token), renewable: true, num_uses: 0 }
  }

  #credential(token: Ending): Answer {
    const { leaseMs, leaseMaxMs, leaseRenewable } = this.#options
    const username = `user-${++this.#made}`
    const id = `db/creds/app/${username}`
    const lease = { ...this.#ending(leaseMs, leaseMaxMs), id, token }
    this.#leases.set(id, lease)
    const lease_duration = this.#leftSeconds(lease)
    return found({ lease_id: id, lease_duration, renewable: leaseRenewable, data: { username } })
  }

  #leaseCall(path: string, { lease_id, increment }: Readonly<Record<string, unknown>>): Answer {
    const lease = this.#leases.get(String(lease_id))
    if (lease === undefined || !this.#isThere(lease) || !this.#isThere(lease.token))
      return failed(400, 'lease not found')
    if (path === 'sys/leases/revoke') {
      lease.isRevoked = true
      return { status: 204, headers: new Map(), body: undefined }
    }
    if (!this.#options.leaseRenewable) return failed(400, 'lease is not renewable')
    this.#prolong(lease, Number(increment) * 1_000)
    return found({ lease_id: lease.id, lease_duration: this.#leftSeconds(lease), renewable: true })
  }

  #ending(durationMs: number, maxMs: number): Ending {
    const nowMs = this.#clock.monotonicMs()
    return { endsMs: nowMs + Math.min(durationMs, maxMs), maxEndsMs: nowMs + maxMs, isRevoked: false, mayLess: false }
  }

  #prolong(one: Ending, durationMs: number): void {
    one.endsMs = Math.min(this.#clock.monotonicMs() + durationMs, one.maxEndsMs)
  }

  #isThere({ endsMs, isRevoked }: Ending): boolean {
    return !isRevoked && endsMs > this.#clock.monotonicMs()
  }

  #leftSeconds({ endsMs }: Ending): number {
    return Math.floor((endsMs - this.#clock.monotonicMs()) / 1_000)
  }
}

/** What a quota of so much a second answers to the rest. */
const BUSY: Answer = { ...failed(429, 'rate limit quota exceeded'), headers: new Map([['retry-after', '1']]) }

function kindOf({ path }: ApiRequest): Kind {
  if (path.endsWith('/login')) return 'login'
  if (path === 'auth/token/renew-self') return 'token renewal'
  if (path === 'sys/leases/renew') return 'lease renewal'
  if (path.startsWith('db/creds/')) return 'credential'
  return path.startsWith('kv/') ? 'read' : 'other'
}

function mount(type: string, options: object | null): Answer {
  const path = type === 'kv' ? 'kv/' : 'db/'
  return found({ data: { path, type, options } })
}

function found(body: object): Answer {
  return { status: 200, headers: new Map(), body: toValue(body) }
}

function failed(status: number, text: string): Answer {
  return { status, headers: new Map(), body: toValue({ errors: [text] }) }
}
