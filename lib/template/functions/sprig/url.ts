/** A URL as Go takes it apart, unescaped, in octets. */
export interface Url {
  readonly scheme: string
  readonly opaque: string
  readonly user: User | undefined
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fragment: string
}

export interface User {
  readonly name: string
  readonly password: string | undefined
}

/** How a part is shown in an error. */
type Quoted = (octets: string) => string

/** Takes a URL apart by the rules of Go's net/url, which are not those of browsers. Throws an Error with Go's words. */
export function parseUrl(text: string, quoted: Quoted): Url {
  const hash = text.indexOf('#')
  const url = parseWithoutFragment(hash < 0 ? text : text.slice(0, hash), quoted)
  return hash < 0 ? url : { ...url, fragment: unescapeFragment(text.slice(hash + 1), quoted) }
}

function unescapeFragment(text: string, quoted: Quoted): string {
  try {
    return unescape(text, undefined, quoted)
  } catch (error) {
    throw new Error(`fragment: ${(error as Error).message}`, { cause: error })
  }
}

function parseWithoutFragment(text: string, quoted: Quoted): Url {
  const none: Url = { scheme: '', opaque: '', user: undefined, host: '', path: '', query: '', fragment: '' }
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new Error('net/url: invalid control character in URL')
  if (text === '*') return { ...none, path: '*' }
  if (text.startsWith(':')) throw new Error('missing protocol scheme')
  const written = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? ''
  const scheme = written.toLowerCase()
  const afterScheme = written === '' ? text : text.slice(written.length + 1)
  const mark = afterScheme.indexOf('?')
  const query = mark < 0 ? '' : afterScheme.slice(mark + 1)
  let rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark)
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...none, scheme, opaque: rest, query }
    if (/^[^/]*:/.test(rest)) throw new Error('first path segment in URL cannot contain colon')
  }
  let authority: Pick<Url, 'user' | 'host'> = none
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2)
    authority = parseAuthority(rest.slice(2, slash < 0 ? undefined : slash), scheme, quoted)
    rest = slash < 0 ? '' : rest.slice(slash)
  }
  return { ...none, scheme, ...authority, query, path: unescape(rest, undefined, quoted) }
}

function parseAuthority(text: string, scheme: string, quoted: Quoted): Pick<Url, 'user' | 'host'> {
  const at = text.lastIndexOf('@')
  const host = parseHost(text.slice(at + 1), scheme, quoted)
  if (at < 0) return { user: undefined, host }
  const userinfo = text.slice(0, at)
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) throw new Error('net/url: invalid userinfo')
  const colon = userinfo.indexOf(':')
  const name = unescape(colon < 0 ? userinfo : userinfo.slice(0, colon), undefined, quoted)
  const password = colon < 0 ? undefined : unescape(userinfo.slice(colon + 1), undefined, quoted)
  return { user: { name, password }, host }
}

/** These let no second colon stand in a host; others list several hosts there. */
const STRICT_SCHEMES = ['http', 'https']

function parseHost(text: string, scheme: string, quoted: Quoted): string {
  const open = text.lastIndexOf('[')
  if (open > 0) throw new Error('invalid IP-literal')
  if (open === 0) return parseAddress(text, quoted)
  const colon = STRICT_SCHEMES.includes(scheme) ? text.indexOf(':') : text.lastIndexOf(':')
  if (colon >= 0) checkPort(text.slice(colon), quoted)
  return unescape(text, 'host', quoted)
}

function parseAddress(text: string, quoted: Quoted): string {
  const close = text.lastIndexOf(']')
  if (close < 0) throw new Error("missing ']' in host")
  const port = text.slice(close + 1)
  checkPort(port, quoted)
  const name = text.slice(1, close)
  const zone = name.indexOf('%25')
  const address =
    zone < 0
      ? unescape(name, 'host', quoted)
      : unescape(name.slice(0, zone), 'host', quoted) + unescape(name.slice(zone), 'zone', quoted)
  if (/^[0-9.]+$/.test(address) && address.split('.').length === 4) throw new Error('invalid IP-literal')
  // Not imported: few templates take an address apart, and loading it takes a millisecond.
  const { isIPv6 } = process.getBuiltinModule('node:net')
  if (!isIPv6(address.replace(/%.+$/s, ''))) {
    throw new Error(`invalid host: ParseAddr(${quoted(address)}): unable to parse IP`)
  }
  return `[${address}]${port}`
}

function checkPort(port: string, quoted: Quoted): void {
  if (!/^(:[0-9]*)?$/.test(port)) throw new Error(`invalid port ${quoted(port)} after host`)
}

type Part = 'path' | 'user' | 'host' | 'zone' | 'fragment'

const UNESCAPED: Readonly<Record<Part, RegExp>> = {
  path: /[A-Za-z0-9\-_.~$&+,/:;=@]/,
  user: /[A-Za-z0-9\-_.~$&+,;=]/,
  host: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/,
  zone: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/,
  fragment: /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/,
}

function escape(octets: string, part: Part): string {
  const plain = UNESCAPED[part]
  return octets.replaceAll(/[^A-Za-z0-9\-_.~]/g, octet => (plain.test(octet) ? octet : percent(octet)))
}

function percent(octet: string): string {
  return `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** In a host, only what is not ASCII may be escaped, and few characters may stand; elsewhere everything may. */
function unescape(octets: string, part: 'host' | 'zone' | undefined, quoted: Quoted): string {
  return octets.replaceAll(/%.{0,2}|[^%]/gs, (written: string) => {
    if (!written.startsWith('%')) {
      if (part === undefined || written >= '\u0080' || UNESCAPED[part].test(written)) return written
      throw new Error(`invalid character ${quoted(written)} in host name`)
    }
    const octet = String.fromCharCode(Number.parseInt(written.slice(1), 16))
    const isAllowed =
      part === undefined ||
      written === '%25' ||
      (part === 'host' ? octet >= '\u0080' : octet === ' ' || UNESCAPED.host.test(octet))
    if (!/^%[0-9A-Fa-f]{2}$/.test(written) || !isAllowed) throw new Error(`invalid URL escape ${quoted(written)}`)
    return octet
  })
}

/** The URL of parts that need not fit together. */
export function printUrl({ scheme, opaque, user, host, path, query, fragment }: Url): string {
  let out = scheme === '' ? '' : `${scheme}:`
  if (opaque === '') {
    if (host !== '' || user !== undefined || (scheme !== '' && path !== '')) out += '//'
    if (user !== undefined) out += `${printUser(user)}@`
    out += escape(host, 'host')
    const escaped = path === '*' ? '*' : escape(path, 'path')
    if (escaped !== '' && !escaped.startsWith('/') && host !== '') out += '/'
    // A colon in the first part of a path would make a scheme of it.
    if (out === '' && /^[^/]*:/.test(escaped)) out = './'
    out += escaped
  } else out += opaque
  if (query !== '') out += `?${query}`
  return fragment === '' ? out : `${out}#${escape(fragment, 'fragment')}`
}

export function printUser({ name, password }: User): string {
  return escape(name, 'user') + (password === undefined ? '' : `:${escape(password, 'user')}`)
}

/** Without the port, and without the brackets of an address. */
export function hostnameOf({ host }: Url): string {
  const name = host.replace(/:[0-9]*$/, '')
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
}
