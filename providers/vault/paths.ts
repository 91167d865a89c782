/** Paths as people write them, and as they go to the server. */

/** A path and what is asked about it, `kv/app?version=3`. */
export interface Asked {
  readonly path: string
  readonly params: Readonly<Record<string, string>>
}

/** Of the path alone: without slashes at its ends, with one between its parts; undefined when it is none. A part that is `.` or
 *  `..` would lead elsewhere. */
export function parsePath(text: string): string | undefined {
  const parts = text.split('/').filter(part => part !== '')
  const isPlain = parts.every(part => part !== '.' && part !== '..' && !/\p{Cc}/u.test(part) && part.isWellFormed())
  return parts.length > 0 && isPlain ? parts.join('/') : undefined
}

/** Of a path with its query. Both are parts of a URL, where `%`, `?` and `#` of a name are written `%25`, `%3F` and `%23`. Throws
 *  an Error for the template's author. */
export function parseAsked(text: string): Asked {
  const [, before = '', query = '', fragment] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(text.trim()) ?? []
  if (fragment !== undefined) throw new Error('want a path without #; a # in a name is written %23')
  const decoded = decode(before)
  const path = decoded === undefined ? undefined : parsePath(decoded)
  if (path === undefined) {
    throw new Error(`want a path such as kv/app, got ${JSON.stringify(before)}; a % in a name is written %25`)
  }
  return { path, params: paramsOf(query) }
}

function paramsOf(query: string): Readonly<Record<string, string>> {
  const params = new Map<string, string>()
  for (const part of query.split('&').filter(part => part !== '')) {
    const [name, value] = part.split(/=(.*)/s, 2).map(text => decode(text.replaceAll('+', ' ')))
    if (name === undefined || name === '' || value === undefined || /\p{Cc}/u.test(name + value)) {
      throw new Error(`want ?NAME=VALUE after the path, such as ?version=3`)
    }
    params.set(name, name === 'namespace' ? value.replaceAll(/^\/+|\/+$/g, '') : value)
  }
  const version = params.get('version')
  if (version !== undefined && !/^\d{1,15}$/.test(version)) throw new Error('want ?version=N, a whole number')
  const namespace = params.get('namespace')
  if (namespace !== undefined && namespace !== '' && parsePath(namespace) !== namespace) {
    throw new Error('want ?namespace=NAME, such as ?namespace=team-a')
  }
  return Object.fromEntries([...params].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A path for a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

export function encodeQuery(query: Readonly<Record<string, string>>): string {
  const parts = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}
