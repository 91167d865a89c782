import { credential, durationMs, filePath, v, type Credential, type Schema } from '../../lib/base/schema.ts'
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

/** A text that `parse` understands, as what it gives. */
function parsed<T extends string | object>(parse: (text: string) => T | undefined, wanted: string) {
  return v.pipe(
    v.string(wanted),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const result = parse(dataset.value)
      if (result !== undefined) return result
      addIssue({ message: wanted })
      return NEVER
    }),
  )
}

/** A path that goes into ssh's own options, where quotes and line breaks would end it. */
const sshFile = v.pipe(filePath(FILE_WANTED), v.regex(/^[^"\p{Cc}]+$/u, FILE_WANTED))

const fields = v.strictObject({
  // It may hold a password, so messages do not show it.
  url: v.pipe(
    parsed(parseAddress, URL_WANTED),
    v.metadata({ sensitive: true, examples: ['https://git.example.org/config.git'] }),
  ),
  ref: v.optional(parsed(parseRef, REF_WANTED), 'HEAD'),
  poll: v.optional(durationMs({ least: 100 }), '10s'),
  timeout: v.optional(durationMs({ least: 1_000 }), '60s'),
  path: v.optional(parsed(parseTreePath, PATH_WANTED), ''),
  auth: v.optional(
    v.strictObject({
      username: v.optional(v.pipe(v.string('a user name'), v.nonEmpty('a user name'))),
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
      ({ url, auth }) => url.transport !== 'ssh' || (auth.sshKey !== undefined && auth.knownHosts !== undefined),
      'sshKey and knownHosts, which an ssh URL needs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      ({ url, auth }) => url.transport === 'ssh' || (auth.sshKey === undefined && auth.knownHosts === undefined),
      'no sshKey and knownHosts, which are for ssh URLs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      ({ url, auth }) => isHttp(url) || (auth.username === undefined && auth.password === undefined),
      'no username and password, which are for https URLs',
    ),
    ['auth'],
  ),
  v.forward(
    v.check(
      ({ url, auth }) => url.password === undefined || auth.password === undefined,
      'no password, because the URL has one',
    ),
    ['auth', 'password'],
  ),
  v.transform(toOptions),
) satisfies Schema<GitOptions>

function toOptions({ url, ref, poll, timeout, path, auth, sensitive }: Fields): GitOptions {
  const { username, password, sshKey, knownHosts } = auth
  return {
    address: { url: url.url, transport: url.transport },
    ref,
    pollMs: poll,
    timeoutMs: timeout,
    path,
    username: username ?? url.username,
    password: password ?? url.password,
    ssh: sshKey === undefined || knownHosts === undefined ? undefined : { key: sshKey, knownHosts },
    sensitive,
  }
}

function isHttp({ transport }: Address): boolean {
  return transport === 'http' || transport === 'https'
}
