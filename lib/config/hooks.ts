import { createHash } from 'node:crypto'
import { constants } from 'node:os'
import { credentialFile, filePath, v, type Credential } from '../base/schema.ts'
import { Secret } from '../base/secret.ts'
import type { HookOptions } from '../bundle.ts'
import { byKey, commandLine, httpUrl, nameSchema, plainString, statuses, timeout } from './words.ts'

/** A hook before it has its id, which hangs on its neighbours. */
type Unnamed<T extends HookOptions = HookOptions> = T extends HookOptions ? Omit<T, 'id'> : never

export interface NamedHook {
  /** The name that the configuration gives it, where it does. */
  readonly name: string | undefined
  readonly hook: Unnamed
}

/** The signals of Linux by name; what this system does not have is refused when it is asked for. A fixed list, so that the
 *  JSON Schema is the same wherever it is made. */
const SIGNALS = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ ' +
  'VTALRM PROF WINCH IO PWR SYS'
)
  .split(' ')
  .flatMap(name => [`SIG${name}`, name])

const SIGNAL_WANT = 'a signal such as SIGHUP'

const signal = v.pipe(
  v.picklist(SIGNALS, SIGNAL_WANT),
  v.transform(name => (name.startsWith('SIG') ? name : `SIG${name}`) as NodeJS.Signals),
  v.check(name => Object.hasOwn(constants.signals, name), 'a signal of this system such as SIGHUP'),
  v.metadata({ description: 'The signal to send, with or without SIG.', examples: ['SIGHUP'] }),
)

const name = v.optional(v.pipe(nameSchema, v.description('What the hook is called in logs and in the journal.')))

const signalHook = v.pipe(
  v.strictObject({
    name,
    signal,
    process: v.optional(
      v.pipe(
        plainString('the name of a process'),
        v.nonEmpty('the name of a process'),
        v.metadata({ description: 'The name of the process to signal.', examples: ['nginx'] }),
      ),
    ),
    pidFile: v.optional(
      v.pipe(
        filePath('the path of a file with a process id'),
        v.metadata({
          description: 'The file that holds the id of the process to signal.',
          examples: ['/run/nginx.pid'],
        }),
      ),
    ),
    timeout: timeout('10s'),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    // A misspelt key is the likely cause, and has been named.
    if (dataset.issues?.some(({ type, expected }) => type === 'strict_object' && expected === 'never') === true) return
    const keys = ['process', 'pidFile'].filter(key => Object.hasOwn(Object(dataset.value), key))
    const got = keys.length === 0 ? 'none of them' : 'both'
    if (keys.length !== 1) addIssue({ message: `one of the keys process or pidFile, got ${got}` })
  }),
  v.transform(({ name, timeout: timeoutMs, signal, process, pidFile }): NamedHook => {
    const target = process === undefined ? { pidFile: pidFile as string } : { process }
    return { name, hook: { kind: 'signal', timeoutMs, signal, target } }
  }),
)

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
/** RFC 9110 §5.5, without the line breaks that would end a header, or `file:PATH`. */
const HEADER_VALUE = /^(?!file:$)(?:[\t\x20-\x7e\x80-\xff]*|file:[\t\x20-\uffff]+)$/
/** Headers that say how the body is sent, which is ours to say. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
  'trailer',
])

const headers = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.regex(HEADER_NAME, 'the name of a header'),
      v.check(name => !OWN_HEADERS.has(name.toLowerCase()), 'a header that does not say how the body is sent'),
    ),
    v.pipe(
      v.string(),
      v.regex(HEADER_VALUE, 'the value of a header on one line'),
      v.rawTransform(
        ({ dataset, config }): Secret | Credential =>
          credentialFile(dataset.value, config) ?? new Secret(dataset.value),
      ),
      v.metadata({ sensitive: true, examples: ['Bearer ${TOKEN}', 'file:/run/secrets/header'] }),
    ),
  ),
  v.check(
    record => new Set(Object.keys(record).map(name => name.toLowerCase())).size === Object.keys(record).length,
    'each header once, got one twice, in capital and in small letters',
  ),
  v.transform((record): ReadonlyMap<string, Secret | Credential> => new Map(Object.entries(record))),
)

const METHOD_WANT = 'an HTTP method such as POST'
const TWO_CREDENTIALS = 'a user in the URL or an Authorization header, got both'

const httpHook = v.pipe(
  v.strictObject({
    name,
    http: v.pipe(
      httpUrl(),
      v.metadata({
        description: 'The URL to call; a user and password in it are sent as an Authorization header.',
        examples: ['http://127.0.0.1:8080/-/reload'],
      }),
    ),
    method: v.optional(
      v.pipe(
        v.string(METHOD_WANT),
        v.regex(/^[A-Za-z]{1,20}$/, METHOD_WANT),
        v.transform(text => text.toUpperCase()),
        v.check(method => method !== 'CONNECT', METHOD_WANT),
        v.description('The method of the request.'),
      ),
      'POST',
    ),
    headers: v.optional(
      v.pipe(headers, v.description('Sent with the request; ${NAME} is expanded, and file:PATH is read each time.')),
      {},
    ),
    expect: v.optional(statuses('The statuses that mean "told"; 200 to 299 when left out.')),
    timeout: timeout('10s'),
  }),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }): NamedHook => {
    const { name, timeout: timeoutMs, method, headers: given, expect } = value
    const { url, authorization } = withoutUser(value.http)
    const all = new Map(given)
    if (authorization !== undefined && hasHeader(given, 'authorization')) {
      addIssue({ message: TWO_CREDENTIALS })
      return NEVER
    }
    if (authorization !== undefined) all.set('Authorization', authorization)
    return { name, hook: { kind: 'http', timeoutMs, url, method, headers: all, expect } }
  }),
)

const commandHook = v.pipe(
  v.strictObject({
    name,
    command: v.pipe(
      commandLine(),
      v.metadata({ description: 'The program to run, without a shell.', examples: [['systemctl', 'reload', 'app']] }),
    ),
    env: v.optional(
      v.pipe(
        v.record(
          v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable')),
          v.pipe(plainString('a string'), v.metadata({ sensitive: true })),
        ),
        v.description('Added to the small environment that the program gets; ${NAME} is expanded.'),
      ),
      {},
    ),
    timeout: timeout('30s'),
  }),
  v.transform(({ name, timeout: timeoutMs, command, env }): NamedHook => {
    return { name, hook: { kind: 'command', timeoutMs, command, environment: env } }
  }),
)

export const hookSchema = byKey({ signal: signalHook, http: httpHook, command: commandHook })

/** The URL without its user and password, and the header that says the same (RFC 7617). */
function withoutUser(given: URL): { readonly url: string; readonly authorization: Secret | undefined } {
  const url = new URL(given)
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { url: url.href, authorization: undefined }
  const pair = `${decoded(username)}:${decoded(password)}`
  return { url: url.href, authorization: new Secret(`Basic ${Buffer.from(pair, 'utf8').toString('base64')}`) }
}

