import type { IncomingMessage } from 'node:http'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { OperationalError } from '../errors.ts'
import { CONTROL_SOCKET, withSocketIn } from './control-path.ts'

export interface ControlAnswer {
  readonly status: number
  /** What its JSON says; undefined where it is none. */
  readonly body: unknown
}

/** An answer names each bundle, and of each the first dependencies that could not be read. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** Asks the outrigger that runs with this state directory. Rejects with the system's error when nobody can be asked, and with a
 *  `timeout` OperationalError. */
export async function askControl(
  directory: string,
  path: string,
  question: unknown,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<ControlAnswer> {
  const timeoutError = () => new OperationalError('timeout', 'there is no answer in time')
  return await withSocketIn(directory, CONTROL_SOCKET, socketPath =>
    withDeadline({ timeoutMs, timeoutError }, cut => exchange(socketPath, path, question, cut), clock, signal),
  )
}

async function exchange(
  socketPath: string,
  path: string,
  question: unknown,
  signal: AbortSignal,
): Promise<ControlAnswer> {
  const { request } = process.getBuiltinModule('node:http')
  const body = JSON.stringify(question)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { host: 'outrigger', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request({ socketPath, path, method: 'POST', headers, agent: false, signal })
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.end(body)
  })
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > ANSWER_BYTES_MAX) throw new OperationalError('invalid-data', 'the answer is too long')
    chunks.push(chunk as Buffer)
  }
  return { status: response.statusCode ?? 0, body: jsonIn(Buffer.concat(chunks).toString('utf8')) }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
