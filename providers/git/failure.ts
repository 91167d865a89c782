/** What git's words mean. It speaks English to us (LC_ALL=C), and its messages are the only thing it tells beside the number 128. */
import { formatDurationMs } from '../../lib/base/duration.ts'
import { lastLine } from '../../lib/base/excerpt.ts'
import { ProviderError, type ProviderErrorCode } from '../../lib/errors.ts'
import type { GitFailed } from './command.ts'
import { OUR_REF } from './repository.ts'

interface Meaning {
  readonly pattern: RegExp
  readonly code: ProviderErrorCode
  readonly says: string
  readonly hint?: string
  /** Whether git's own words are left out because they mislead. */
  readonly isAll?: true
}

/** What the words of a git that talked to the remote mean, in the order in which they are looked for: a message often has the cause
 *  first and "could not read from remote" last. */
const MEANINGS: readonly Meaning[] = [
  {
    pattern: /Host key verification failed|host key is known for|HOST IDENTIFICATION HAS CHANGED/,
    code: 'unauthenticated',
    says: 'the host key is not the known one',
    hint: 'put the line that the host really has, `ssh-keyscan HOST`, in auth.knownHosts',
  },
  {
    pattern: /UNPROTECTED PRIVATE KEY FILE|bad permissions/,
    code: 'bad-config',
    says: 'ssh refuses a key that others can read',
    hint: 'give the file of auth.sshKey mode 0400 (in a Secret volume: defaultMode: 0400)',
  },
  {
    // git would ask somebody for others now, and complains that it may not: that sounds as if we had sent none.
    pattern: /could not read (?:Username|Password)/,
    code: 'unauthenticated',
    says: 'the server wants credentials, and takes none that we have',
    hint: 'set auth: username and password; where they are set, see whether they are right and have not expired',
    isAll: true,
  },
  {
    pattern: /Authentication failed|returned error: 401|Permission denied \(/,
    code: 'unauthenticated',
    says: 'the credentials are missing or refused',
    hint: 'set auth: username and password for https, sshKey and knownHosts for ssh',
  },
  {
    pattern: /returned error: 403|[Aa]ccess denied|not allowed to (?:read|download)/,
    code: 'forbidden',
    says: 'access is denied',
    hint: 'give the account the right to read this repository',
  },
  {
    pattern: /returned error: 429/,
    code: 'rate-limited',
    says: 'the server asks for fewer requests',
    hint: 'poll less often',
  },
  {
    pattern: /returned error: 3\d\d|unable to update url base from redirection/,
    code: 'invalid-data',
    says: 'the server redirects elsewhere, which is not followed',
    hint: 'set url to where the repository is now',
  },
  {
    pattern: /dubious ownership/,
    code: 'forbidden',
    says: 'the repository belongs to another user',
  },
  {
    pattern: /returned error: 5\d\d/,
    code: 'unavailable',
    says: 'the server has an error of its own',
  },
  {
    pattern: /certificate|SSL|TLS/,
    code: 'unavailable',
    says: 'no TLS connection',
    hint: 'for an authority of your own, start outrigger with GIT_SSL_CAINFO set to its file',
  },
  {
    pattern:
      /Could not resolve|[Cc]onnection (?:refused|timed out|reset|closed)|Failed to connect|Couldn't connect|unreachable|No route to host|Operation too slow|Empty reply|transfer closed|unexpected disconnect|early EOF|RPC failed|Broken pipe/,
    code: 'unavailable',
    says: 'no connection',
  },
  {
    pattern:
      /not found|does not appear to be a git repository|does not exist|not valid: is this a git repository|Not a directory/,
    code: 'invalid-data',
    says: 'there is no such repository, or it is hidden from this account',
    hint: 'check url, and auth where the repository is private',
  },
  {
    pattern: /died of signal/,
    code: 'unavailable',
    says: 'a part of git was ended by a signal',
  },
  {
    pattern: /not our ref|unadvertised object|not advertised/,
    code: 'invalid-data',
    says: 'the server does not give this commit',
    hint: 'the commit may be gone, or the server gives none by hash: use a branch or tag',
  },
  {
    pattern: /couldn't find remote ref/,
    code: 'invalid-data',
    says: 'the ref went away while it was fetched',
  },
  {
    pattern: /fsck error|did not pass|in packed object|pack has bad object/,
    code: 'invalid-data',
    says: 'the commit holds objects that git takes for broken or hostile',
  },
  {
    pattern: /Could not read from remote repository|remote end hung up/,
    code: 'unavailable',
    says: 'the remote ended the connection',
  },
]

/** What is wrong with neither the remote nor our repository, and is not cured by a new one. */
const MEANINGS_OF_DISK: readonly Meaning[] = [
  {
    pattern: /No space left on device|Disk quota exceeded/,
    code: 'unavailable',
    says: 'no space left in the state directory',
    hint: 'make room, or move `state:` to a larger volume',
  },
  {
    pattern: /Read-only file system/,
    code: 'unavailable',
    says: 'the state directory is read-only',
    hint: 'move `state:` to a place that can be written',
  },
]

const LAST_WORDS_MAX = 200

export interface FailureContext {
  /** As it is shown to people, without credentials. */
  readonly url: string
  /** The path of our private repository. */
  readonly store: string
  readonly timeoutMs: number
  /** Masks the credentials that this operation used. */
  readonly redact: (text: string) => string
}

/** The ProviderError for a failure that git's words explain, or undefined when they do not, or speak of our own repository: "does
 *  not exist" is then no word about the remote. */
export function explain(failure: GitFailed, context: FailureContext): ProviderError | undefined {
  if (failure.timedOut) {
    return new ProviderError('timeout', `${context.url}: no end within ${formatDurationMs(context.timeoutMs)}`, {
      hint: 'see whether the server answers; raise timeout if the repository is large',
    })
  }
  if (failure.killed) return new ProviderError('unavailable', `${context.url}: git was ended by a signal`)
  const meanings = isOfStore(failure, context) ? MEANINGS_OF_DISK : [...MEANINGS, ...MEANINGS_OF_DISK]
  const meaning = meanings.find(({ pattern }) => pattern.test(failure.message))
  if (meaning === undefined) return undefined
  const words = meaning.isAll === true ? '' : lastWords(failure, context)
  const message = `${context.url}: ${meaning.says}${words === '' ? '' : ` (${words})`}`
  return new ProviderError(meaning.code, message, meaning.hint === undefined ? {} : { hint: meaning.hint })
}

/** The ProviderError for a failure that nothing explains. Of our own repository it is reported only when a new one fails as well. */
export function unexplained(failure: GitFailed, context: FailureContext): ProviderError {
  const words = lastWords(failure, context) || `git ended with ${failure.exitCode ?? 'no word'}`
  if (isOfStore(failure, context)) {
    const message = `${context.url}: the private Git repository cannot be used, not even when made anew (${words})`
    return new ProviderError('unavailable', message, {
      hint: 'see whether the state directory can be read and written, and whether its disk is sound',
    })
  }
  return new ProviderError('unavailable', `${context.url}: ${words}`)
}

/** Whether a failure speaks of our own repository. One that talked to the remote does when it names it, or the ref in it. */
function isOfStore({ remote, message }: GitFailed, { store }: FailureContext): boolean {
  return !remote || message.includes(store) || message.includes(OUR_REF)
}

/** The first line that git calls fatal or an error, masked: what follows it is advice, and what comes before is the other side's. */
function lastWords(failure: GitFailed, { redact }: FailureContext): string {
  const said = redact(failure.message)
  const line = /^(?:fatal|error): (.*)$/m.exec(said)?.[1]
  return lastLine(line ?? said, LAST_WORDS_MAX)
}
