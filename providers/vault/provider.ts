import { readFile, unlink } from 'node:fs/promises'
import type { Clock } from '../../lib/base/clock.ts'
import { Struct } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { messageOf, OperationalError, ProviderError } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import { absent, type Lease, type Reading } from '../../lib/reading.ts'
import { poll } from '../poll.ts'
import { TokenMethod } from './auth/token.ts'
import { HttpApi, type Api } from './api.ts'
import { Client } from './client.ts'
import { keyDigests, Written } from './dependencies.ts'
import { Events, type Listener } from './events.ts'
import { GRACE_MS, withGrace } from './grace.ts'
import { isDeleted, sameVersion } from './kv.ts'
import { Leases } from './leases.ts'
import { Mounts } from './mounts.ts'
import type { VaultOptions } from './options.ts'
import { readOwnKey } from './own-key.ts'
import { watchOwnToken, wrapOwnToken } from './own-token.ts'
import { Reader, recalled, type Read } from './reader.ts'
import { dataOf, mapOf, numberOf, type Fields } from './secret.ts'
import { settingsOf, type Settings } from './settings.ts'

/** After a policy has hidden the metadata of a secret, its data is read this often before the metadata is asked for once more. */
const READS_WITHOUT_METADATA = 30
/** Up to which part of it each wait is drawn shorter: never longer, since it is what a user waits for. */
const WAIT_JITTER = 0.2

/** Reads from one server, with one token.
 *
 *  How a change is seen depends on what is read. Of a KV v2 secret the version is asked for, and the data only when it is another;
 *  everything else is read again. What has a lease is read once: whoever keeps the lease ends the watch, and starts another when it
 *  is time for the next. */
export class VaultProvider implements Provider {
  readonly #options: VaultOptions
  readonly #host: ProviderHost
  readonly #client: Client
  readonly #reader: Reader
  readonly #leases: Leases
  readonly #key: Uint8Array
  readonly #events: Events

  private constructor(options: VaultOptions, host: ProviderHost, client: Client, key: Uint8Array) {
    this.#options = options
    this.#host = host
    this.#client = client
    this.#leases = new Leases(client, host.clock)
    this.#key = key
    this.#events = new Events(client, host, options.events)
    this.#reader = new Reader(client, new Mounts(client, options.mounts, host.clock), host, key)
  }

  /** Connects to nothing: the first watch does. */
  static async open(
    options: VaultOptions,
    host: ProviderHost,
    connect: (settings: Settings, clock: Clock) => Api = (settings, clock) => new HttpApi(settings, clock),
  ): Promise<VaultProvider> {
    const settings = settingsOf(options, host.environment)
    const { hostname, protocol } = new URL(settings.endpoint)
    const isHere = settings.connection.socketPath !== undefined || /^(127\.|localhost$|\[::1\]$)/.test(hostname)
    if (protocol === 'http:' && !isHere) {
      host.log.warn('the token and every secret travel without encryption', { address: settings.shown })
    }
    if (settings.connection.tls?.skipVerify === true) {
      host.log.warn("the server's certificate is not checked, so anybody could be the server", {
        address: settings.shown,
      })
    }
    const { clock, random, note, log, environment } = host
    const key = await readOwnKey(host)
    keyDigests(host.name, key)
    return new VaultProvider(
      options,
      host,
      new Client(settings, options.auth ?? new TokenMethod(), connect(settings, clock), {
        clock,
        random,
        note,
        log,
        environment,
        readFile,
        removeFile: unlink,
      }),
      key,
    )
  }

  watch(dependency: Dependency, signal: AbortSignal, known?: Reading): AsyncIterable<Reading> {
    const { kind } = dependency
    if (kind === 'secret' || kind === 'api') return this.#watchSecret(dependency, signal, known)
    const often = known === undefined ? 'again' : 'in the midst'
    if (kind === 'list') {
      return this.#watch(cut => this.#reader.list(dependency, cut), signal, often, this.#events.listen(dependency))
    }
    if (kind === 'token') return this.#watchToken(dependency, signal)
    if (dependency instanceof Written) {
      const isCertificate = kind === 'certificate'
      return this.#watch(cut => this.#reader[isCertificate ? 'certificate' : 'write'](dependency, cut), signal, 'once')
    }
    throw new ProviderError('unsupported', `a Vault provider has no ${kind}`)
  }

