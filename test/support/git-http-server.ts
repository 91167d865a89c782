import { spawn } from 'node:child_process'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

// Taken this way because importing it loads the whole of undici.
const { createServer } = process.getBuiltinModule('node:http')
const { createServer: createTlsServer } = process.getBuiltinModule('node:https')

/** The key and certificate of a server, in PEM. */
export interface Tls {
  readonly key: string
  readonly cert: string
}

/** The repositories below a directory over HTTP, on a loopback port: `git http-backend` behind Node. */
export class GitHttpServer {
  readonly #server: Server
  readonly #root: string
  /** `user:password` of those who may read; everyone when it is undefined. */
  credentials: string | undefined
  /** Answers every request with this status instead. */
  status: number | undefined
  /** Headers to go with `status`. */
  headers: Readonly<Record<string, string>> = {}
  /** What was asked, `GET /path?query`. */
  readonly requests: string[] = []

  readonly #scheme: 'http' | 'https'

  private constructor(root: string, tls: Tls | undefined) {
    this.#root = root
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response)
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  }

  static async start(root: string, tls?: Tls): Promise<GitHttpServer> {
    const server = new GitHttpServer(root, tls)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`)
    if (this.status !== undefined) return void response.writeHead(this.status, this.headers).end('no\n')
    const token = Buffer.from(this.credentials ?? '').toString('base64')
    if (this.credentials !== undefined && request.headers.authorization !== `Basic ${token}`) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH ?? '',
        GIT_PROJECT_ROOT: this.#root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        REQUEST_METHOD: request.method ?? 'GET',
        PATH_INFO: decodeURIComponent(pathname),
        QUERY_STRING: searchParams.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    backend.stdin.on('error', () => {})
    request.pipe(backend.stdin)
    response.on('close', () => backend.kill())
    relay(backend.stdout, response)
  }
}

/** A CGI answer: headers, an empty line, the body. */
function relay(from: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0)
  from.on('data', (chunk: Buffer) => {
    if (response.headersSent) response.write(chunk)
    else head = begin(Buffer.concat([head, chunk]), response)
  })
  from.on('end', () => response.end())
}

/** Sends the headers and what follows them, when they are complete; gives what must wait. */
function begin(head: Buffer, response: ServerResponse): Buffer<ArrayBuffer> {
  const end = head.indexOf('\r\n\r\n')
  if (end < 0) return Buffer.from(head)
  for (const line of head.toString('latin1', 0, end).split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? []
    if (name === 'Status') response.statusCode = Number(value.slice(0, 3))
    else response.setHeader(name, value)
  }
  response.flushHeaders()
  response.write(head.subarray(end + 4))
  return Buffer.alloc(0)
}
