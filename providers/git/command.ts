/** How git is started: the only module that does.
 *
 *  Two ways, by what a verb can do to us. Measured on 2 cores with git 2.39, medians of 15:
 *
 *  | verb                | group (`run`) | simple-git |
 *  | ------------------- | ------------- | ---------- |
 *  | ls-tree, cat-file   | 2.2 ms        | 2.2 ms     |
 *  | ls-remote (file)    | 3.9 ms        | 4.1 ms     |
 *  | one that says nothing (init, fetch, gc) | 2.1 ms | 52 ms |
 *
 *  - Verbs that start other programs or write (`ls-remote`, `fetch`, `init`, `gc`), and the first of all (`version`), run in a process group of their own, so that
 *    the deadline ends `git-remote-https` and `ssh` as well. simple-git sends one SIGINT to git alone and leaves them behind,
 *    and these verbs print nothing, which costs 50 ms there.
 *  - Verbs that only read our own objects (`ls-tree`, `cat-file`, `rev-parse`) go through simple-git: they have no children,
 *    no credentials in their environment, and its guard looks at every argument once more.
 *
 *  Nothing secret is an argument; `environment.ts` says what git may see of the world. */
import type { Clock } from '../../lib/base/clock.ts'
import { run, type Finished } from '../../lib/base/process.ts'
import { messageOf, ProviderError, systemCode } from '../../lib/errors.ts'
import { localEnvironment, type Environment } from './environment.ts'

/** What a whole git operation may take, shared by the processes it is made of. */
export interface Deadline {
  leftMs(): number
}

/** A deadline that starts now. */
export function deadlineIn(durationMs: number, clock: Clock): Deadline {
  const atMs = clock.monotonicMs() + durationMs
  return { leftMs: () => Math.max(0, atMs - clock.monotonicMs()) }
}

/** git ended with something other than success, or not in time. */
export class GitFailed extends Error {
  readonly exitCode: number | undefined
  readonly timedOut: boolean
  /** A signal from elsewhere ended it, so what it says, if anything, is not about the repository. */
  readonly killed: boolean
  /** Whether it talked to the remote; if not, whatever it says is about our own repository. */
  readonly remote: boolean
  constructor(
    message: string,
    options: {
      readonly exitCode?: number
      readonly timedOut?: boolean
      readonly killed?: boolean
      readonly remote?: boolean
    } = {},
  ) {
    super(message)
    this.name = 'GitFailed'
    this.exitCode = options.exitCode
    this.timedOut = options.timedOut ?? false
    this.killed = options.killed ?? false
    this.remote = options.remote ?? false
  }
}

/** Environment variables for configuration from the environment came with 2.31, GIT_CONFIG_GLOBAL with 2.32: an older git would
 *  read the machine's configuration and run what a planted one says. */
const VERSION_MIN = [2, 32] as const
/** The verbs that talk to the remote. */
const REMOTE_VERBS: ReadonlySet<string | undefined> = new Set(['ls-remote', 'fetch'])
const STDERR_BYTES_MAX = 64 * 1024
const STDOUT_BYTES_MAX = 4 * 1024 * 1024

/** git on one private repository. */
export class GitCommand {
  readonly #repository: string
  readonly #environment: Environment
  readonly #clock: Clock
  #checked = false

  /** @param environment as `networkEnvironment` makes it, with GIT_DIR being `repository`. */
  constructor(repository: string, environment: Environment, clock: Clock) {
    this.#repository = repository
    this.#environment = environment
    this.#clock = clock
  }

  /** Runs a verb that may start other programs; the deadline and the signal end all of them. Gives what it printed.
   *  @param added to the environment of this one process, credentials among it. */
  async group(
    args: readonly string[],
    deadline: Deadline,
    signal: AbortSignal,
    added: Environment = {},
  ): Promise<string> {
    const finished = await this.#start(args, { ...this.#environment, ...added }, deadline, signal)
    const { exitCode, timedOut, truncated } = finished
    if (exitCode !== 0 || timedOut || truncated) {
      throw new GitFailed(finished.stderr.subarray(0, STDERR_BYTES_MAX).toString('utf8'), {
        ...(exitCode === undefined ? { killed: true } : { exitCode }),
        timedOut,
        remote: REMOTE_VERBS.has(args[0]),
      })
    }
    return finished.stdout.toString('utf8')
  }

  /** Runs a verb that reads our own objects. */
  async local(args: readonly string[], deadline: Deadline, signal: AbortSignal): Promise<string> {
    return this.#simple(undefined, deadline, signal, git => git.raw([...args]))
  }

