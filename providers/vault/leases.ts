import type { Clock } from '../../lib/base/clock.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Lease } from '../../lib/reading.ts'
import type { Answer } from './answer.ts'
import type { Client } from './client.ts'
import { failureOf, saysGone } from './failure.ts'
import { leaseId, parseLeaseId, type LeaseId } from './lease-id.ts'
import { mapOf, numberOf } from './secret.ts'

/** What cannot be renewed is replaced when less than this part of it is left. */
const LAST_PART = 0.2

/** Leases of one server.
 *
 *  The server ends a lease with the token that it was made with, whatever it has granted. So none is given for longer than its
 *  token lasts, and what is renewed is both: first the token, then the lease, where the server renews it. One that it does not
 *  renew, and that lasts longer than its token, is renewed as far as the token is. */
export class Leases {
  readonly #client: Client
  readonly #clock: Clock

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** A lease that the server has just given, for as long as its token lasts. Never rejects: it is there, and must be kept.
   *  @param holder the accessor of the token; empty for a lease that hangs on none */
  async bind(lease: Lease, holder: string, signal: AbortSignal): Promise<Lease> {
    if (lease.id === '' || holder === '') return lease
    const { durationMs, renewable, endsAtMs } = lease
    const id = { ...partsOf(lease), holder, durationMs, ...(renewable ? {} : { isFixed: true }) }
    const tokenMs =
      (await this.#lasting(holder, durationMs, signal).catch(() => undefined)) ??
      (await this.#lasting(holder, 0, signal).catch(() => undefined))
    return this.#given(id, { durationMs, renewable }, tokenMs ?? durationMs, endsAtMs - durationMs)
  }

  /** As `Provider.renew`. */
  async renew(lease: Lease, signal: AbortSignal): Promise<Lease | undefined> {
    const id = partsOf(lease)
    const askedAtMs = this.#clock.nowMs()
    const wantedMs = id.durationMs ?? lease.durationMs
    const leftMs = lease.endsAtMs - askedAtMs
    const tokenMs = id.holder === undefined ? Infinity : ((await this.#lasting(id.holder, wantedMs, signal)) ?? leftMs)
    if (tokenMs <= 0) return undefined
    const own =
      id.isFixed === true
        ? { durationMs: leftMs + (lease.restMs ?? 0), renewable: false }
        : await this.#renewed(id, wantedMs, signal)
    return own === undefined || own.durationMs <= 0 ? undefined : this.#given(id, own, tokenMs, askedAtMs)
  }

  async revoke(lease: Lease, signal: AbortSignal): Promise<void> {
    if (lease.id === '') return
    const { kind, id, namespace } = partsOf(lease)
    const [path, fields] =
      kind === 'token' ? ['auth/token/revoke-accessor', { accessor: id }] : ['sys/leases/revoke', { lease_id: id }]
    await this.#tell(`revoke a lease at ${path}`, path, fields, { namespace, signal })
  }

  /** @param askedAtMs from when on it was granted, by the wall clock */
  #given(id: LeaseId, own: Own, tokenMs: number, askedAtMs: number): Lease {
    const durationMs = Math.min(own.durationMs, tokenMs)
    // Until it is to be replaced for its own sake it goes on with its token.
    const goesOn = id.holder !== undefined && tokenMs < own.durationMs - LAST_PART * (id.durationMs ?? 0)
    const renewable = own.renewable || goesOn
    const restMs = own.durationMs - durationMs
    const lease = { id: leaseId(id), durationMs, renewable, endsAtMs: askedAtMs + durationMs }
    return restMs > 0 ? { ...lease, restMs } : lease
  }

  #lasting(holder: string, wantedMs: number, signal: AbortSignal): Promise<number | undefined> {
    return this.#client.lasting('renew the token of a lease', holder, wantedMs, signal)
  }

  async #renewed({ kind, id, namespace }: LeaseId, wantedMs: number, signal: AbortSignal): Promise<Own | undefined> {
    const increment = Math.ceil(wantedMs / 1_000)
    const [path, fields] =
      kind === 'token'
        ? ['auth/token/renew-accessor', { accessor: id, increment }]
        : ['sys/leases/renew', { lease_id: id, increment }]
    const answer = await this.#tell(`renew a lease at ${path}`, path, fields, { namespace, signal })
    if (answer === undefined) return undefined
    const given = mapOf(answer.body)
    const from = (kind === 'token' ? mapOf(given?.get('auth')) : undefined) ?? given
    return { durationMs: numberOf(from, 'lease_duration') * 1_000, renewable: from?.get('renewable') === true }
  }

  /** Asks something about a lease; undefined when the server does not know it. */
  async #tell(
    what: string,
    path: string,
    fields: Readonly<Record<string, unknown>>,
    { namespace, signal }: { readonly namespace: string | undefined; readonly signal: AbortSignal },
  ): Promise<Answer | undefined> {
    const answer = await this.#client.ask(
      what,
      { operation: 'write', path, fields, namespace, takes: saysGone },
      signal,
    )
    if (saysGone(answer)) return undefined
    if (answer.status === 404) throw failureOf(what, answer)
    return answer
  }
}

/** What is left of a lease itself, whatever its token does. */
interface Own {
  readonly durationMs: number
  readonly renewable: boolean
}

function partsOf({ id }: Lease): LeaseId {
  const parts = parseLeaseId(id)
  if (parts === undefined) throw new ProviderError('invalid-data', 'a lease that is none of a Vault provider')
  return parts
}
