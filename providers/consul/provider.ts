import { randomBytes } from 'node:crypto'
import { untilAborted } from '../../lib/base/or-aborted.ts'
import type { Value } from '../../lib/base/value.ts'
import { showDependency, type Dependency } from '../../lib/dependency.ts'
import { OperationalError } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import { contentRevision, type Reading } from '../../lib/reading.ts'
import { poll } from '../poll.ts'
import { Api, parseBody, WAITING_MAX } from './api.ts'
import { partOf, type Part } from './catalog.ts'
import { failure } from './failure.ts'
import { follow, Places, type Following } from './follow.ts'
import { keysContent, spelled } from './content.ts'
import { Keys } from './keys.ts'
import { KEY, LS, NOTHING, TREE } from './kv-questions.ts'
import { Newest } from './newest.ts'
import type { ConsulOptions } from './options.ts'
import { Pairs, type Pair } from './pairs.ts'
import { settingsOf, type Settings } from './settings.ts'
import { jsonOf, sortedTexts, text } from './shapes.ts'
import { askFor, type Params } from './shared-query.ts'

/** Reads one Consul, and waits there for each change: see `follow.ts` for how, and `keys.ts` for what shares a query. */
export class ConsulProvider implements Provider {
  readonly #options: ConsulOptions
  readonly #settings: Settings
  readonly #host: ProviderHost
  readonly #api: Api
  readonly #places = new Places(WAITING_MAX)
  readonly #newest = new Newest()
  /** By their datacenter, namespace and partition. */
  readonly #keys = new Map<string, Keys>()
  /** Of this process alone: a revision is shown, and a short secret could be guessed from its plain hash. */
  readonly #secretKey = randomBytes(32)

  private constructor(options: ConsulOptions, settings: Settings, host: ProviderHost) {
    this.#options = options
    this.#settings = settings
    this.#host = host
    this.#api = new Api(settings, options.timeoutMs, host)
  }

  /** Connects to nothing: the first watch does. */
  static open(options: ConsulOptions, host: ProviderHost): ConsulProvider {
    const settings = settingsOf(options, host.environment)
    if (settings.connection.tls?.skipVerify === true) {
      host.log.warn("the server's certificate is not checked, so anybody could be the server", {
        address: settings.shown,
      })
    }
    return new ConsulProvider(options, settings, host)
  }

  async *watch(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    try {
      yield* this.#watch(dependency, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw failure(showDependency(dependency), error)
    }
  }

  async check(signal: AbortSignal): Promise<Health> {
    const { shown } = this.#settings
    try {
      const leader = parseBody(await this.#api.get({ path: 'status/leader', params: {} }, {}, signal))
      if (typeof leader === 'string' && leader !== '') return { ok: true, message: `${shown}: its leader is ${leader}` }
      return { ok: false, message: `${shown}: there is no leader` }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OperationalError)) throw error
      return { ok: false, message: error.message }
    }
  }

  async close(): Promise<void> {
    for (const keys of this.#keys.values()) keys.close()
    this.#keys.clear()
    this.#api.close()
  }

  #watch(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    const { kind } = dependency
    if (kind === NOTHING) return this.#nothing(signal)
    if (kind === KEY || kind === TREE || kind === LS) return this.#watchKeys(dependency, signal)
    if (kind === 'datacenters') return this.#poll(cut => this.#datacenters(dependency, cut), signal)
    const part = partOf(dependency)
    if (part.isPolled !== true) return this.#follow(part, dependency, signal)
    const read = async (cut: AbortSignal) =>
      part.read(parseBody(await this.#api.get(part.ask(dependency), {}, cut)), dependency)
    return this.#poll(read, signal)
  }

  async *#nothing(signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    signal.throwIfAborted()
    yield this.#reading(null)
    await untilAborted(signal)
  }

  async *#watchKeys(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    signal.throwIfAborted()
    const { kind, path, params } = dependency
    const contentOf = keysContent(dependency)
    const keys = this.#keysAt(params)
    const follower = keys.follow({ path, isPrefix: kind !== KEY })
    try {
      for (;;) {
        await follower.bell.take(signal)
        let pairs = follower.take()
        // What may not be read is left out of an answer about many keys; only one about this key says so.
        const isUnsure = kind === KEY && pairs.length === 0 && follower.query?.cover.isPrefix === true
        if (isUnsure) pairs = await this.#readKey(path, params, signal)
        const { sensitive } = this.#options
        yield { ...contentOf(pairs), observedAtMs: this.#host.clock.nowMs(), sensitive }
      }
    } finally {
      keys.leave(follower)
    }
  }

  async #readKey(path: string, params: Params, signal: AbortSignal): Promise<readonly Pair[]> {
    const answer = await this.#api.get(askFor({ path, isPrefix: false }, params), {}, signal)
    return Pairs.of(answer, undefined, this.#hashKey).below('')
  }

  async *#follow(part: Part, dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    const isOwnNode = dependency.kind === 'node' && dependency.path === ''
    const asked = isOwnNode ? { ...dependency, path: await this.#ownNode(signal) } : dependency
    for await (const answer of follow(this.#following, part.ask(asked), signal)) {
      yield this.#reading(part.read(parseBody(answer), dependency), part.isSecret)
    }
  }

  #poll(read: (signal: AbortSignal) => Promise<Value>, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    const { clock, random } = this.#host
    return poll({ everyMs: this.#options.pollMs, clock, random }, async cut => this.#reading(await read(cut)), signal)
  }

  async #ownNode(signal: AbortSignal): Promise<string> {
    const self = parseBody(await this.#api.get({ path: 'agent/self', params: {} }, {}, signal))
    return text(jsonOf(jsonOf(self).Config).NodeName) as string
  }

  async #datacenters({ params }: Dependency, signal: AbortSignal): Promise<Value> {
    const names = sortedTexts(parseBody(await this.#api.get({ path: 'catalog/datacenters', params: {} }, {}, signal)))
    if (params.failing !== 'ignored') return names
    const answering = await Promise.all((names as readonly string[]).map(dc => this.#answers(dc, signal)))
    return (names as readonly string[]).filter((_, i) => answering[i])
  }

  async #answers(dc: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#api.get({ path: 'catalog/services', params: { dc, consistent: '' } }, {}, signal)
      return true
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof OperationalError) return false
      throw error
    }
  }

  get #following(): Following {
    const { waitMs, pollMs, maxStaleMs, consistent } = this.#options
    const { clock, random } = this.#host
    return {
      api: this.#api,
      clock,
      random,
      places: this.#places,
      newest: this.#newest,
      waitMs,
      pollMs,
      maxStaleMs,
      consistent,
    }
  }

  #keysAt(params: Params): Keys {
    const { dc = '', ns = '', partition = '' } = params
    const place = JSON.stringify([dc, ns, partition])
    const known = this.#keys.get(place)
    if (known !== undefined) return known
    const { prefixes } = this.#options
    const keys = new Keys({ ...this.#following, params, prefixes, hashKey: this.#hashKey })
    this.#keys.set(place, keys)
    return keys
  }

  get #hashKey(): Uint8Array | undefined {
    return this.#options.sensitive ? this.#secretKey : undefined
  }

  /** What the catalog says: names and addresses, which whoever hides them would miss in the log. */
  #reading(value: Value, isSecret = false): Reading {
    const revision = contentRevision(spelled(value), isSecret ? this.#secretKey : undefined)
    return { value, revision, observedAtMs: this.#host.clock.nowMs(), sensitive: isSecret }
  }
}
