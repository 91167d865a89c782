/** The options with the environment below them, read as the `consul` command and consul-template read it. */
import { proxyEnvironmentOf } from '../../lib/base/connection-options.ts'
import type { ConnectionOptions } from '../../lib/base/connection.ts'
import { Credential } from '../../lib/base/schema.ts'
import { Secret } from '../../lib/base/secret.ts'
import type { TlsFiles } from '../../lib/base/tls-files.ts'
import { ProviderError } from '../../lib/errors.ts'
import { isAddress, type ConsulOptions } from './options.ts'

export type Environment = Readonly<Record<string, string>>

/** What the provider works with. */
export interface Settings {
  /** Without a slash at its end; of a Unix socket, a stand-in. */
  readonly endpoint: string
  /** The address for people. */
  readonly shown: string
  readonly connection: Omit<ConnectionOptions, 'connectionsMax'>
  readonly token: Credential | undefined
  readonly user: { readonly name: string; readonly password: Credential } | undefined
  /** What each request asks for where its dependency does not say otherwise. */
  readonly place: { readonly dc?: string; readonly ns?: string; readonly partition?: string }
}

const ADDRESS_DEFAULT = '127.0.0.1:8500'
/** What a request to a Unix socket says in its `Host`. */
const SOCKET_ENDPOINT = 'http://localhost'

/** Throws a `bad-config` ProviderError that names the variable that cannot be used. */
export function settingsOf(options: ConsulOptions, environment: Environment): Settings {
  const address = options.address ?? addressIn(environment)
  const socketPath = address.startsWith('unix://') ? address.slice('unix://'.length) : undefined
  const endpoint = socketPath === undefined ? address.replace(/\/+$/, '') : SOCKET_ENDPOINT
  const namespace = options.namespace ?? said(environment, 'CONSUL_NAMESPACE')
  const partition = options.partition ?? said(environment, 'CONSUL_PARTITION')
  return {
    endpoint,
    shown: address,
    connection: {
      socketPath,
      tls: tlsOf(options.tls ?? {}, environment),
      proxyEnvironment: socketPath === undefined ? proxyEnvironmentOf(options.proxy, environment) : undefined,
    },
    token: options.token ?? tokenIn(environment),
    user: userOf(options, environment),
    place: {
      ...(options.datacenter === undefined ? {} : { dc: options.datacenter }),
      ...(namespace === undefined ? {} : { ns: namespace }),
      ...(partition === undefined ? {} : { partition }),
    },
  }
}

/** What is read, for `ProviderPlugin.identity`: an address that cannot be used is as good as any. */
export function placeOf(
  { address, datacenter, namespace, partition }: ConsulOptions,
  environment: Environment,
): readonly unknown[] {
  return [
    address ?? said(environment, 'CONSUL_HTTP_ADDR'),
    datacenter,
    namespace ?? said(environment, 'CONSUL_NAMESPACE'),
    partition ?? said(environment, 'CONSUL_PARTITION'),
  ]
}

/** An empty variable counts as not set. */
function said(environment: Environment, name: string): string | undefined {
  return environment[name] === '' ? undefined : environment[name]
}

/** Both commands take it without a scheme, too; and whoever asks for TLS has it, whatever scheme there is. */
function addressIn(environment: Environment): string {
  const text = said(environment, 'CONSUL_HTTP_ADDR') ?? ADDRESS_DEFAULT
  const isSecure = flagIn(environment, 'CONSUL_HTTP_SSL') === true
  const whole = text.includes('://') ? text : `http://${text}`
  const address = isSecure ? whole.replace(/^http:/, 'https:') : whole
  if (isAddress(address)) return address
  throw unusable('CONSUL_HTTP_ADDR', 'an address such as http://127.0.0.1:8500, or unix:///path/of/socket')
}

/** consul-template's own names go first, as it has it; the token itself goes before the file of one. */
function tokenIn(environment: Environment): Credential | undefined {
  const text = said(environment, 'CONSUL_TOKEN') ?? said(environment, 'CONSUL_HTTP_TOKEN')
  if (text !== undefined) return new Credential({ text: new Secret(text) })
  const path = said(environment, 'CONSUL_TOKEN_FILE') ?? said(environment, 'CONSUL_HTTP_TOKEN_FILE')
  return path === undefined ? undefined : new Credential({ path })
}

/** `CONSUL_HTTP_AUTH` is `NAME:PASSWORD`, or a name alone. */
function userOf({ username, password }: ConsulOptions, environment: Environment): Settings['user'] {
  if (username !== undefined && password !== undefined) return { name: username, password }
  const [, name, text = ''] = /^([^:]+)(?::(.*))?$/s.exec(said(environment, 'CONSUL_HTTP_AUTH') ?? '') ?? []
  return name === undefined ? undefined : { name, password: new Credential({ text: new Secret(text) }) }
}

function tlsOf(files: TlsFiles, environment: Environment): TlsFiles {
  const hasAuthority = files.ca !== undefined || files.caDirectory !== undefined
  // Certificate and key are a pair: one from the file and the other from the environment would not fit.
  const pair =
    files.certificate === undefined
      ? [said(environment, 'CONSUL_CLIENT_CERT'), said(environment, 'CONSUL_CLIENT_KEY')]
      : [files.certificate, files.key]
  return {
    ca: hasAuthority ? files.ca : said(environment, 'CONSUL_CACERT'),
    caDirectory: hasAuthority ? files.caDirectory : said(environment, 'CONSUL_CAPATH'),
    certificate: pair[0],
    key: pair[1],
    serverName: files.serverName ?? said(environment, 'CONSUL_TLS_SERVER_NAME'),
    skipVerify: files.skipVerify ?? flagIn(environment, 'CONSUL_HTTP_SSL_VERIFY') === false,
  }
}

/** As Go parses it: `CONSUL_HTTP_SSL=0` is false. */
function flagIn(environment: Environment, name: string): boolean | undefined {
  const text = said(environment, name)
  if (text === undefined) return undefined
  if (/^(0|f|false)$/i.test(text)) return false
  if (/^(1|t|true)$/i.test(text)) return true
  throw unusable(name, 'true or false')
}

function unusable(name: string, wanted: string): ProviderError {
  return new ProviderError('bad-config', `the environment's ${name} cannot be used`, { hint: `want ${wanted}` })
}
