import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { orAborted, untilAborted } from '../../lib/base/or-aborted.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { messageOf, ProviderError } from '../../lib/errors.ts'
import type { Health, Provider, ProviderHost } from '../../lib/provider.ts'
import type { Reading } from '../../lib/reading.ts'
import { jittered, poll } from '../poll.ts'
import { deadlineIn, GitCommand, GitFailed } from './command.ts'
import {
  basicToken,
  credentialEnvironment,
  networkEnvironment,
  placesIn,
  TRUST_FILE,
  TRUST_TEXT,
  type Environment,
  type Places,
  type Remote,
} from './environment.ts'
import { explain, unexplained, type FailureContext } from './failure.ts'
import { isHash } from './names.ts'
import type { GitOptions } from './options.ts'
import { KIND } from './questions.ts'
import { askFor, findRef, type RemoteRef } from './remote.ts'
import { Repository, type Operation } from './repository.ts'
import { assemble, fileKey, isLfsPointer, type Files } from './tree.ts'

/** The user name where none is given: hosts that take a token want any. */
const USERNAME_DEFAULT = 'git'

const PATHS_SHOWN_MAX = 10

/** Reads one ref of one repository.
 *
 *  A read whose answer is the one of before is one process, 5 ms on a local repository and 20 ms over HTTP; a change is five, 30
 *  and 70 ms (medians of 15 on 2 cores, git 2.39).
 *
 *  One read: (1) ask the remote where the ref is, which is all when nothing changed; (2) fetch that commit into our private
 *  repository; (3) list its tree; (4) read the blobs that the last reading did not have. Nothing is checked out. Whatever is
 *  wrong with the private repository, it is thrown away and fetched anew in the same read. */
export class GitProvider implements Provider {
  readonly #options: GitOptions
  readonly #host: ProviderHost
  readonly #remote: Remote
  readonly #places: Places
  readonly #environment: Environment
  readonly #git: GitCommand
  readonly #repository: Repository
  /** What was read last: kept over failures and watches, so that nothing is fetched twice. */
  #last: { readonly reading: Reading; readonly files: Files } | undefined
  /** The end of the line: reads go one after the other, since they share the repository. */
  #turn: Promise<unknown> = Promise.resolve()
  /** What was warned of, each thing once. */
  readonly #warned = new Set<string>()

  private constructor(options: GitOptions, host: ProviderHost, directory: string) {
    this.#options = options
    this.#host = host
    const { address, ssh } = options
    const at = (path: string) => resolve(host.configDirectory, path)
    this.#remote = { address, ssh: ssh && { key: at(ssh.key), knownHosts: at(ssh.knownHosts) } }
    this.#places = placesIn(directory)
    this.#environment = networkEnvironment(this.#remote, this.#places, options.timeoutMs, host.environment)
    this.#git = new GitCommand(this.#places.repository, this.#environment, host.clock)
    this.#repository = new Repository(this.#git, this.#places)
  }

  static async open(options: GitOptions, host: ProviderHost): Promise<GitProvider> {
    if (options.address.transport === 'http' && options.password !== undefined) {
      host.log.warn('the password is sent without encryption', { url: options.address.url })
    }
    const directory = await host.directory()
    await writeFile(join(directory, TRUST_FILE), TRUST_TEXT, { mode: 0o600 })
    return new GitProvider(options, host, directory)
  }

