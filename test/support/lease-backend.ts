import type { Value } from '../../lib/base/value.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { Lease } from '../../lib/reading.ts'
import type { FakeClock } from './fake-clock.ts'
import type { ScriptedProvider } from './scripted-provider.ts'

export interface LeaseOptions {
  readonly durationMs: number
  /** @default true */
  readonly renewable?: boolean
  /** How long a lease can be made to last by renewing it. @default for ever */
  readonly maxMs?: number
}

/** A lease, as the backend knows it: by true time. */
export interface BackendLease {
  readonly id: string
  readonly path: string
  readonly mintedAtMs: number
  readonly maxEndsAtMs: number
  readonly durationMs: number
  endsAtMs: number
  revokedAtMs: number | undefined
}

/** A backend that makes a credential with a lease for each who reads a path, and counts them. It outlives the stores that ask it:
 *  a restart is another provider on it. */
export class LeaseBackend {
  readonly leases: BackendLease[] = []
  /** While set, nothing can be renewed, or revoked, or read. */
  outage: { renew?: Error | undefined; revoke?: Error | undefined } = {}
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Makes a provider give leases of this backend at a path. */
  serve(provider: ScriptedProvider, path: string, options: LeaseOptions): void {
    provider.mint(path, () => this.#mint(path, options))
    provider.onRenew = async lease => this.#renew(lease)
    provider.onRevoke = async lease => this.#revoke(lease)
  }

  /** Those that are good now. */
  alive(path: string): readonly BackendLease[] {
    return this.leases.filter(lease => lease.path === path && this.isAlive(lease.id))
  }

  isAlive(id: string): boolean {
    const lease = this.leases.find(one => one.id === id)
    return lease !== undefined && lease.revokedAtMs === undefined && this.#clock.monotonicMs() < lease.endsAtMs
  }

  minted(path: string): number {
    return this.leases.filter(lease => lease.path === path).length
  }

  /** Ends a lease behind everybody's back. */
  end(id: string): void {
    for (const lease of this.leases) if (lease.id === id) lease.revokedAtMs = this.#clock.monotonicMs()
  }

  #mint(path: string, { durationMs, renewable = true, maxMs = Number.POSITIVE_INFINITY }: LeaseOptions) {
    const id = `${path}/lease-${this.leases.length + 1}`
    const nowMs = this.#clock.monotonicMs()
    const endsAtMs = nowMs + durationMs
    const mintedAtMs = nowMs
    this.leases.push({ id, path, mintedAtMs, endsAtMs, durationMs, maxEndsAtMs: nowMs + maxMs, revokedAtMs: undefined })
    const value = new Map<string, Value>([['user', id]])
    return { value, lease: { id, durationMs, renewable, endsAtMs: this.#clock.nowMs() + durationMs } }
  }

  #renew(lease: Lease): Lease | undefined {
    if (this.outage.renew !== undefined) throw this.outage.renew
    const known = this.leases.find(({ id }) => id === lease.id)
    if (known === undefined || !this.isAlive(lease.id)) return undefined
    const nowMs = this.#clock.monotonicMs()
    known.endsAtMs = Math.min(nowMs + lease.durationMs, known.maxEndsAtMs)
    const durationMs = known.endsAtMs - nowMs
    return { ...lease, durationMs, endsAtMs: this.#clock.nowMs() + durationMs }
  }

  #revoke(lease: Lease): void {
    if (this.outage.revoke !== undefined) throw this.outage.revoke
    this.end(lease.id)
  }
}

export const AWAY = new ProviderError('unavailable', 'connection refused')
