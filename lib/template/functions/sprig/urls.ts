import { messageOf } from '../../../base/errors.ts'
import type { Value } from '../../../base/value.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { kindOf } from './casts.ts'
import { define } from './define.ts'
import { nilDereference } from './limits.ts'
import { fromOctets, octetsOf } from './octets.ts'
import { hostnameOf, parseUrl, printUrl, printUser } from './url.ts'

/** The functions that take URLs apart and put them together. */
export const urlFunctions: readonly TemplateFunction<unknown>[] = [
  define('urlParse URL', ['string'], (text, execution) => {
    const url = parsed(text, 'url', execution)
    return new Map(
      Object.entries({
        scheme: url.scheme,
        host: url.host,
        hostname: hostnameOf(url),
        path: url.path,
        query: url.query,
        opaque: url.opaque,
        fragment: url.fragment,
        userinfo: url.user === undefined ? '' : printUser(url.user),
      }).map(([name, octets]) => [name, fromOctets(octets)]),
    )
  }),
  define('urlJoin MAP', ['map'], (map, execution) => {
    const part = (name: string) => octetsOf(textAt(map, name))
    const url = {
      scheme: part('scheme'),
      host: part('host'),
      path: part('path'),
      query: part('query'),
      opaque: part('opaque'),
      fragment: part('fragment'),
    }
    const userinfo = textAt(map, 'userinfo')
    const { user } =
      userinfo === '' ? { user: undefined } : parsed(`proto://${userinfo}@host`, 'userinfo in dict', execution)
    return fromOctets(printUrl({ ...url, user }))
  }),
]

function parsed(text: string, what: string, execution: Executing) {
  try {
    return parseUrl(octetsOf(text), octets => execution.quoted(fromOctets(octets), 'q'))
  } catch (error) {
    // The fragment is set apart before all else, and is no part of what failed, unless it is what failed.
    const [whole = ''] = messageOf(error).startsWith(FRAGMENT) ? [text] : text.split('#')
    const reason = messageOf(error).replace(FRAGMENT, '')
    throw new Error(`unable to parse ${what}: parse ${execution.quoted(whole, 'q')}: ${reason}`, { cause: error })
  }
}

const FRAGMENT = 'fragment: '

function textAt(map: ReadonlyMap<string, Value>, name: string): string {
  const value = map.get(name)
  if (value === undefined) return ''
  if (value === null) throw nilDereference()
  if (typeof value === 'string') return value
  throw new Error(`unable to parse ${name} key, must be of type string, but ${kindOf(value)} found`)
}