  async *watch(dependency: Dependency, signal: AbortSignal): AsyncGenerator<Reading, void, undefined> {
    if (dependency.kind !== KIND) {
      throw new ProviderError('unsupported', `a Git provider has no ${dependency.kind}`)
    }
    const { clock, random } = this.#host
    const everyMs = this.#options.pollMs
    // A commit never changes, so once it has been read there is nothing to ask.
    if (isHash(this.#options.ref)) {
      yield await this.#read(signal)
      await untilAborted(signal)
    }
    yield* poll({ everyMs, clock, random }, reading => this.#read(reading), signal)
  }

  everyMs(): number {
    return jittered(this.#options.pollMs, this.#host.random)
  }

  async check(signal: AbortSignal): Promise<Health> {
    const { ref, address } = this.#options
    try {
      // A remote cannot be asked for a hash. That it answers is what can be known without fetching.
      if (isHash(ref)) await this.#inTurn(signal, operation => this.#list(operation, 'HEAD'))
      const found = isHash(ref) ? undefined : await this.#inTurn(signal, operation => this.#ask(operation, ref))
      const says = found === undefined ? 'answers' : `${ref} is at ${found.commit.slice(0, 12)}`
      return { ok: true, message: `${address.url}: ${says}` }
    } catch (error) {
      signal.throwIfAborted()
      const hint = error instanceof ProviderError && error.hint !== undefined ? `; ${error.hint}` : ''
      return { ok: false, message: messageOf(error) + hint }
    }
  }

  async close(): Promise<void> {}

  #read(signal: AbortSignal): Promise<Reading> {
    return this.#inTurn(signal, async (operation, context) => {
      const { ref } = this.#options
      const found: RemoteRef = isHash(ref) ? { name: ref, commit: ref } : await this.#ask(operation, ref)
      if (this.#last?.reading.revision === found.commit) {
        if (this.#repository.crowded) await this.#collect(operation)
        const reading = { ...this.#last.reading, observedAtMs: this.#host.clock.nowMs() }
        this.#last = { ...this.#last, reading }
        return reading
      }
      return await this.#update(found, operation, context)
    })
  }

  /** Step 1: where the remote says that the ref is. */
  async #ask(operation: Operation, ref: string): Promise<RemoteRef> {
    const found = findRef(await this.#list(operation, ref), ref)
    if (found !== undefined) return found
    const hint = /^[0-9a-f]{7,63}$/.test(ref)
      ? 'a hash must be given in full, 40 digits'
      : 'push it, or correct ref; HEAD is the default branch'
    const message = `${this.#options.address.url}: there is no branch or tag ${JSON.stringify(ref)}`
    throw new ProviderError('invalid-data', message, { hint })
  }

  #list({ deadline, signal, secrets }: Operation, ref: string): Promise<string> {
    // Without our repository, so that asking works whatever state that is in.
    const environment = { ...secrets, GIT_DIR: this.#places.nowhere }
    return this.#git.group(askFor(this.#options.address.url, ref), deadline, signal, environment)
  }

  /** Steps 2 to 4, and once more with a new repository when the one that is there fails in a way that nobody else explains. */
  async #update(found: RemoteRef, operation: Operation, context: FailureContext): Promise<Reading> {
    let made = false
    try {
      made = (await this.#repository.prepare(found.commit, operation)).made
      // After a start the commit is often there already.
      const there = !made && this.#last === undefined && (await this.#has(found.commit, operation))
      return await this.#readCommit(there ? found.commit : await this.#fetch(found, operation), operation)
    } catch (error) {
      operation.signal.throwIfAborted()
      const explained = error instanceof GitFailed ? explain(error, context) : error
      if (explained instanceof ProviderError || made) throw error
      this.#host.log.warn('the private Git repository is broken, and made anew', {
        error: context.redact(messageOf(error)),
      })
      await this.#repository.remove()
      await this.#repository.prepare(found.commit, operation)
      return await this.#readCommit(await this.#fetch(found, operation), operation)
    }
  }

  async #has(commit: string, operation: Operation): Promise<boolean> {
    try {
      return (await this.#repository.commit(operation, commit)) === commit
    } catch (error) {
      if (error instanceof GitFailed && !error.timedOut) return false
      throw error
    }
  }

