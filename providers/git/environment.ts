/** What git may see of the world: a fixed environment, with nothing of ours but what is named here. Configuration is passed in
 *  variables (they win over files, and a planted file cannot win over them), never as arguments, never in a file. */
import { join } from 'node:path'
import type { Secret } from '../../lib/base/secret.ts'
import type { Address } from './names.ts'

export type Environment = Readonly<Record<string, string>>

/** A repository that is read: its address, and for ssh the absolute paths of the key and the list of known hosts. */
export interface Remote {
  readonly address: Address
  readonly ssh: { readonly key: string; readonly knownHosts: string } | undefined
}

/** The private directory of one provider, and what lies in it. */
export interface Places {
  /** 0700. */
  readonly directory: string
  /** The bare repository. */
  readonly repository: string
  /** Where nothing is: the repository of a git that shall use none. */
  readonly nowhere: string
}

/** The places below a provider's private directory. */
export function placesIn(directory: string): Places {
  return { directory, repository: join(directory, 'store.git'), nowhere: join(directory, 'none') }
}

const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What is passed on from our own environment: how the network is reached and which authorities are trusted is the
 *  operator's word. */
const PASSED_ON = (
  'http_proxy https_proxy all_proxy no_proxy HTTPS_PROXY ALL_PROXY NO_PROXY ' +
  'GIT_SSL_CAINFO GIT_SSL_CAPATH SSL_CERT_FILE SSL_CERT_DIR'
).split(' ')

/** For git's whole stay with us: reading and writing our repository alike. */
const LOCAL_CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.symlinks', 'false'],
  ['core.protectNTFS', 'true'],
  ['core.protectHFS', 'true'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.logAllRefUpdates', 'false'],
  ['safe.bareRepository', 'explicit'],
]

const REMOTE_CONFIG: readonly (readonly [string, string])[] = [
  ['protocol.allow', 'never'],
  ['transfer.fsckObjects', 'true'],
  ['fetch.fsckObjects', 'true'],
  ['transfer.bundleURI', 'false'],
  // Everything stays in packs: one file to lose a race over, and a number that says when to collect.
  ['transfer.unpackLimit', '1'],
  ['fetch.unpackLimit', '1'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['fetch.negotiationAlgorithm', 'default'],
  ['gc.auto', '0'],
  ['gc.autoDetach', 'false'],
  ['gc.cruftPacks', 'false'],
  ['maintenance.auto', 'false'],
  ['credential.helper', ''],
  ['http.followRedirects', 'false'],
  ['http.sslVerify', 'true'],
  ['http.lowSpeedLimit', '1'],
]

/** The environment of a git that talks to `remote`. Holds no credential; see `credentialEnvironment`.
 *  @param own our own environment. */
export function networkEnvironment(
  remote: Remote,
  places: Places,
  timeoutMs: number,
  own: Environment,
): Record<string, string> {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1_000))
  const config = [
    ...LOCAL_CONFIG,
    ['safe.directory', places.repository],
    ...REMOTE_CONFIG,
    [`protocol.${remote.address.transport}.allow`, 'always'],
    ['http.lowSpeedTime', String(seconds)],
  ] as const
  return {
    ...Object.fromEntries(PASSED_ON.flatMap(name => (own[name] ? [[name, own[name]]] : []))),
    ...baseEnvironment(places, own),
    ...variablesFor(config),
    GIT_ALLOW_PROTOCOL: remote.address.transport,
    GIT_PROTOCOL_FROM_USER: '0',
    // Empty: ask nobody. Where it is unset, git would start the program of SSH_ASKPASS.
    GIT_ASKPASS: '',
    SSH_ASKPASS: '/bin/false',
    GIT_SSH_COMMAND: sshCommand(remote, seconds),
    GIT_SSH_VARIANT: 'ssh',
    GIT_TEMPLATE_DIR: '',
    // A local repository is served by a second git, which sees none of the variables above but reads this file.
    ...(remote.address.transport === 'file' ? { GIT_CONFIG_GLOBAL: join(places.directory, TRUST_FILE) } : {}),
  }
}

/** Where a local repository is declared safe, whoever owns it. */
export const TRUST_FILE = 'gitconfig'

/** The contents of `TRUST_FILE`: whose repository it is does not matter once the operator has named it (git would refuse one
 *  of another user). Not its path, because versions of git differ in how they spell it for this comparison (`.`, or the real
 *  one); the git that reads this serves the configured repository and no other. */
export const TRUST_TEXT = '[safe]\n\tdirectory = *\n'

/** The environment of a git that only reads our own objects: nothing of the network, so nothing to leak. */
export function localEnvironment(network: Environment): Environment {
  const kept = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'LC_ALL', 'TZ', 'GIT_DIR', 'GIT_CEILING_DIRECTORIES', ...FIXED_NAMES]
  return {
    ...Object.fromEntries(kept.map(name => [name, network[name] ?? ''])),
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...variablesFor([...LOCAL_CONFIG, ['safe.directory', network.GIT_DIR ?? '']]),
  }
}

/** What a git needs to prove who we are, as additions to the network environment: a header that is sent to this origin only.
 *  Chosen over GIT_ASKPASS, which needs a program on disk and costs a refused request at each poll. */
export function credentialEnvironment(
  remote: Remote,
  username: string,
  password: Secret,
  network: Environment,
): Record<string, string> {
  const count = Number(network.GIT_CONFIG_COUNT)
  return {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: `http.${new URL(remote.address.url).origin}/.extraHeader`,
    [`GIT_CONFIG_VALUE_${count}`]: `Authorization: Basic ${basicToken(username, password)}`,
  }
}

/** The token of HTTP's basic authentication (RFC 7617, in UTF-8). */
export function basicToken(username: string, password: Secret): string {
  return Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64')
}

const FIXED = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
}
const FIXED_NAMES = Object.keys(FIXED)

function baseEnvironment(places: Places, own: Environment): Record<string, string> {
  return {
    PATH: own.PATH || PATH_DEFAULT,
    // A home that does not exist has no .netrc and no configuration.
    HOME: places.nowhere,
    XDG_CONFIG_HOME: places.nowhere,
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_DIR: places.repository,
    GIT_CEILING_DIRECTORIES: places.directory,
    ...FIXED,
  }
}

function variablesFor(config: readonly (readonly [string, string])[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(config.length) }
  for (const [index, [key, value]] of config.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key
    variables[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return variables
}

/** ssh without any file of the user's: one key, one list of hosts, no agent, nobody to ask. */
function sshCommand({ ssh }: Remote, seconds: number): string {
  if (ssh === undefined) return 'false'
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${sshPath(ssh.knownHosts)}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    `IdentityFile=${sshPath(ssh.key)}`,
    'PreferredAuthentications=publickey',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    `ConnectTimeout=${Math.min(seconds, 30)}`,
    'ServerAliveInterval=5',
    'ServerAliveCountMax=3',
    'LogLevel=ERROR',
  ]
  return ['ssh', '-F', '/dev/null', ...options.flatMap(option => ['-o', option])].map(shellQuoted).join(' ')
}

/** A path in an ssh option: `%` would be expanded, and a space would begin a second path. */
function sshPath(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}
