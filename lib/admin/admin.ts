import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { excerpt } from '../base/excerpt.ts'
import type { Log } from '../base/log.ts'
import { messageOf, OperationalError, systemCode } from '../errors.ts'
import type { Status } from '../status.ts'
import { liveness, readiness, startup, type Health } from './health.ts'

export interface AdminOptions {
  /** An address or a name; only what is reachable from it can ask. @default loopback, by the configuration */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly status: () => Status
  /** Masks in a line what must not be seen. @default nothing */
  readonly redact?: (line: string) => string
  readonly clock: Clock
  readonly log: Log
}

export interface Admin {
  /** The one that is listened on. */
  readonly port: number
  /** Stops listening and closes every connection. */
  close(): Promise<void>
}

// A probe is one small request. Everything here is far above that, and far below what would hurt.
const HEADER_BYTES_MAX = 8 * 1024
const HEADERS_MAX = 64
/** From the first to the last byte of a request; also how long a silent connection is kept. */
const REQUEST_MS_MAX = 3_000
/** How often connections are looked at for that. */
const CHECK_EVERY_MS = 1_000
const CONNECTIONS_MAX = 32
/** A line says why; it is no place for a whole report. */
const LINE_CHARACTERS_MAX = 2_000

const QUESTIONS: ReadonlyMap<string, (status: Status, nowMs: number) => Health> = new Map([
  ['/livez', liveness],
  ['/readyz', readiness],
  ['/startupz', startup],
])

/** Starts the health listener, which answers `GET` and `HEAD` of `/livez`, `/readyz` and `/startupz` with 200 or 503 and a
 *  plain text that says why. It can be asked only, it changes nothing, and it shows no value of a dependency.
 *
 *  Rejects with an `OperationalError` when it cannot listen there: `unavailable` (the port is taken) or `bad-config`. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  // `import … from 'node:http'` would load undici as well.
  const { createServer } = process.getBuiltinModule('node:http')
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    (request, response) => respond(request, response, options),
  )
  server.maxHeadersCount = HEADERS_MAX
  server.timeout = REQUEST_MS_MAX
  const connections = boundConnections(server)
  const port = await listen(server, options)
  server.on('error', error => options.log.warn('health listener failed', { error: messageOf(error) }))
  options.log.info('health listener started', { address: addressOf(options.host, port) })
  return {
    port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const connection of connections) connection.destroy()
      }),
  }
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { status, redact, clock, log }: AdminOptions,
): void {
  const question = QUESTIONS.get(request.url?.split('?', 1)[0] ?? '')
  if (question === undefined) {
    return send(response, 404, ['not found', ...[...QUESTIONS.keys()].map(path => `see ${path}`)])
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return send(response, 405, ['method not allowed'])
  }
  try {
    const { well, lines } = question(status(), clock.monotonicMs())
    // A reader goes by lines. A cut could leave half of a secret, so that it is masked before.
    const shown = lines.map(line => excerpt(redact === undefined ? line : redact(line), LINE_CHARACTERS_MAX))
    send(response, well ? 200 : 503, shown)
  } catch (error) {
    log.error('health cannot be told', { error: messageOf(error) })
    send(response, 500, ['the health cannot be told; the log says why'])
  }
}

/** Answers, and closes: probes do not keep connections, and one that is not kept cannot be held against us. */
function send(response: ServerResponse, code: number, lines: readonly string[]): void {
  const body = Buffer.from(`${lines.join('\n')}\n`, 'utf8')
  response.writeHead(code, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  })
  // Node leaves the body out of an answer to HEAD.
  response.end(body)
}

/** Keeps the number of connections in bounds by closing the oldest. The newest may be the probe that our life depends on,
 *  so refusing it, as `maxConnections` does, would let anybody who holds connections open have us restarted. */
function boundConnections(server: Server): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  server.on('connection', connection => {
    connections.add(connection)
    connection.once('close', () => connections.delete(connection))
    const [oldest] = connections
    if (connections.size > CONNECTIONS_MAX) oldest?.destroy()
  })
  return connections
}

async function listen(server: Server, { host, port }: AdminOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  }).catch((cause: unknown) => {
    throw listenError(addressOf(host, port), cause)
  })
  return (server.address() as AddressInfo).port
}

function listenError(address: string, cause: unknown): OperationalError {
  const code = systemCode(cause) ?? messageOf(cause)
  const hint = HINTS[code] ?? 'check admin.listen in the configuration'
  const kind = code === 'EADDRINUSE' ? 'unavailable' : 'bad-config'
  return new OperationalError(kind, `cannot listen on ${address}: ${code}`, { hint, cause })
}

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there, maybe another Outrigger; give admin.listen a free port',
  EACCES: 'ports below 1024 need a privilege; give admin.listen a higher one',
  EADDRNOTAVAIL:
    'no interface of this machine has that address; admin.listen takes 127.0.0.1, or 0.0.0.0 for all of them',
}

function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
