/** What methods ask of the cloud that this machine is in: its metadata, which says who we are, and its own log-in. */
import type { HttpRequest } from '../../../lib/base/http.ts'
import { parseJson } from '../../../lib/base/json.ts'
import { OperationalError, ProviderError, type ProviderErrorCode } from '../../../lib/errors.ts'
import { mapOf, type Fields } from '../secret.ts'
import type { LoginWorld } from './method.ts'

/** Metadata is next door. Where there is none its address leads nowhere, and that must not take a whole login's time. */
const TIMEOUT_MS = 5_000

export type CloudRequest = Pick<HttpRequest, 'url' | 'method' | 'headers' | 'body'>

/** What is answered. Rejects with a ProviderError that says what was asked, and nothing of what was answered: it may be a credential.
 *  @param what is asked, for people */
export async function askCloud(
  world: LoginWorld,
  what: string,
  request: CloudRequest,
  signal: AbortSignal,
): Promise<string> {
  const { status, body } = await world.send({ ...request, timeoutMs: TIMEOUT_MS }, signal).catch(error => {
    signal.throwIfAborted()
    if (!(error instanceof OperationalError)) throw error
    throw new ProviderError(error.code as ProviderErrorCode, `${what}: ${error.message}`, { cause: error })
  })
  if (status === 200) return body.toString('utf8')
  const code = status === 429 ? 'rate-limited' : status >= 500 ? 'unavailable' : 'unauthenticated'
  throw new ProviderError(code, `${what}: answers ${status}`, {
    hint: 'see whether this machine has been given an identity, and may use it',
  })
}

/** The same of an answer in JSON. */
export async function askCloudForFields(
  world: LoginWorld,
  what: string,
  request: CloudRequest,
  signal: AbortSignal,
): Promise<Fields> {
  return fieldsIn(what, await askCloud(world, what, request, signal))
}

export function fieldsIn(what: string, text: string): Fields {
  let fields: Fields | undefined
  try {
    fields = mapOf(parseJson(text))
  } catch {
    // What it is instead is not said: it may be a credential.
  }
  if (fields !== undefined) return fields
  throw new ProviderError('invalid-data', `${what}: not an object of JSON`)
}

/** A field that has to be there. */
export function fieldIn(what: string, fields: Fields, name: string): string {
  const value = fields.get(name)
  if (typeof value === 'string' && value !== '') return value
  throw new ProviderError('unauthenticated', `${what}: has no ${name}`)
}

/** A variable of the environment; an empty one counts as not set. */
export function variableOf({ environment }: LoginWorld, name: string): string | undefined {
  const text = environment[name]
  return text === '' ? undefined : text
}

/** An address that the environment gives, without slashes at its end. What is sent there may be a credential: so over `http:` only to
 *  this machine, or to where metadata is. */
export function addressOf(world: LoginWorld, name: string): string | undefined {
  const text = variableOf(world, name)
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && NEAR.test(url.hostname))
  if (isSafe && url?.username === '' && url.password === '') return text.replace(/\/+$/, '')
  throw new ProviderError('bad-config', `the environment's ${name} cannot be used`, {
    hint: 'want an address of https:, or of http: on this machine or at a link-local address',
  })
}

const NEAR = /^(localhost|127\.\d+\.\d+\.\d+|169\.254\.\d+\.\d+|\[::1\]|\[fd00:ec2::[0-9a-f]+\]|\[fe80:.*\])$/