  /** `cat-file --batch` on these object names, one a line: bytes in, so bytes out. */
  async catFile(names: string, deadline: Deadline, signal: AbortSignal): Promise<Buffer> {
    return this.#simple(names, deadline, signal, git => git.binaryCatFile(['--batch']) as Promise<Buffer>)
  }

  /** Throws `bad-config` when git is missing or too old; asks once. */
  async requireVersion(deadline: Deadline, signal: AbortSignal): Promise<void> {
    if (this.#checked) return
    const said = await this.group(['version'], deadline, signal).catch(error => {
      throw error instanceof GitFailed && error.exitCode !== undefined && !error.timedOut ? unknown() : error
    })
    const found = /^git version (\d+)\.(\d+)/.exec(said)
    if (found === null) throw unknown()
    const [major, minor] = [Number(found[1]), Number(found[2])]
    const [majorMin, minorMin] = VERSION_MIN
    if (major < majorMin || (major === majorMin && minor < minorMin)) {
      throw new ProviderError('bad-config', `git ${major}.${minor} is too old`, {
        hint: `install git ${majorMin}.${minorMin} or newer`,
      })
    }
    this.#checked = true
  }

  async #start(
    args: readonly string[],
    environment: Environment,
    deadline: Deadline,
    signal: AbortSignal,
  ): Promise<Finished> {
    const timeoutMs = deadline.leftMs()
    if (timeoutMs <= 0) throw new GitFailed('', { timedOut: true })
    try {
      return await run(
        { command: ['git', ...args], environment, timeoutMs, graceMs: 500, outputBytesMax: STDOUT_BYTES_MAX },
        this.#clock,
        signal,
      )
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw missing()
      throw systemCode(error) === 'EACCES' ? forbidden() : error
    }
  }

  /** One simple-git instance a call: an aborted signal spoils an instance for ever. It is told to stop at the deadline, and not
   *  waited for then, since it sends a single SIGINT. Loaded on first use: it costs 12 ms and 8 MiB. */
  async #simple<T>(
    input: string | undefined,
    deadline: Deadline,
    signal: AbortSignal,
    use: (git: import('simple-git').SimpleGit) => PromiseLike<T>,
  ): Promise<T> {
    const { simpleGit } = await import('simple-git')
    signal.throwIfAborted()
    const environment = localEnvironment(this.#environment)
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    const expiry = this.#clock.sleep(deadline.leftMs(), either).then(() => {
      throw new GitFailed('', { timedOut: true })
    })
    try {
      const git = simpleGit({
        baseDir: this.#repository,
        ...(input === undefined ? {} : { input: () => input }),
        abort: either,
        completion: { onClose: true, onExit: false },
        errors: failureOf,
        allowEnvironment: Object.keys(environment),
        unsafe: {
          allowUnsafeConfigEnvCount: true,
          allowUnsafeConfigPaths: true,
          allowUnsafeHooksPath: true,
          allowUnsafeFsMonitor: true,
        },
      }).env({ ...environment })
      return await Promise.race([asPromise(use(git)), expiry])
    } catch (error) {
      signal.throwIfAborted()
      // Made anew on purpose: a GitError carries the whole task.
      throw error instanceof GitFailed ? error : new GitFailed(messageOf(error))
    } finally {
      expiry.catch(() => {})
      over.abort()
    }
  }
}

/** simple-git takes an exit code without a message for success, and the end by a signal, too. */
function failureOf(
  error: Buffer | Error | undefined,
  result: { readonly exitCode: number | null; readonly stdErr: readonly Buffer[] },
): Buffer | Error | undefined {
  const { exitCode } = result
  if (exitCode === 0) return error
  const said = Buffer.concat(result.stdErr).toString('utf8')
  return new GitFailed(said, exitCode === null ? { killed: true } : { exitCode })
}

function missing(): ProviderError {
  return new ProviderError('bad-config', 'git is not installed, or not on the PATH', {
    hint: 'install git 2.32 or newer, and start outrigger with a PATH that has it',
  })
}

function unknown(): ProviderError {
  return new ProviderError('bad-config', 'the git on the PATH does not say its version', {
    hint: 'see what `git version` says; install git 2.32 or newer',
  })
}

function forbidden(): ProviderError {
  return new ProviderError('bad-config', 'we may not execute git', { hint: 'check the permissions of git on the PATH' })
}

/** simple-git's calls are promises with more on them; what loses a race must not be an unhandled rejection. */
function asPromise<T>(response: PromiseLike<T>): Promise<T> {
  const promise = Promise.resolve(response)
  promise.catch(() => {})
  return promise
}
