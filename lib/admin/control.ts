import { chmod, mkdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { listed } from '../base/listed.ts'
import type { Log } from '../base/log.ts'
import { nearest } from '../base/nearest.ts'
import { v } from '../base/schema.ts'
import { messageOf, OperationalError, systemCode } from '../errors.ts'
import { REFRESH_MS_MAX, type Refreshed } from '../refreshed.ts'
import { CONTROL_SOCKET, withSocketIn } from './control-path.ts'

export interface ControlOptions {
  /** The state directory, whose lock is ours. */
  readonly directory: string
  /** The names of all bundles. */
  readonly bundles: readonly string[]
  /** Asks at once for everything that these bundles want, and tells what came of it within the time. Rejects with the signal's reason. */
  readonly refresh: (
    bundles: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<readonly Refreshed[]>
  /** Masks in a text what must not be seen. */
  readonly redact: (text: string) => string
  readonly clock: Clock
  readonly log: Log
  /** Aborts when this process or its configuration comes to its end: what is under way is answered with that. */
  readonly signal: AbortSignal
}

export interface Control {
  /** Stops listening, lets what is under way be answered, and removes the socket. May be called again. */
  close(): Promise<void>
}

/** What went wrong, as the body of an answer that is no success. */
export interface ControlError {
  readonly error: string
  readonly hint?: string | undefined
}

// A question is one small request. Everything here is far above that, and far below what would hurt.
const HEADER_BYTES_MAX = 8 * 1024
const HEADERS_MAX = 64
const BODY_BYTES_MAX = 64 * 1024
/** From the connection to the last byte of the request. */
const REQUEST_MS_MAX = 3_000
const CONNECTIONS_MAX = 32
const REFRESHES_MAX = 16
/** How long an answer may take to be taken, and how long at the end. */
const ANSWER_MS_MAX = 5_000
const LAST_WORDS_MS = 1_000

/** The directory in which the socket is made, and the name that it has there: one that no configuration can have. */
const UNSEEN = 'control.new'
const UNSEEN_NAME = '..control'

/** Starts the control socket in the state directory, which answers `POST /refresh`. Who may open it may ask, so it is the owner's alone
 *  (0600): from its first moment, since it is made in a directory that nobody else can enter, and only then given its name, in the
 *  place of one that a killed process has left.
 *
 *  Where there can be none (a file system without sockets, something in the way), the log says so: all else works without. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { directory, clock, log } = options
  const path = join(directory, CONTROL_SOCKET)
  const answering = new Set<Promise<void>>()
  /** Each, and what to call when it has asked in time. */
  const connections = new Map<Socket, () => void>()
  let http: HttpServer | undefined
  const server = createServer(connection => {
    const inTime = clock.after(REQUEST_MS_MAX, () => connection.destroy())
    connections.set(connection, inTime)
    connection.once('close', () => {
      inTime()
      connections.delete(connection)
    })
    http ??= httpServer((request, response) => {
      const onAsked = () => connections.get(request.socket)?.()
      const answered = respond(request, response, options, { underWay: answering.size, onAsked })
      const over = answered.finally(() => answering.delete(over))
      answering.add(over)
    })
    http.emit('connection', connection)
  })
  server.maxConnections = CONNECTIONS_MAX
  try {
    await listen(server, directory)
  } catch (error) {
    await closed(server)
    log.warn('no control socket, so nobody can ask for a refresh', {
      path,
      error: systemCode(error) ?? messageOf(error),
      hint: 'the state directory must be on a file system that holds sockets, with nothing else of that name in it',
    })
    return { close: async () => {} }
  }
  server.on('error', error => log.warn('control socket failed', { path, error: messageOf(error) }))
  log.debug('refresh can be asked for', { path })
  let closing: Promise<void> | undefined
  const lastWords = () => new Promise<void>(resolve => void clock.after(LAST_WORDS_MS, resolve))
  const close = async () => {
    await unlink(path).catch(() => {})
    const over = closed(server)
    await Promise.race([Promise.all(answering), lastWords()])
    for (const connection of connections.keys()) connection.destroy()
    await over
  }
  return { close: () => (closing ??= close()) }
}

/** Speaks HTTP on connections that it is given. It is made for the first of them: what HTTP takes of the memory, most processes never need
 *  otherwise. */
function httpServer(onRequest: (request: IncomingMessage, response: ServerResponse) => void): HttpServer {
  // `import … from 'node:http'` would load undici as well.
  const http = process.getBuiltinModule('node:http').createServer({ maxHeaderSize: HEADER_BYTES_MAX }, onRequest)
  http.maxHeadersCount = HEADERS_MAX
  return http
}

async function listen(server: Server, directory: string): Promise<void> {
  const unseen = join(directory, UNSEEN)
  // The lock of the state directory is ours, so what lies here is nobody's.
  await rm(unseen, { recursive: true, force: true })
  await mkdir(unseen, { mode: 0o700 })
  try {
    await withSocketIn(unseen, UNSEEN_NAME, async path => {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => {
          server.off('error', reject)
          resolve()
        })
      })
    })
    await chmod(join(unseen, UNSEEN_NAME), 0o600)
    await rename(join(unseen, UNSEEN_NAME), join(directory, CONTROL_SOCKET))
    await rmdir(unseen)
  } catch (error) {
    await rm(unseen, { recursive: true, force: true }).catch(() => {})
    throw error
  }
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
  })
}

