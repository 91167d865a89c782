/** What a lease's id is made of: all that it takes to renew and revoke it, also in another process. */
export interface LeaseId {
  /** A lease of the server's, or the accessor of a token. */
  readonly kind: 'lease' | 'token'
  readonly id: string
  /** @default the provider's own */
  readonly namespace?: string | undefined
  /** The accessor of the token that it hangs on; undefined where it hangs on none that is known. */
  readonly holder?: string | undefined
  /** What the server granted of it at first, whatever its token has. */
  readonly durationMs?: number | undefined
  /** Whether the server does not renew it. */
  readonly isFixed?: boolean | undefined
}

export function leaseId({ kind, id, namespace, holder, durationMs, isFixed }: LeaseId): string {
  return JSON.stringify({ kind, id, namespace, holder, durationMs, isFixed })
}

/** Undefined for a text that is none. */
export function parseLeaseId(text: string): LeaseId | undefined {
  try {
    const { kind, id, ...more } = JSON.parse(text) as LeaseId
    return (kind === 'lease' || kind === 'token') && typeof id === 'string' ? { kind, id, ...more } : undefined
  } catch {
    return undefined
  }
}
