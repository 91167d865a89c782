import { proxyOption, tlsOptions } from '../../lib/base/connection-options.ts'
import { durationMs, v, type Schema } from '../../lib/base/schema.ts'
import type { TlsFiles } from '../../lib/base/tls-files.ts'
import type { AuthMethod } from './auth/method.ts'
import { authOptions } from './auth/options.ts'
import { parsePath } from './paths.ts'

/** The options of a Vault provider. What is undefined is looked up in the environment, see `settings.ts`. */
export interface VaultOptions {
  /** `https://host:8200`, or `unix:///path/of/socket`. */
  readonly address: string | undefined
  readonly namespace: string | undefined
  readonly auth: AuthMethod | undefined
  readonly tls: TlsFiles | undefined
  readonly proxy: string | undefined
  /** The origins that a standby server may redirect to. @default none */
  readonly activeNodes: readonly string[]
  /** How often a KV v2 secret is asked for its version, a list, and what is not there. @default 10_000 */
  readonly poll: number
  /** How often what has no version is read again. @default 60_000 */
  readonly reread: number
  /** Whether the server's stream of events is used where it has one. @default true */
  readonly events: boolean
  /** For one request. */
  readonly timeout: number | undefined
  /** The version of KV mounts by their path, where the server does not say. */
  readonly mounts: Readonly<Record<string, 1 | 2>>
}

const ADDRESS = 'an address such as https://vault.example.org:8200, or unix:///path/of/socket'
const ORIGIN = 'an address such as https://vault-1.example.org:8200'
const NAMESPACE = 'the name of a namespace, such as team-a'
const MOUNT = 'the path of a mount, such as kv or team/kv'

export function isAddress(text: string): boolean {
  return /^unix:\/\/\/./.test(text) ? !text.includes('\0') : isServer(text)
}

/** A path before `/v1` is where some proxies have Vault. */
function isServer(text: string): boolean {
  return /^https?:\/\/[^/@?#\s]+(\/[^?#\s]*)?$/.test(text) && URL.canParse(text)
}

const namespace = v.pipe(
  v.string(NAMESPACE),
  v.check(text => parsePath(text.replace(/\/$/, '')) !== undefined, NAMESPACE),
)

export const vaultOptions = v.strictObject({
  address: v.optional(v.pipe(v.string(ADDRESS), v.check(isAddress, ADDRESS))),
  namespace: v.optional(namespace),
  auth: v.optional(authOptions),
  tls: v.optional(tlsOptions()),
  proxy: v.optional(proxyOption()),
  activeNodes: v.optional(
    v.array(
      v.pipe(
        v.string(ORIGIN),
        v.check(text => isServer(text) && new URL(text).pathname === '/', ORIGIN),
        v.transform(text => new URL(text).origin),
      ),
      'a list of addresses',
    ),
    () => [],
  ),
  poll: v.optional(durationMs({ least: 100 }), '10s'),
  reread: v.optional(durationMs({ least: 100 }), '60s'),
  events: v.optional(v.boolean('true or false'), true),
  timeout: v.optional(durationMs({ least: 100 })),
  mounts: v.optional(
    v.record(
      v.pipe(
        v.string(MOUNT),
        v.check(text => parsePath(text.replace(/\/$/, '')) !== undefined, MOUNT),
      ),
      v.picklist([1, 2], '1 or 2, the version of the KV engine'),
    ),
    () => ({}),
  ),
}) as unknown as Schema<VaultOptions>
