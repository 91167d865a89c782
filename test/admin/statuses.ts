import type { BundleStatus, ProviderStatus, Status } from '../../lib/status.ts'

/** A status in which all is well, but for what is given. */
export function statusOf(given: Partial<Status> = {}): Status {
  return { bundles: [bundleStatus()], providers: [providerStatus()], loopedAtMs: 0, ...given }
}

export function bundleStatus(given: Partial<BundleStatus> = {}): BundleStatus {
  return {
    name: 'web',
    generation: 1,
    confirmed: true,
    lastOutcome: undefined,
    owed: [],
    ready: true,
    summary: 'generation 1, confirmed',
    ...given,
  }
}

export function providerStatus(given: Partial<ProviderStatus> = {}): ProviderStatus {
  return { name: 'local', type: 'file', watches: 2, error: undefined, staleMs: undefined, ...given }
}