  everyMs({ kind }: Dependency, known: Reading): number {
    if (kind !== 'secret' && kind !== 'api' && kind !== 'list') return 0
    const read = recalled(known)
    const endsByItself = (read.versioned?.version?.deletionTime ?? '') !== ''
    // What changes at a time of its own may have done so while nobody looked.
    return endsByItself || rotationOf(known) !== undefined ? 0 : this.#waitAfter(read)
  }

  async renew(lease: Lease, signal: AbortSignal): Promise<Lease | undefined> {
    return await this.#leases.renew(lease, signal)
  }

  async revoke(lease: Lease, signal: AbortSignal): Promise<void> {
    await this.#leases.revoke(lease, signal)
  }

  makes(dependency: Dependency): boolean {
    return dependency instanceof Written
  }

  forgetFailure(): void {
    this.#client.forgetFailure()
  }

  async check(signal: AbortSignal): Promise<Health> {
    const { shown } = this.#client.settings
    try {
      const { status, body } = await this.#client.health(signal)
      const version = mapOf(body)?.get('version')
      const server = `${shown}${typeof version === 'string' ? `, version ${version}` : ''}`
      const state = STATES.get(status)
      if (state !== undefined) return { ok: state.ok, message: `${server}: ${state.says}` }
      return { ok: false, message: `${server}: answers ${status}` }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OperationalError)) throw error
      return { ok: false, message: `${messageOf(error)}${error.hint === undefined ? '' : `; ${error.hint}`}` }
    }
  }

  async close(): Promise<void> {
    await this.#events.close()
    this.#client.close()
  }

  #watchToken(dependency: Dependency, signal: AbortSignal): AsyncIterable<Reading> {
    const { clock, random } = this.#host
    const { reread: rereadMs } = this.#options
    const options = { client: this.#client, clock, random, rereadMs, revisionKey: this.#key }
    if (dependency.params['wrap'] === undefined) return watchOwnToken(options, dependency, signal)
    const wrap = async (cut: AbortSignal) => ({ reading: await wrapOwnToken(options, dependency, cut) })
    return this.#watch(wrap, signal, 'once')
  }

  #watchSecret(dependency: Dependency, signal: AbortSignal, known: Reading | undefined): AsyncIterable<Reading> {
    let last = known && recalled(known)
    /** How many reads there will be before the metadata is asked for. */
    let withoutMetadata = 0
    const read = async (cut: AbortSignal): Promise<Read> => {
      if (last === undefined || withoutMetadata-- > 0) return await this.#reader.secret(dependency, cut)
      try {
        if (!(await this.#hasMoved(last, dependency, cut))) return again(last, this.#host.clock.nowMs())
      } catch (error) {
        if (!(error instanceof ProviderError) || error.code !== 'forbidden') throw error
        withoutMetadata = READS_WITHOUT_METADATA
      }
      return await this.#reader.secret(dependency, cut)
    }
    const often = known === undefined ? 'again' : 'in the midst'
    return this.#watch(async cut => (last = await read(cut)), signal, often, this.#events.listen(dependency))
  }

  /** Whether a KV v2 secret may be another than the one that was read. */
  async #hasMoved({ reading, versioned }: Read, dependency: Dependency, signal: AbortSignal): Promise<boolean> {
    // What is not there may be in another engine when it comes.
    if (versioned?.version === undefined) return true
    const { version, metadataPath } = versioned
    if (reading.value !== absent && isDeleted(version, this.#host.clock.nowMs())) return true
    return !sameVersion(version, await this.#reader.version(metadataPath, dependency, signal))
  }

  /** @param listener ends a wait early; it is this watch's own */
  async *#watch(
    read: (signal: AbortSignal) => Promise<Read>,
    signal: AbortSignal,
    often: 'again' | 'in the midst' | 'once' = 'again',
    listener?: Listener,
  ): AsyncGenerator<Reading, void, undefined> {
    const { clock, random } = this.#host
    let waitMs = 0
    // A fleet that starts together would ask in step for minutes, so the first wait is any part of the usual one; unless it is in the
    // midst of its waits already.
    let isFirst = often === 'again'
    let before: Reading | undefined
    const readOnce = async (cut: AbortSignal) => {
      // What is read now holds for all that was said until now.
      listener?.hint.clear()
      const done = await (often === 'once' ? withGrace(read, clock, cut) : read(cut))
      waitMs =
        often === 'once' || done.reading.lease !== undefined
          ? Infinity
          : this.#waitAfter(done, isFirst ? random() : undefined)
      isFirst = false
      if (done.reading.lease === undefined) {
        if (often !== 'once') listener?.waits()
        return (before = asBefore(before, done.reading))
      }
      // To read it again would make another.
      listener?.stop()
      listener?.hint.clear()
      const lease = await this.#leases.bind(done.reading.lease, done.holder ?? '', cut)
      // Nobody would have it, and it would live on unused.
      if (cut.aborted) await this.revoke(lease, AbortSignal.timeout(GRACE_MS)).catch(() => {})
      return { ...done.reading, lease }
    }
    const hint = listener === undefined ? {} : { hint: listener.hint }
    listener?.start()
    try {
      yield* poll({ everyMs: () => waitMs, clock, random, ...hint }, readOnce, signal)
    } finally {
      listener?.stop()
    }
  }

  /** How long a reading is taken for the newest.
   *  @param share of the usual wait */
  #waitAfter({ reading, versioned }: Read, share = 1 - WAIT_JITTER * this.#host.random()): number {
    const { random, clock } = this.#host
    const { poll: pollMs, reread: rereadMs } = this.#options
    // What is asked for below a list stops being there with its name, so a list is not looked at less often than that.
    const isShort = versioned !== undefined || reading.value === absent || Array.isArray(reading.value)
    const usualMs = isShort ? pollMs : rereadMs
    const everyMs = usualMs * share
    if (versioned?.version !== undefined) {
      const leftMs = Date.parse(versioned.version.deletionTime) - clock.nowMs()
      return leftMs > 0 && leftMs < everyMs ? leftMs : everyMs
    }
    const secret = secretIn(reading)
    if (secret === undefined) return everyMs
    const rotatesMs = rotationOf(reading)
    // Not before the server has rotated it; a little after, and not everybody at once.
    if (rotatesMs !== undefined) return Math.min(everyMs, rotatesMs + 1_000 * (1 + random()))
    const hintMs = numberOf(secret.fields, 'LeaseDuration') * 1_000
    return hintMs > 0 ? Math.min(everyMs, hintMs) : everyMs
  }
}

