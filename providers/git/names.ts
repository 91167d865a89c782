/** What may stand in git's arguments: addresses, refs and paths, each taken only in forms that cannot be an option, another
 *  transport or a way out. */
import { Credential } from '../../lib/base/schema.ts'
import { Secret } from '../../lib/base/secret.ts'

/** Where a repository is, and how it is reached. Shown to people: credentials have been taken out. */
export interface Address {
  readonly url: string
  readonly transport: 'https' | 'http' | 'ssh' | 'file'
}

/** An address with what the URL said before its `@`, for HTTP. */
export interface AddressWithCredentials extends Address {
  readonly username?: string
  readonly password?: Credential
}

const TEXT_LENGTH_MAX = 4_096
const CONTROL = /\p{Cc}/u
/** A name or an IPv6 address in brackets, maybe a port; never a leading `-`, which ssh would take for an option. */
const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?$/
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.+-]*$/

/** The address that a URL, an scp-like `user@host:path` or an absolute path means, or undefined when it is none of them. */
export function parseAddress(text: string): AddressWithCredentials | undefined {
  if (text.length > TEXT_LENGTH_MAX || CONTROL.test(text) || text.startsWith('-')) return undefined
  if (text.startsWith('/')) return { url: text, transport: 'file' }
  const scheme = /^([a-z]+):\/\/./.exec(text)?.[1]
  switch (scheme) {
    case 'https':
    case 'http':
      return httpAddress(text, scheme)
    case 'ssh':
      return sshAddress(text)
    case 'file':
      return text.startsWith('file:///') ? { url: text, transport: 'file' } : undefined
    case undefined:
      return scpAddress(text)
    default:
      return undefined
  }
}

function httpAddress(text: string, transport: 'https' | 'http'): AddressWithCredentials | undefined {
  const url = parseUrl(text)
  // WHATWG's parser takes any number of slashes, git two.
  if (url === undefined || /^https?:\/\/\//.test(text) || url.hash !== '' || !HOST.test(url.host)) return undefined
  const [username, password] = [decoded(url.username), decoded(url.password)]
  if (username === undefined || password === undefined) return undefined
  url.username = ''
  url.password = ''
  return {
    url: url.href,
    transport,
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password: new Credential({ text: new Secret(password) }) }),
  }
}

/** An ssh URL keeps its user, which is no secret, and takes no password: ssh would not use it. */
function sshAddress(text: string): Address | undefined {
  const url = parseUrl(text)
  if (url === undefined || url.hash !== '' || url.search !== '' || !HOST.test(url.host)) return undefined
  if (url.password !== '' || (url.username !== '' && !USER.test(url.username)) || url.pathname.length < 2)
    return undefined
  return { url: text, transport: 'ssh' }
}

function scpAddress(text: string): Address | undefined {
  const [, user, host = '', path = ''] = /^(?:([^@:/]+)@)?(\[[0-9A-Fa-f:.]+\]|[^@:/[]+):(.+)$/.exec(text) ?? []
  if (!HOST.test(host) || (user !== undefined && !USER.test(user))) return undefined
  // A second colon would make it a remote helper, `ext::command`; a dash would be an option of the other side's git.
  if (/^[-:]/.test(path) || path.startsWith('//')) return undefined
  return { url: text, transport: 'ssh' }
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const REF_LENGTH_MAX = 1_024

/** The ref as it is asked for, or undefined when it can be none: the grammar of git-check-ref-format(1), with the hash in lower case. */
export function parseRef(text: string): string | undefined {
  if (isHash(text.toLowerCase())) return text.toLowerCase()
  const wrong =
    text === '' ||
    text.length > REF_LENGTH_MAX ||
    text === '@' ||
    CONTROL.test(text) ||
    !text.isWellFormed() ||
    /[ ~^:?*[\\]|\.\.|@\{|^[-/]|\/$|\/\/|\.$/.test(text) ||
    text.split('/').some(part => part.startsWith('.') || part.endsWith('.lock'))
  return wrong ? undefined : text
}

/** Whether the text is a full hash, of SHA-1 or SHA-256. */
export function isHash(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/** The path of a directory or file inside a repository in its plain form (`a/b`, empty for the top), or undefined when it cannot be one. */
export function parseTreePath(text: string): string | undefined {
  if (text.length > TEXT_LENGTH_MAX || CONTROL.test(text) || text.startsWith('/') || !text.isWellFormed())
    return undefined
  const parts = text.split('/').filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}
