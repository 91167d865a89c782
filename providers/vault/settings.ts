/** The options with the environment below them, read as the `vault` and `bao` commands read it. */
import { join } from 'node:path'
import { proxyEnvironmentOf } from '../../lib/base/connection-options.ts'
import type { ConnectionOptions } from '../../lib/base/connection.ts'
import { parseDurationMs } from '../../lib/base/duration.ts'
import { Secret } from '../../lib/base/secret.ts'
import type { TlsFiles } from '../../lib/base/tls-files.ts'
import { ProviderError } from '../../lib/errors.ts'
import type { LoginSettings } from './auth/method.ts'
import { addressVariable, variable, type Environment, type Variable } from './environment.ts'
import { isAddress, type VaultOptions } from './options.ts'

/** What the provider works with. */
export interface Settings extends LoginSettings {
  /** Without a slash at its end; of a Unix socket, a stand-in. */
  readonly endpoint: string
  readonly connection: ConnectionOptions
  readonly redirectsTo: ReadonlySet<string>
}

const ADDRESS_DEFAULT = 'https://127.0.0.1:8200'
/** What a request to a Unix socket says in its `Host`. */
const SOCKET_ENDPOINT = 'http://localhost'
const TIMEOUT_MS = 30_000
/** Of one provider to its server: enough to read hundreds of secrets at once, few enough for a fleet. */
const CONNECTIONS_MAX = 16

/** Throws a `bad-config` ProviderError that names the variable that cannot be used. */
export function settingsOf(options: VaultOptions, environment: Environment): Settings {
  const read = (name: string) => variable(environment, name)
  const address = options.address ?? addressIn(environment)
  const socketPath = address.startsWith('unix://') ? address.slice('unix://'.length) : undefined
  const endpoint = socketPath === undefined ? address.replace(/\/+$/, '') : SOCKET_ENDPOINT
  return {
    endpoint,
    shown: address,
    connection: {
      socketPath,
      tls: tlsOf(options.tls ?? {}, environment),
      proxyEnvironment: socketPath === undefined ? proxiesOf(options, environment, endpoint) : undefined,
      connectionsMax: CONNECTIONS_MAX,
    },
    namespace: (options.namespace ?? read('NAMESPACE')?.text ?? '').replaceAll(/^\/+|\/+$/g, ''),
    timeoutMs: options.timeout ?? timeoutIn(environment),
    redirectsTo: new Set([new URL(endpoint).origin, ...options.activeNodes]),
    environmentToken: secretOf(read('TOKEN')),
    tokenFile: read('TOKEN_PATH')?.text ?? (environment.HOME ? join(environment.HOME, '.vault-token') : undefined),
  }
}

function secretOf(found: Variable | undefined): Secret | undefined {
  return found === undefined ? undefined : new Secret(found.text)
}

function addressIn(environment: Environment): string {
  const found = addressVariable(environment)
  if (found === undefined) return ADDRESS_DEFAULT
  if (isAddress(found.text)) return found.text
  throw unusable(found.name, 'an address such as https://vault.example.org:8200')
}

function tlsOf(files: TlsFiles, environment: Environment): TlsFiles {
  const read = (name: string) => variable(environment, name)?.text
  const hasAuthority = files.ca !== undefined || files.caDirectory !== undefined
  // Certificate and key are a pair: one from the file and the other from the environment would not fit.
  const pair =
    files.certificate === undefined ? [read('CLIENT_CERT'), read('CLIENT_KEY')] : [files.certificate, files.key]
  return {
    ca: hasAuthority ? files.ca : read('CACERT'),
    caDirectory: hasAuthority ? files.caDirectory : read('CAPATH'),
    caText: hasAuthority ? undefined : read('CACERT_BYTES'),
    certificate: pair[0],
    key: pair[1],
    serverName: files.serverName ?? read('TLS_SERVER_NAME'),
    skipVerify: files.skipVerify ?? flagIn(environment, 'SKIP_VERIFY'),
  }
}

/** As Go parses it: `VAULT_SKIP_VERIFY=false` is false. */
function flagIn(environment: Environment, name: string): boolean {
  const found = variable(environment, name)
  if (found === undefined || /^(0|f|false)$/i.test(found.text)) return false
  if (/^(1|t|true)$/i.test(found.text)) return true
  throw unusable(found.name, 'true or false')
}

/** Seconds, or a duration. */
function timeoutIn(environment: Environment): number {
  const found = variable(environment, 'CLIENT_TIMEOUT')
  if (found === undefined) return TIMEOUT_MS
  const ms = /^\d+$/.test(found.text) ? Number(found.text) * 1000 : parseDurationMs(found.text)
  if (ms !== undefined && ms > 0 && Number.isSafeInteger(ms)) return ms
  throw unusable(found.name, 'a duration such as 30s, or whole seconds')
}

function proxiesOf({ proxy }: VaultOptions, environment: Environment, endpoint: string) {
  const found = proxy ?? (variable(environment, 'PROXY_ADDR') ?? variable(environment, 'HTTP_PROXY'))?.text
  const { hostname } = new URL(endpoint)
  // As Go's clients, and so both commands, have it.
  const isLocal = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  return found === undefined && isLocal ? undefined : proxyEnvironmentOf(found, environment)
}

function unusable(name: string, wanted: string): ProviderError {
  return new ProviderError('bad-config', `the environment's ${name} cannot be used`, { hint: `want ${wanted}` })
}