function secretIn({ value }: Reading): Struct | undefined {
  const secret = value instanceof Struct ? value.fields.get('Secret') : undefined
  return secret instanceof Struct ? secret : undefined
}

/** Of a static role: when the server gives it another password. */
function rotationOf(reading: Reading): number | undefined {
  const secret = secretIn(reading)
  const data: Fields = secret === undefined ? new Map() : dataOf(secret)
  const rotates = data.has('rotation_period') || data.has('rotation_schedule')
  return rotates && data.has('ttl') ? numberOf(data, 'ttl') * 1_000 : undefined
}

/** What is the same stays the same, request id and all: a revision never stands for two values. */
function asBefore(before: Reading | undefined, reading: Reading): Reading {
  if (before?.revision !== reading.revision) return reading
  return { ...before, observedAtMs: reading.observedAtMs }
}

function again(read: Read, observedAtMs: number): Read {
  return { ...read, reading: { ...read.reading, observedAtMs } }
}

/** What the status of `sys/health` says. */
const STATES: ReadonlyMap<number, { readonly ok: boolean; readonly says: string }> = new Map([
  [200, { ok: true, says: 'answers' }],
  [429, { ok: true, says: 'a standby answers' }],
  [472, { ok: false, says: 'is a disaster recovery secondary, which gives no secrets' }],
  [473, { ok: true, says: 'a performance standby answers' }],
  [501, { ok: false, says: 'is not initialized' }],
  [503, { ok: false, says: 'is sealed' }],
])