/** A lone `%` stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function hasHeader(given: ReadonlyMap<string, unknown>, wanted: string): boolean {
  return [...given.keys()].some(name => name.toLowerCase() === wanted)
}

/** The hooks of one bundle with their ids: the name, or what the hook does. Where two do the same but for details, an id carries
 *  a digest of the details, not a number, so that removing one hook does not give its id, and what was told it, to the other. */
export function withIds(hooks: readonly NamedHook[]): readonly HookOptions[] {
  const titles = hooks.map(({ name, hook }) => name ?? titleOf(hook))
  const wanted = hooks.map(({ name, hook }, i) => {
    const title = titles[i] as string
    return name === undefined && isRepeated(title, titles) ? `${title} (${detailsOf(hook)})` : title
  })
  return hooks.map(({ hook }, i) => {
    const id = wanted[i] as string
    const before = wanted.slice(0, i).filter(other => other === id).length
    return { ...hook, id: before === 0 ? id : `${id} #${before + 1}` }
  })
}

function isRepeated(title: string, titles: readonly string[]): boolean {
  return titles.indexOf(title) !== titles.lastIndexOf(title)
}

/** What a hook does, in words that hold no credential: not a query, not the arguments of a command. */
function titleOf(hook: Unnamed): string {
  if (hook.kind === 'command') return `command ${hook.command[0]}`
  if (hook.kind === 'signal')
    return `signal ${hook.signal} ${'process' in hook.target ? hook.target.process : hook.target.pidFile}`
  const { origin, pathname } = new URL(hook.url)
  return `http ${hook.method} ${origin}${pathname}`
}

/** Six digits over what tells two hooks of one title apart; headers and environments, which may be short secrets, are left out. */
function detailsOf(hook: Unnamed): string {
  const details =
    hook.kind === 'command' ? hook.command : hook.kind === 'signal' ? hook.target : [hook.url, hook.expect]
  return createHash('sha256').update(JSON.stringify(details)).digest('hex').slice(0, 6)
}
