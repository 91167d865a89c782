import { proxyOption, tlsOptions } from '../../lib/base/connection-options.ts'
import { credential, durationMs, v, type Credential, type Schema } from '../../lib/base/schema.ts'
import type { TlsFiles } from '../../lib/base/tls-files.ts'

/** The options of a Consul provider, validated. What is undefined is looked up in the environment, see `settings.ts`. */
export interface ConsulOptions {
  /** `http://host:8500`, or `unix:///path/of/socket`. @default CONSUL_HTTP_ADDR, else http://127.0.0.1:8500 */
  readonly address?: string | undefined
  /** Read anew for each request. @default CONSUL_HTTP_TOKEN, or the file that CONSUL_HTTP_TOKEN_FILE names */
  readonly token?: Credential | undefined
  /** For a proxy before Consul that asks for them. @default CONSUL_HTTP_AUTH */
  readonly username?: string | undefined
  readonly password?: Credential | undefined
  /** @default that of the agent */
  readonly datacenter?: string | undefined
  /** @default CONSUL_NAMESPACE */
  readonly namespace?: string | undefined
  /** @default CONSUL_PARTITION */
  readonly partition?: string | undefined
  /** @default CONSUL_CACERT, CONSUL_CAPATH, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME */
  readonly tls?: TlsFiles | undefined
  /** @default that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY */
  readonly proxy?: string | undefined
  /** Each of these is read as one, with all keys below it that are asked for. @default none */
  readonly prefixes: readonly string[]
  /** How long a query may wait for a change. @default 30s */
  readonly waitMs: number
  /** How far behind its leader a server may be; 0 asks the leader alone. @default 2s */
  readonly maxStaleMs: number
  /** Whether the leader makes sure that it is still the leader. @default false */
  readonly consistent: boolean
  /** How often what cannot be waited for is read again: datacenters and partitions. @default 15s */
  readonly pollMs: number
  /** For one request, beside what it waits for a change. @default 5s */
  readonly timeoutMs: number
  /** Whether the values must not be seen in logs, diffs and status. @default true */
  readonly sensitive: boolean
}

const ADDRESS = 'an address such as http://127.0.0.1:8500, or unix:///path/of/socket'
const NAME = 'a name of letters, digits, - and _'
const PREFIX = 'how keys begin, such as apps/web/'
const PREFIXES_MAX = 100
/** What Consul takes at most. */
const WAIT_MS_MAX = 600_000

/** No user in it, since messages show it. A path before `/v1` is where some proxies have Consul. */
export function isAddress(text: string): boolean {
  if (/^unix:\/\/\/./.test(text)) return !text.includes('\0')
  return /^https?:\/\/[^/@?#\s]+(\/[^?#\s]*)?$/.test(text) && URL.canParse(text)
}

const name = v.pipe(v.string(NAME), v.regex(/^[\w.-]+$/, NAME))

const fields = v.strictObject({
  address: v.optional(v.pipe(v.string(ADDRESS), v.check(isAddress, ADDRESS))),
  token: v.optional(credential()),
  username: v.optional(v.pipe(v.string('a user name'), v.regex(/^[^:]+$/, 'a user name, without a colon'))),
  password: v.optional(credential()),
  datacenter: v.optional(name),
  namespace: v.optional(name),
  partition: v.optional(name),
  tls: v.optional(tlsOptions()),
  proxy: v.optional(proxyOption()),
  prefixes: v.optional(
    v.pipe(
      v.array(
        v.pipe(
          v.string(PREFIX),
          v.check(text => /^[^/]/.test(text) && text.isWellFormed(), PREFIX),
        ),
        'a list of how keys begin',
      ),
      v.maxLength(PREFIXES_MAX, `at most ${PREFIXES_MAX} of them`),
    ),
    () => [],
  ),
  wait: v.optional(
    v.pipe(
      durationMs({ least: 100 }),
      v.check(ms => ms <= WAIT_MS_MAX, 'a duration such as 30s, at most 10m'),
    ),
    '30s',
  ),
  maxStale: v.optional(durationMs(), '2s'),
  consistent: v.optional(v.boolean('true or false'), false),
  poll: v.optional(durationMs({ least: 100 }), '15s'),
  timeout: v.optional(durationMs({ least: 100 }), '5s'),
  sensitive: v.optional(v.boolean('true or false'), true),
})

export const consulOptions = v.pipe(
  fields,
  v.forward(
    v.check(
      ({ username, password }) => (username === undefined) === (password === undefined),
      'both username and password, or neither',
    ),
    ['password'],
  ),
  v.transform(({ wait, maxStale, poll, timeout, ...same }): ConsulOptions => ({
    ...same,
    waitMs: wait,
    maxStaleMs: maxStale,
    pollMs: poll,
    timeoutMs: timeout,
  })),
) as unknown as Schema<ConsulOptions>
