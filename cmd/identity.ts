import { hash } from 'node:crypto'
import { Credential } from '../lib/base/schema.ts'
import { Secret } from '../lib/base/secret.ts'
import type { ProviderConfig } from '../lib/config/config.ts'
import type { ProviderHost } from '../lib/provider.ts'

/** What a configured provider reads from, as a hash: two that are the same read the same backend. Credentials do not count, as they
 *  are rotated. */
export function identityOf(
  { plugin, options }: Pick<ProviderConfig, 'plugin' | 'options'>,
  environment: ProviderHost['environment'],
): string {
  const of = plugin.identity === undefined ? plain(options) : plugin.identity(options, environment)
  return hash('sha256', JSON.stringify([plugin.type, of]))
}

function plain(value: unknown): unknown {
  if (value instanceof Secret || value instanceof Credential) return null
  if (value instanceof URL) return value.href
  if (value instanceof RegExp) return String(value)
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Set) return [...value].map(plain)
  if (value instanceof Map) return sorted(value as ReadonlyMap<unknown, unknown>)
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' && value !== null ? sorted(Object.entries(value)) : value
}

function sorted(entries: Iterable<readonly [unknown, unknown]>): unknown {
  return [...entries]
    .map(([name, value]) => [String(name), plain(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}
