import { readFile } from 'node:fs/promises'
import { HttpClient } from '../../lib/base/http.ts'
import { Secret } from '../../lib/base/secret.ts'
import { fromBytes } from '../../lib/base/text.ts'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { OperationalError, ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import { absent, contentRevision, type Reading } from '../../lib/reading.ts'
import { jittered, poll } from '../poll.ts'
import type { TemplateOptions } from './options.ts'

const VALUE_BYTES_MAX = 1024 * 1024

export class TemplateProvider implements Provider {
  readonly #options: TemplateOptions
  readonly #host: ProviderHost
  readonly #client = new HttpClient()

  /** Connects to nothing: the first watch does. */
  constructor(options: TemplateOptions, host: ProviderHost) {
    this.#options = options
    this.#host = host
  }

  /** A server that cannot say what changed is polled. Nothing is retried and no error is caught: the store does both. */
  watch(dependency: Dependency, signal: AbortSignal): AsyncIterable<Reading> {
    const { clock, random } = this.#host
    return poll({ everyMs: this.#options.poll, clock, random }, cut => this.#read(dependency, cut), signal)
  }

  /** A change may go unseen for so long, and a restart of ten thousand is no reason to look sooner. */
  everyMs(): number {
    return jittered(this.#options.poll, this.#host.random)
  }

  async check(signal: AbortSignal): Promise<Health> {
    const { address, timeout } = this.#options
    try {
      await this.#client.request({ url: `${address}/`, timeoutMs: timeout }, this.#host.clock, signal)
      return { ok: true, message: `${address} answers` }
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      return { ok: false, message: error.message }
    }
  }

  /** Frees what the provider holds; the watches have ended before. */
  async close(): Promise<void> {
    this.#client.close()
  }

  async #read(dependency: Dependency, signal: AbortSignal): Promise<Reading> {
    const { status, headers, body } = await this.#get(dependency, signal)
    const observedAtMs = this.#host.clock.nowMs()
    // What is not there is an answer. Everything else that is no value is an error, never an empty value.
    if (status === 404) return { value: absent, revision: 'absent', observedAtMs, sensitive: true }
    if (status !== 200) throw statusError(dependency, status, headers.get('retry-after'))
    // The bytes as they are: a value need not be text.
    return { value: fromBytes(body), revision: contentRevision(body), observedAtMs, sensitive: true }
  }

  async #get(dependency: Dependency, signal: AbortSignal) {
    const { address, timeout } = this.#options
    const path = dependency.path.split('/').map(encodeURIComponent).join('/')
    const request = {
      url: `${address}/${path}`,
      headers: await this.#headers(),
      timeoutMs: timeout,
      responseBytesMax: VALUE_BYTES_MAX,
    }
    try {
      return await this.#client.request(request, this.#host.clock, signal)
    } catch (error) {
      // The signal's own reason passes as it is.
      if (!(error instanceof OperationalError)) throw error
      const code = error.code as ProviderErrorCode
      const hint = error.hint === undefined ? {} : { hint: error.hint }
      throw new ProviderError(code, `${showDependency(dependency)}: ${error.message}`, { cause: error, ...hint })
    }
  }

  /** The credential is read anew each time, so that it can be rotated, and revealed only where it is sent. */
  async #headers(): Promise<ReadonlyMap<string, Secret>> {
    const token = await this.#options.token?.read(readFile)
    return token === undefined ? new Map() : new Map([['authorization', new Secret(`Bearer ${token.reveal()}`)]])
  }
}

const CODES: ReadonlyMap<number, ProviderErrorCode> = new Map([
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [429, 'rate-limited'],
])

/** What happens next hangs on the code: `unavailable` and `rate-limited` keep serving what is known, `forbidden` drops it. */
function statusError(dependency: Dependency, status: number, retryAfter: string | undefined): ProviderError {
  const code = CODES.get(status) ?? 'unavailable'
  const seconds = Number(retryAfter)
  // The body is left out: it may quote what was asked with.
  return new ProviderError(code, `${showDependency(dependency)}: the server answers ${status}`, {
    ...(retryAfter !== undefined && Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
    ...(code === 'unauthenticated' && { hint: 'check the token' }),
  })
}
