import { proxyOption, tlsOptions } from '../../lib/base/connection-options.ts'
import { Credential, credential, durationMs, v, type Schema } from '../../lib/base/schema.ts'
import { Secret } from '../../lib/base/secret.ts'
import type { TlsFiles } from '../../lib/base/tls-files.ts'

/** The options of an etcd provider, validated. Where something is undefined, the environment of etcdctl decides. */
export interface EtcdOptions {
  /** URLs without a path, in the order in which they are tried. @default ETCDCTL_ENDPOINTS, else http://127.0.0.1:2379 */
  readonly endpoints: readonly string[] | undefined
  /** @default ETCDCTL_USER */
  readonly username: string | undefined
  /** Read anew for each authentication. @default ETCDCTL_PASSWORD, or what follows the colon in ETCDCTL_USER */
  readonly password: Credential | undefined
  /** @default ETCDCTL_CACERT, ETCDCTL_CERT and ETCDCTL_KEY */
  readonly tls: TlsFiles | undefined
  /** @default that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY */
  readonly proxy: string | undefined
  /** Stands before every path. @default '' */
  readonly prefix: string
  /** For one request, and for the answer to a heartbeat. @default 5s */
  readonly timeoutMs: number
  /** How often the stream of changes is asked for a sign of life. @default 10s */
  readonly heartbeatMs: number
  /** How often it is looked whether a change was missed. @default 5m */
  readonly pollMs: number
  /** Whether the values must not be seen in logs, diffs and status. @default true */
  readonly sensitive: boolean
}

const ENDPOINT = 'the URL of an endpoint such as http://127.0.0.1:2379'
const ENDPOINTS = 'the URL of an endpoint such as http://127.0.0.1:2379, or a list of them'
/** No user and no path: what it does not have cannot be taken for something that it means. */
const ENDPOINT_PATTERN = /^https?:\/\/[^/@?#\s]+\/?$/
const ENDPOINTS_MAX = 100
const ENDPOINT_DEFAULT = 'http://127.0.0.1:2379'

// It may hold a password by mistake, so messages do not show it.
const endpoint = v.pipe(
  v.string(ENDPOINT),
  v.check(isEndpoint, ENDPOINT),
  v.transform(text => text.replace(/\/$/, '')),
)

const endpoints = v.pipe(
  v.union(
    [
      v.pipe(
        endpoint,
        v.transform(one => [one]),
      ),
      v.array(endpoint, ENDPOINTS),
    ],
    ENDPOINTS,
  ),
  v.check(list => list.length > 0 && list.length <= ENDPOINTS_MAX, ENDPOINTS),
)

const fields = v.strictObject({
  endpoints: v.optional(endpoints),
  username: v.optional(v.pipe(v.string('a user name'), v.nonEmpty('a user name'))),
  password: v.optional(credential()),
  tls: v.optional(tlsOptions()),
  proxy: v.optional(proxyOption()),
  prefix: v.optional(
    v.pipe(
      v.string('how the keys begin'),
      v.check(text => text.isWellFormed(), 'how the keys begin'),
    ),
    '',
  ),
  timeout: v.optional(durationMs({ least: 100 }), '5s'),
  heartbeat: v.optional(durationMs({ least: 100 }), '10s'),
  poll: v.optional(durationMs({ least: 100 }), '5m'),
  sensitive: v.optional(v.boolean('true or false'), true),
})

export const etcdOptions = v.pipe(
  fields,
  v.forward(
    v.check(({ username, password }) => password === undefined || username !== undefined, 'a username as well'),
    ['password'],
  ),
  v.transform(
    ({ endpoints, username, password, tls, proxy, prefix, timeout, heartbeat, poll, sensitive }): EtcdOptions => ({
      endpoints,
      username,
      password,
      tls,
      proxy,
      prefix,
      timeoutMs: timeout,
      heartbeatMs: heartbeat,
      pollMs: poll,
      sensitive,
    }),
  ),
) satisfies Schema<EtcdOptions>

/** How etcd is reached, when what the options leave open has been taken from the environment. */
export interface Access {
  readonly endpoints: readonly string[]
  readonly user: { readonly name: string; readonly password: Credential } | undefined
  readonly tls: TlsFiles | undefined
}

/** The access that the options and etcdctl's variables come to; or what is wrong, for the operator. */
export function accessOf(options: EtcdOptions, environment: Readonly<Record<string, string>>): Access | string {
  const said = (name: string) => (environment[name] === '' ? undefined : environment[name])
  const tls = options.tls ?? tlsIn(said)
  const endpoints = options.endpoints ?? endpointsIn(said('ETCDCTL_ENDPOINTS'), tls !== undefined)
  if (!endpoints.every(isEndpoint)) return 'ETCDCTL_ENDPOINTS holds something that is no endpoint'
  const [user, password] = userIn(said('ETCDCTL_USER'), said('ETCDCTL_PASSWORD'))
  const name = options.username ?? user
  if (name === undefined) return { endpoints, user: undefined, tls }
  const known = options.password ?? (options.username === undefined ? password : undefined)
  if (known === undefined) return `there is no password for the user ${name}`
  return { endpoints, user: { name, password: known }, tls }
}

/** What is read, for `ProviderPlugin.identity`. */
export function placeOf(
  { endpoints, prefix }: EtcdOptions,
  environment: Readonly<Record<string, string>>,
): readonly unknown[] {
  const text = environment.ETCDCTL_ENDPOINTS
  return [endpoints ?? endpointsIn(text === '' ? undefined : text, false), prefix]
}

function isEndpoint(text: string): boolean {
  return ENDPOINT_PATTERN.test(text) && URL.canParse(text)
}

/** etcdctl takes them without a scheme, too. */
function endpointsIn(text: string | undefined, secure: boolean): readonly string[] {
  if (text === undefined) return [ENDPOINT_DEFAULT]
  const parts = text.split(',').map(part => part.trim().replace(/\/$/, ''))
  return parts.map(part => (part.includes('://') ? part : `${secure ? 'https' : 'http'}://${part}`))
}

type Said = (name: string) => string | undefined

function tlsIn(said: Said): TlsFiles | undefined {
  const [ca, certificate, key] = [said('ETCDCTL_CACERT'), said('ETCDCTL_CERT'), said('ETCDCTL_KEY')]
  return ca === undefined && certificate === undefined && key === undefined ? undefined : { ca, certificate, key }
}

/** `NAME:PASSWORD`, or `NAME` with the password in a variable of its own. */
function userIn(user = '', password?: string): readonly [string | undefined, Credential | undefined] {
  const [, name, own] = /^([^:]+)(?::(.*))?$/s.exec(user) ?? []
  const text = own ?? password
  return [name, text === undefined ? undefined : new Credential({ text: new Secret(text) })]
}
