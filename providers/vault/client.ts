import type { Clock } from '../../lib/base/clock.ts'
import { proxyEnvironmentOf } from '../../lib/base/connection-options.ts'
import { HttpClient, type HttpRequest, type HttpResponse } from '../../lib/base/http.ts'
import type { Secret } from '../../lib/base/secret.ts'
import { OperationalError, ProviderError } from '../../lib/errors.ts'
import type { Answer, ApiRequest } from './answer.ts'
import type { Api } from './api.ts'
import type { AuthMethod, LoginWorld } from './auth/method.ts'
import { RefusedLogins } from './auth/refused-logins.ts'
import { Session, type SessionWorld } from './auth/session.ts'
import { Tokens } from './auth/tokens.ts'
import type { VaultEvent } from './event.ts'
import { failureOf, loginFailureOf, saysMayNot, saysUnknownToken } from './failure.ts'
import type { Settings } from './settings.ts'

/** What is asked, without what the client adds. */
export interface Ask extends Omit<ApiRequest, 'token' | 'index' | 'namespace'> {
  /** @default the provider's own */
  readonly namespace?: string | undefined
  /** Whether an answer is one that is understood, although its status is no success. */
  readonly takes?: (answer: Answer) => boolean
  /** Whether it may make something that hangs on the token that it is asked with. @default false */
  readonly mayMake?: boolean
}

/** What a client uses of the world around it. */
export interface ClientWorld extends SessionWorld, Pick<LoginWorld, 'environment' | 'readFile' | 'removeFile'> {}

export interface Answered extends Answer {
  /** What it was asked with. */
  readonly token: Secret
}

/** Asks with a token, and knows what it means when that is refused. */
export class Client {
  readonly settings: Settings
  readonly #api: Api
  readonly #session: Session
  /** How far the server was when we last wrote: an answer from before that would not have it. */
  #index: string | undefined

  constructor(settings: Settings, method: AuthMethod, api: Api, { clock, random, note, log, ...rest }: ClientWorld) {
    this.settings = settings
    this.#api = api
    const post: LoginWorld['post'] = async (path, fields, signal, token) => {
      const request = { operation: 'write', path, fields, token, namespace: settings.namespace } as const
      const answer = await this.#api.send(request, signal)
      if (!isSuccess(answer)) throw loginFailureOf(path, answer)
      this.#index = answer.headers.get('x-vault-index') ?? this.#index
      return answer
    }
    const world: LoginWorld = {
      settings,
      ...rest,
      nowMs: () => clock.nowMs(),
      send: async (request, signal) => await sendElsewhere(request, rest.environment, clock, signal),
      post: method.locksOut === true ? new RefusedLogins(clock).guard(post) : post,
    }
    const tokens = new Tokens((ask, token, signal) => this.#send(ask, token, signal))
    this.#session = new Session(method, world, tokens, { clock, random, note, log })
  }

  /** The answer, when it is a success or that there is nothing (404). Rejects with a ProviderError otherwise.
   *  @param what is asked, for people */
  async ask(what: string, ask: Ask, signal: AbortSignal): Promise<Answered> {
    const { token } = await this.token(what, signal, ask.mayMake)
    const answer = await this.#send(ask, token, signal)
    if (ask.takes?.(answer) === true) return { ...answer, token }
    if (answer.status === 403) return await this.#refused(what, ask, token, answer, signal)
    if (isSuccess(answer) || isNothing(answer)) return { ...answer, token }
    throw failureOf(what, answer)
  }

  /** The accessor of the token that something was asked with, on which a lease in the answer hangs; empty where there is none. */
  accessorOf({ token }: Answered): string {
    return this.#session.accessorOf(token)
  }

  /** For how long a token lasts; see `Session.lasting`. */
  async lasting(what: string, accessor: string, wantedMs: number, signal: AbortSignal): Promise<number | undefined> {
    try {
      // The token of before a restart is ours once there is one.
      await this.#session.token(signal)
      return await this.#session.lasting(accessor, wantedMs, signal)
    } catch (error) {
      throw forWhat(what, error)
    }
  }

  /** The token of now, and how long it is good still. Rejects with a ProviderError.
   *  @param what it is for, for people
   *  @param mayMake whether something may hang on it then */
  async token(
    what: string,
    signal: AbortSignal,
    mayMake = false,
  ): Promise<{ readonly token: Secret; readonly leftMs: number }> {
    const token = await this.#session[mayMake ? 'tokenToHangOn' : 'token'](signal).catch(error => {
      throw forWhat(what, error)
    })
    return { token, leftMs: this.#session.leftMs }
  }