  /** Step 2. The ref may have moved on since it was asked for: what came is what is read. */
  async #fetch({ name }: RemoteRef, operation: Operation): Promise<string> {
    const { address } = this.#options
    if (this.#repository.crowded) await this.#collect(operation)
    await this.#repository.fetch(address.url, name, operation)
    try {
      return await this.#repository.commit(operation)
    } catch (error) {
      if (!(error instanceof GitFailed) || error.timedOut) throw error
      const kind = await this.#repository.kind(operation)
      if (kind === 'commit') throw error
      throw new ProviderError('invalid-data', `${address.url}: ${name} is a ${kind}, not a commit`)
    }
  }

  async #readCommit(commit: string, operation: Operation): Promise<Reading> {
    const { path, address, sensitive } = this.#options
    const where = `${address.url} at ${commit.slice(0, 12)}${path === '' ? '' : `, ${path}`}`
    const { entries, submodules } = await this.#repository.list(commit, path, where, operation)
    this.#warnOf('submodules are left out', submodules)
    const known = this.#last?.files ?? new Map()
    const wanted = entries.filter(entry => entry.kind === 'link' || !known.has(fileKey(entry)))
    const contents = await this.#repository.contents(wanted, operation)
    const pointers = wanted.filter(entry => isLfsPointer(contents.get(entry.hash) as Uint8Array))
    this.#warnOf(
      'LFS pointers are read as they are',
      pointers.map(entry => entry.path),
    )
    const { tree, files } = assemble(entries, hash => contents.get(hash) as Uint8Array, known, where)
    const reading = { value: tree, revision: commit, observedAtMs: this.#host.clock.nowMs(), sensitive }
    this.#last = { reading, files }
    return reading
  }

  #warnOf(what: string, paths: readonly string[]): void {
    if (paths.length === 0 || this.#warned.has(what)) return
    this.#warned.add(what)
    this.#host.log.warn(what, { url: this.#options.address.url, paths: paths.slice(0, PATHS_SHOWN_MAX) })
  }

  /** Collecting is not worth a failed read: a repository that cannot be collected is dropped, and made anew at the next change. */
  async #collect(operation: Operation): Promise<void> {
    try {
      await this.#repository.collect(operation)
    } catch {
      operation.signal.throwIfAborted()
      await this.#repository.remove()
    }
  }

  /** Runs one operation when those before it have ended, under one deadline, and puts its failures into our words. */
  async #inTurn<T>(
    signal: AbortSignal,
    body: (operation: Operation, context: FailureContext) => Promise<T>,
  ): Promise<T> {
    const before = this.#turn
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    this.#turn = before.then(() => ended)
    try {
      await orAborted(before, signal)
      return await this.#operate(signal, body)
    } finally {
      end()
    }
  }

  async #operate<T>(
    signal: AbortSignal,
    body: (operation: Operation, context: FailureContext) => Promise<T>,
  ): Promise<T> {
    const { timeoutMs, address } = this.#options
    const deadline = deadlineIn(timeoutMs, this.#host.clock)
    const redactor = new Redactor()
    const redact = (text: string) => redactor.redact(text)
    const context = { url: address.url, store: this.#places.repository, timeoutMs, redact }
    try {
      await this.#git.requireVersion(deadline, signal)
      return await body({ deadline, signal, secrets: await this.#secrets(redactor) }, context)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ProviderError) throw error
      if (error instanceof GitFailed) throw explain(error, context) ?? unexplained(error, context)
      throw new ProviderError('unavailable', `${address.url}: ${redactor.redact(messageOf(error))}`)
    }
  }

  async #secrets(redactor: Redactor): Promise<Environment> {
    const { password, username = USERNAME_DEFAULT } = this.#options
    if (password === undefined) return {}
    const secret = await password
      .read(path => readFile(resolve(this.#host.configDirectory, path)))
      .catch(error => {
        throw new ProviderError('bad-config', `auth.password: cannot read ${password.path}: ${messageOf(error)}`)
      })
    redactor.add(secret.reveal())
    redactor.add(basicToken(username, secret))
    return credentialEnvironment(this.#remote, username, secret, this.#environment)
  }
}