/** Answers one request; resolves when the answer has been sent, or nobody is there any more. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ControlOptions,
  { underWay, onAsked }: { readonly underWay: number; readonly onAsked: () => void },
): Promise<void> {
  const gone = new AbortController()
  const ended = new Promise<void>(resolve => {
    response.once('close', () => {
      gone.abort(new Error('whoever asked is gone'))
      resolve()
    })
  })
  const signal = AbortSignal.any([gone.signal, options.signal])
  try {
    if (underWay >= REFRESHES_MAX) {
      throw new Refusal(503, `${underWay} refreshes are under way`, 'ask again when one of them is over')
    }
    const { bundles, timeoutMs } = await readQuestion(request, options)
    // From here on it is we who take long.
    onAsked()
    options.log.info('refresh asked for', { bundles: listed(bundles) })
    const refreshed = await options.refresh(bundles, timeoutMs, signal)
    send(response, 200, refreshed, options)
  } catch (error) {
    if (!gone.signal.aborted) sendError(response, error, options)
  }
  // Who asks and does not take the answer must not keep a place for ever.
  const inTime = options.clock.after(ANSWER_MS_MAX, () => request.socket.destroy())
  await ended
  inTime()
}

interface Question {
  readonly bundles: readonly string[]
  readonly timeoutMs: number
}

/** What `POST /refresh` takes. Without names it is all bundles. */
const QUESTION = v.strictObject({
  bundles: v.array(v.string()),
  timeoutMs: v.pipe(v.number(), v.minValue(1), v.maxValue(REFRESH_MS_MAX)),
})

async function readQuestion(request: IncomingMessage, options: ControlOptions): Promise<Question> {
  if (request.url !== '/refresh') throw new Refusal(404, 'not found', 'see /refresh')
  if (request.method !== 'POST') throw new Refusal(405, 'method not allowed', 'use POST')
  const question = v.safeParse(QUESTION, jsonIn(await bodyOf(request)))
  if (!question.success) {
    const hint = `send {"bundles": [NAME…], "timeoutMs": 1 to ${REFRESH_MS_MAX}}, as the same version of outrigger does`
    throw new Refusal(400, 'the question is not understood', hint)
  }
  const { bundles: known } = options
  const names = [...new Set(question.output.bundles)]
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) throw unknownBundle(unknown, known)
  return { bundles: names.length === 0 ? known : names, timeoutMs: question.output.timeoutMs }
}

function unknownBundle(name: string, known: readonly string[]): Refusal {
  const near = nearest(name, known)
  const hint = near === undefined ? `the configuration at work has ${listed(known)}` : `did you mean "${near}"?`
  return new Refusal(UNKNOWN_BUNDLE, `no bundle is named ${JSON.stringify(name)}`, hint)
}

/** The status of an answer that there is no such bundle. */
export const UNKNOWN_BUNDLE = 422

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > BODY_BYTES_MAX) throw new Refusal(413, `a question of more than ${BODY_BYTES_MAX} bytes`, 'name fewer')
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A request that is not done, and the status that says so. */
class Refusal extends OperationalError {
  readonly status: number
  constructor(status: number, message: string, hint: string) {
    super('refused', message, { hint })
    this.status = status
  }
}

function sendError(response: ServerResponse, error: unknown, options: ControlOptions): void {
  const { signal, log } = options
  if (signal.aborted) {
    const body: ControlError = {
      error: 'outrigger ends, or loads its configuration again',
      hint: 'ask again; what was published stays',
    }
    return send(response, 503, body, options)
  }
  if (error instanceof Refusal) {
    return send(response, error.status, { error: error.message, hint: error.hint } satisfies ControlError, options)
  }
  log.error('refresh failed', { error: messageOf(error) })
  send(response, 500, { error: 'the refresh failed', hint: 'the log says why' } satisfies ControlError, options)
}

/** The fields that are for people; a program goes by the others. */
const TEXTS: ReadonlySet<string> = new Set(['summary', 'hint', 'dependency', 'message', 'error'])

/** Answers, and closes: one that is not kept cannot be held against us. */
function send(response: ServerResponse, status: number, body: unknown, { redact }: ControlOptions): void {
  const redacted = (name: string, value: unknown) =>
    typeof value === 'string' && TEXTS.has(name) ? redact(value) : value
  const bytes = Buffer.from(`${JSON.stringify(body, redacted)}\n`, 'utf8')
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    connection: 'close',
  })
  response.end(bytes)
}