  /** Whether a server can be asked for a stream of events at all. */
  get canSubscribe(): boolean {
    return this.#api.subscribe !== undefined
  }

  /** As `Api.subscribe`, with the token of now. */
  async subscribe(what: string, namespace: string, signal: AbortSignal): Promise<AsyncIterable<VaultEvent>> {
    const { token } = await this.token(what, signal)
    if (this.#api.subscribe === undefined) throw new TypeError('nothing can be subscribed to')
    return await this.#api.subscribe({ token, namespace }, signal)
  }

  /** Has the listener called for each token that takes the place of another. Gives what ends that. */
  onTokenReplaced(listener: () => void): () => void {
    return this.#session.onReplaced(listener)
  }

  /** See `Session.forgetFailure`. */
  forgetFailure(): void {
    this.#session.forgetFailure()
  }

  /** What the server says of itself, whatever that is; it needs no token. */
  async health(signal: AbortSignal): Promise<Answer> {
    return await this.#api.send({ operation: 'read', path: 'sys/health', namespace: '' }, signal)
  }

  close(): void {
    this.#session.close()
    this.#api.close()
  }

  /** A refusal may be about the token or about what it may. Another token cures the first; where there is no other, the server is
   *  asked whether it knows ours. */
  async #refused(what: string, ask: Ask, token: Secret, refusal: Answer, signal: AbortSignal): Promise<Answered> {
    // A login would mint a token for each refusal that no token cures, so first it is seen whether ours is the cause.
    const isUnknown = await this.#isUnknown(token, refusal, signal)
    if (isUnknown) this.#session.ended(token)
    if (!isUnknown && this.#session.isFresh && !this.#session.isKept) throw failureOf(what, refusal)
    const next = await this.#session.after(token, signal).catch(error => {
      signal.throwIfAborted()
      // That there is no other token takes nothing back of what the server said: we may not.
      throw isUnknown ? forWhat(what, error) : failureOf(what, refusal)
    })
    if (next === undefined) throw failureOf(what, refusal, !isUnknown)
    const answer = await this.#send(ask, next, signal)
    if (ask.takes?.(answer) === true || isSuccess(answer) || isNothing(answer)) return { ...answer, token: next }
    throw failureOf(what, answer, answer.status !== 403 || !(await this.#isUnknown(next, answer, signal)))
  }

  async #isUnknown(token: Secret, refusal: Answer, signal: AbortSignal): Promise<boolean> {
    if (saysUnknownToken(refusal)) return true
    if (saysMayNot(refusal)) return false
    const lookup = await this.#send({ operation: 'read', path: 'auth/token/lookup-self' }, token, signal)
    // A policy may forbid a token to be looked up, too.
    return lookup.status === 403 && !saysMayNot(lookup)
  }

  async #send(ask: Ask, token: Secret, signal: AbortSignal): Promise<Answer> {
    const namespace = ask.namespace ?? this.settings.namespace
    const answer = await this.#api.send({ ...ask, token, namespace, index: this.#index }, signal)
    if (ask.operation === 'write') this.#index = answer.headers.get('x-vault-index') ?? this.#index
    return answer
  }
}

/** What a method asks of a cloud. What is next to this machine is not reached through a proxy. */
async function sendElsewhere(
  request: HttpRequest,
  environment: LoginWorld['environment'],
  clock: Clock,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const proxyEnvironment = request.url.startsWith('https:') ? proxyEnvironmentOf(undefined, environment) : undefined
  const client = new HttpClient({ keepAlive: false, ...(proxyEnvironment === undefined ? {} : { proxyEnvironment }) })
  try {
    return await client.request(request, clock, signal)
  } finally {
    client.close()
  }
}

/** A failure to come by a token, as that of what was asked for. */
function forWhat(what: string, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error
  const { code, message, hint, retryAfterMs, cause } = error
  // A line that is dead says the same whatever it was for, or an outage would be told as news once the token has ended.
  if (cause instanceof OperationalError && !(cause instanceof ProviderError)) return error
  return new ProviderError(code, `${what}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

function isSuccess({ status }: Answer): boolean {
  return status >= 200 && status < 300
}

/** Where the path is one that is only not there; a path that takes no reading answers 404 or 405 with words of its own. */
function isNothing(answer: Answer): boolean {
  return answer.status === 404 && failureOf('', answer).code === 'invalid-data'
}
