import { credential, durationMs, v, type Credential, type Schema } from '../../lib/base/schema.ts'
import { parseAddress, parseRef, parseTreePath, type Address } from './names.ts'

/** The options of a Git provider, validated: nothing in them can be taken for an option of git, or name another transport. */
export interface GitOptions {
  readonly address: Address
  /** `HEAD`, a branch, a tag, a full name (`refs/…`), or a full hash in lower case. @default 'HEAD' */
  readonly ref: string
  /** @default 10_000 */
  readonly pollMs: number
  /** For one whole read, from asking the remote to the last file. @default 60_000 */
  readonly timeoutMs: number
  /** The directory that is read, below the top of the repository; empty for all of it. @default '' */
  readonly path: string
  readonly username: string | undefined
  readonly password: Credential | undefined
  /** The paths of the key and of the list of known hosts, as they were written. */
  readonly ssh: { readonly key: string; readonly knownHosts: string } | undefined
  /** @default false */
  readonly sensitive: boolean
}

const URL_WANTED = 'an https://, ssh:// or file:// URL, user@host:path, or an absolute path'
const REF_WANTED = 'HEAD, the name of a branch or tag, or a full hash'
const PATH_WANTED = 'a directory inside the repository, such as deploy/web'
const FILE_WANTED = 'the path of a file'

const text = (wanted: string) => v.pipe(v.string(wanted), v.minLength(1, wanted))
/** A path that goes into ssh's own options, where quotes and line breaks would end it. */
const sshFile = v.pipe(
  v.string(FILE_WANTED),
  v.check(path => path !== '' && !/["\p{Cc}]/u.test(path), FILE_WANTED),
)

const fields = v.strictObject({
  url: v.pipe(
    v.string(URL_WANTED),
    v.check(url => parseAddress(url) !== undefined, URL_WANTED),
    v.metadata({ examples: ['https://git.example.org/config.git'] }),
  ),
  ref: v.optional(
    v.pipe(
      v.string(REF_WANTED),
      v.check(ref => parseRef(ref) !== undefined, REF_WANTED),
    ),
    'HEAD',
  ),
  poll: v.optional(durationMs({ least: 100 }), '10s'),
  timeout: v.optional(durationMs({ least: 1_000 }), '60s'),
  path: v.optional(
    v.pipe(
      v.string(PATH_WANTED),
      v.check(path => parseTreePath(path) !== undefined, PATH_WANTED),
    ),
    '',
  ),
  auth: v.optional(
    v.strictObject({
      username: v.optional(text('a user name')),
      password: v.optional(credential()),
      sshKey: v.optional(sshFile),
      knownHosts: v.optional(sshFile),
    }),
    {},
  ),
  sensitive: v.optional(v.boolean('true or false'), false),
})

type Fields = v.InferOutput<typeof fields>

export const gitOptions = v.pipe(
  fields,
  v.forward(
    v.check(
      options => transportOf(options) !== 'ssh' || (has(options.auth.sshKey) && has(options.auth.knownHosts)),
      'sshKey and knownHosts, which an ssh URL needs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      options => transportOf(options) === 'ssh' || !(has(options.auth.sshKey) || has(options.auth.knownHosts)),
      'no sshKey and knownHosts, which are for ssh URLs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      options => isHttp(options) || !(has(options.auth.username) || has(options.auth.password)),
      'no username and password, which are for https URLs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      options => addressOf(options).password === undefined || !has(options.auth.password),
      'no password, because the URL has one',
    ),
    ['auth', 'password'],
  ),
  v.transform(toOptions),
) satisfies Schema<GitOptions>

function toOptions(options: Fields): GitOptions {
  const { username, password, sshKey, knownHosts } = options.auth
  const { username: urlUsername, password: urlPassword, ...address } = addressOf(options)
  return {
    address,
    ref: parseRef(options.ref) ?? 'HEAD',
    pollMs: options.poll,
    timeoutMs: options.timeout,
    path: parseTreePath(options.path) ?? '',
    username: username ?? urlUsername,
    password: password ?? urlPassword,
    ssh: sshKey === undefined || knownHosts === undefined ? undefined : { key: sshKey, knownHosts },
    sensitive: options.sensitive,
  }
}

function addressOf({ url }: { readonly url: string }) {
  const address = parseAddress(url)
  if (address === undefined) throw new TypeError('the url was validated before')
  return address
}

function transportOf(options: { readonly url: string }): Address['transport'] {
  return addressOf(options).transport
}

function isHttp(options: { readonly url: string }): boolean {
  return ['http', 'https'].includes(transportOf(options))
}

function has(value: unknown): boolean {
  return value !== undefined
}
