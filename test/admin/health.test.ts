import { describe, expect, test } from 'vitest'
import { liveness, readiness, startup } from '../../lib/admin/health.ts'
import { bundleStatus, providerStatus, statusOf } from './statuses.ts'

describe('liveness', () => {
  test('is well while the loop came round within the last 30 seconds', () => {
    const status = { ...statusOf(), loopedAtMs: 1_000 }

    expect(liveness(status, 1_000).well).toBe(true)
    expect(liveness(status, 31_000).well).toBe(true)
    expect(liveness(status, 31_001)).toEqual({ well: false, lines: [expect.stringContaining('30s')] })
  })

  test('does not depend on bundles or providers', () => {
    const status = statusOf({
      bundles: [bundleStatus({ ready: false, generation: undefined })],
      providers: [providerStatus({ error: 'ECONNREFUSED' })],
    })

    expect(liveness(status, 0).well).toBe(true)
  })
})

describe('readiness', () => {
  test('is well when every bundle is ready, and shows a line for each bundle and provider', () => {
    const { well, lines } = readiness(
      statusOf({
        bundles: [bundleStatus({ name: 'web', summary: 'generation 3, confirmed' })],
        providers: [providerStatus({ name: 'local', type: 'file', watches: 1 })],
      }),
    )

    expect(well).toBe(true)
    expect(lines).toEqual(['ready', 'bundle web: ready: generation 3, confirmed', 'provider local (file): ok: 1 watch'])
  })

  test('is not well when one bundle is not ready, and says which and why', () => {
    const { well, lines } = readiness(
      statusOf({
        bundles: [
          bundleStatus({ name: 'web' }),
          bundleStatus({ name: 'tls', ready: false, summary: 'nothing published yet: starting' }),
        ],
      }),
    )

    expect(well).toBe(false)
    expect(lines).toContain('bundle tls: not ready: nothing published yet: starting')
  })

  test('stays well when a provider fails, and warns with the age of what it left behind', () => {
    const failing = providerStatus({ name: 'vault', type: 'vault', error: 'ECONNREFUSED', staleMs: 200_000 })
    const { well, lines } = readiness(statusOf({ providers: [failing] }))

    expect(well).toBe(true)
    expect(lines.at(-1)).toBe('provider vault (vault): warning: ECONNREFUSED; its readings are up to 3m20s old')
  })
})

describe('startup', () => {
  test('is well once every bundle has a visible generation, ready or not', () => {
    const status = statusOf({ bundles: [bundleStatus({ generation: 1, ready: false })] })

    expect(startup(status)).toEqual({ well: true, lines: ['started'] })
  })

  test('is not well before, and says what is waited for and which provider fails', () => {
    const { well, lines } = startup(
      statusOf({
        bundles: [
          bundleStatus(),
          bundleStatus({ name: 'tls', generation: undefined, ready: false, summary: 'waiting' }),
        ],
        providers: [providerStatus(), providerStatus({ name: 'vault', type: 'vault', error: 'sealed' })],
      }),
    )

    expect(well).toBe(false)
    expect(lines).toEqual(['not started', 'bundle tls: not ready: waiting', 'provider vault (vault): warning: sealed'])
  })
})

test('readiness says what is held back, and stays well', () => {
  const heldBack = [
    { dependency: 'etcd://app/', had: 12, has: 0, leftMs: 18_000 },
    { dependency: 'etcd://web/', had: 10, has: 3, leftMs: 200 },
  ]
  const provider = providerStatus({ name: 'etcd', type: 'etcd', heldBack })
  const { well, lines } = readiness(statusOf({ providers: [provider] }))

  expect(well).toBe(true)
  expect(lines.at(-1)).toBe(
    'provider etcd (etcd): warning: etcd://app/ went from 12 to 0 and is served as before, for 18s; etcd://web/ went from 10 to 3 and is served as before, for 200ms',
  )
  const isOver = { ...provider, heldBack: [{ dependency: 'etcd://app/', had: 12, has: 0, leftMs: 0.2 }] }
  expect(readiness(statusOf({ providers: [isOver] })).lines.at(-1)).toMatch(
    /12 to 0 and is served as before until it has been read anew$/,
  )
  const failing = { ...provider, error: 'ECONNREFUSED', staleMs: 1_000 }
  expect(readiness(statusOf({ providers: [failing] })).lines.at(-1)).toMatch(
    /for 200ms; ECONNREFUSED; its readings are up to 1s old$/,
  )
})

test('readiness says when readings from before a start are served, and how old they are', () => {
  const provider = providerStatus({ name: 'vault', type: 'vault', error: 'ECONNREFUSED', lastKnownGoodMs: 7_200_000 })
  const { well, lines } = readiness(statusOf({ providers: [provider] }))

  expect(well).toBe(true)
  expect(lines.at(-1)).toBe(
    'provider vault (vault): warning: ECONNREFUSED; serving last-known-good readings from before the start, up to 2h0m old',
  )
})
