/** A Vault or OpenBao to test against: a real one where there is one, and a double in this process that answers the same. One suite
 *  runs on both, `test/providers/vault/contract.test.ts`. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { systemClock } from '../../lib/base/clock.ts'
import { HttpClient } from '../../lib/base/http.ts'
import { eventually } from './eventually.ts'
import { freePort } from './serve.ts'
import { certificateFor } from './vault-double-pki.ts'
import { VaultDouble } from './vault-double.ts'

export interface VaultServer {
  /** What it is, for the report. */
  readonly name: string
  readonly url: string
  /** The path of the authority's certificate, of a server with TLS. */
  readonly ca: string | undefined
  readonly rootToken: string
  /** What unseals it. */
  readonly unsealKey: string
  close(): Promise<void>
}

/** A JSON value, as loosely as a test wants it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

/** Where a server's program is: `VAULT_BIN` says so, else the first on the PATH. */
export const vaultProgram: string | undefined = [
  process.env.VAULT_BIN,
  ...(process.env.PATH ?? '')
    .split(delimiter)
    .flatMap(directory => ['bao', 'vault'].map(name => join(directory, name))),
].find(path => path !== undefined && path !== '' && isExecutable(path))

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

let said = false

/** The kinds of servers that there are here. Says once, on one line, how to get a real one where there is none. */
export function vaultServers(): readonly (readonly [name: string, start: (tls?: 'tls') => Promise<VaultServer>])[] {
  const double = ['the double', (tls?: 'tls') => VaultDouble.start(tls)] as const
  if (vaultProgram !== undefined) return [double, [`a real server (${vaultProgram})`, startReal]]
  if (!said) {
    process.stderr.write(
      'vault: only the double is tested; put `bao` or `vault` on the PATH, or name one: VAULT_BIN=/path/of/bao npm test\n',
    )
  }
  said = true
  return [double]
}

/** The server that `VAULT_ADDR` names, for whom asks with `VAULT_CONTRACT=1` and gives root's token in `VAULT_TOKEN`. What a test makes stays
 *  there. */
export function namedVault(): ReturnType<typeof vaultServers> {
  const { VAULT_CONTRACT, VAULT_ADDR: url = '', VAULT_TOKEN: rootToken = '', VAULT_CACERT: ca } = process.env
  if (VAULT_CONTRACT !== '1') return []
  if (url === '' || rootToken === '')
    throw new Error('VAULT_CONTRACT=1 wants VAULT_ADDR, and the token of root in VAULT_TOKEN')
  const server = { name: `the server at ${url}`, url, ca, rootToken, unsealKey: '', close: async () => {} }
  return [[server.name, async () => server]]
}

async function startReal(tls?: 'tls'): Promise<VaultServer> {
  // In a directory that outlives the test which starts it: a suite shares one server.
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-vault-'))
  const port = await freePort()
  const tlsPort = await freePort()
  const args = [
    'server',
    '-dev',
    `-dev-listen-address=127.0.0.1:${port}`,
    '-dev-root-token-id=root',
    '-dev-no-store-token',
    ...(tls === undefined ? [] : [`-config=${tlsListener(directory, tlsPort)}`]),
  ]
  const environment = { HOME: directory, PATH: process.env.PATH ?? '' }
  const child = spawn(vaultProgram ?? '', args, { cwd: directory, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += String(bytes)))
  const url = tls === undefined ? `http://127.0.0.1:${port}` : `https://127.0.0.1:${tlsPort}`
  const close = async () => {
    await end(child)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const unsealKey = await eventually(() => unsealKeyIn(child, output), { withinMs: 30_000 })
    const ca = tls === undefined ? undefined : join(directory, 'ca.pem')
    const server = { name: `a real server (${vaultProgram})`, url, ca, rootToken: 'root', unsealKey, close }
    await eventually(async () => {
      const { status } = await call(server, 'GET', 'sys/health')
      if (status !== 200) throw new Error(`the server is not ready: ${status}`)
    })
    return server
  } catch (error) {
    await close()
    throw error
  }
}

/** Writes the configuration of a second listener, with TLS: the flags for one make a certificate that is not for 127.0.0.1. */
function tlsListener(directory: string, port: number): string {
  const { cert, key } = certificateFor(join(directory, 'ca.pem'))
  const listener = { address: `127.0.0.1:${port}`, tls_cert_file: 'cert.pem', tls_key_file: 'key.pem' }
  writeFileSync(join(directory, listener.tls_cert_file), cert)
  writeFileSync(join(directory, listener.tls_key_file), key, { mode: 0o600 })
  const file = join(directory, 'listener.json')
  writeFileSync(file, JSON.stringify({ listener: { tcp: listener } }))
  return file
}

function unsealKeyIn(child: ChildProcess, output: string): string {
  if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}: ${output}`)
  const key = /Unseal Key: (\S+)/.exec(output)?.[1]
  if (key === undefined) throw new Error('the server has not said how it is unsealed')
  return key
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export interface CallOptions {
  /** @default the root's */
  readonly token?: string
  readonly namespace?: string
  /** How long what is answered is to be wrapped. */
  readonly wrapTtl?: string
}

/** Asks a server something, as an operator would. */
export async function call(
  server: Pick<VaultServer, 'url' | 'ca' | 'rootToken'>,
  method: string,
  path: string,
  body?: Json,
  { token = server.rootToken, namespace, wrapTtl }: CallOptions = {},
): Promise<{ readonly status: number; readonly body: Json }> {
  const client = new HttpClient({
    keepAlive: false,
    ...(server.ca === undefined ? {} : { tls: { ca: readFileSync(server.ca) } }),
  })
  const headers = new Map([
    ['x-vault-token', token],
    ...(namespace === undefined ? [] : [['x-vault-namespace', namespace] as const]),
    ...(wrapTtl === undefined ? [] : [['x-vault-wrap-ttl', wrapTtl] as const]),
  ])
  const url = `${server.url}/v1/${path.split('/').map(encodeURIComponent).join('/').replace('%3F', '?').replace('%3D', '=')}`
  const request = {
    url,
    method,
    headers,
    timeoutMs: 20_000,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }
  const response = await client.request(request, systemClock, new AbortController().signal)
  const text = response.body.toString()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

/** The same, where it must succeed: gives what it answers. */
export async function must(
  server: VaultServer,
  method: string,
  path: string,
  body?: Json,
  options?: CallOptions,
): Promise<Json> {
  const answer = await call(server, method, path, body, options)
  if (answer.status >= 300) {
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  return answer.body
}
