/** What templates write after a function's name, as consul-template reads it: `tag.name?ns=…&partition=…@dc~near|filter`. */

export type Params = Readonly<Record<string, string>>

/** Each part of a name, in the order in which they stand. A word is Go's `[[:word:]]`: ASCII alone. */
const KEY = String.raw`/?(?<key>[^@?]+)`
const TAG = String.raw`(?:(?<tag>[\w=:.-]+)\.)?`
const SERVICE = String.raw`(?<name>[\w-]+)`
const NODE = String.raw`(?<name>[\w.-]+)`
const QUERY = String.raw`(?:\?(?<query>[\w=&-]+))?`
const DATACENTER = String.raw`(?:@(?<dc>[\w.-]+))?`
const NEAR = String.raw`(?:~(?<near>[\w.-]+))?`
const FILTER = String.raw`(?:\|(?<filter>[\w,]+))?`

/** One form of names, and how people are told of it. */
export interface Form {
  readonly pattern: RegExp
  readonly want: string
}

export const keyForm = form(KEY + QUERY + DATACENTER, 'PATH?ns=NAMESPACE&partition=PARTITION@DATACENTER')
export const serviceForm = form(
  TAG + SERVICE + QUERY + DATACENTER + NEAR + FILTER,
  'TAG.NAME?ns=NAMESPACE&partition=PARTITION&peer=PEER@DATACENTER~NEAR|FILTER',
)
export const servicesForm = form(QUERY + DATACENTER, '?ns=NAMESPACE&partition=PARTITION@DATACENTER')
export const nodeForm = form(NODE + QUERY + DATACENTER, 'NAME?partition=PARTITION@DATACENTER')
export const nodesForm = form(QUERY + DATACENTER + NEAR, '?partition=PARTITION@DATACENTER~NEAR')
export const peeringsForm = form(QUERY, '?partition=PARTITION')

function form(pattern: string, want: string): Form {
  return { pattern: new RegExp(`^${pattern}$`, 'su'), want }
}

const QUERY_KEYS: readonly string[] = ['ns', 'peer', 'partition', 'sameness-group']

/** The parts of a name that are there. Throws an Error for the template's author, which does not show the name: it may come from
 *  a value. */
export function partsOf(text: string, { pattern, want }: Form): Params {
  const match = pattern.exec(text)
  if (match === null) throw new Error(`want ${want}`)
  const { query, ...parts } = match.groups ?? {}
  const all = Object.entries({ ...parts, ...queryOf(query ?? '') })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => Boolean(entry[1])))
}

/** Of a key that is given twice, the first counts. */
function queryOf(text: string): Params {
  const found: Record<string, string> = {}
  for (const part of text.split('&').filter(part => part !== '')) {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/.exec(part) ?? []
    if (!QUERY_KEYS.includes(key)) throw new Error(`after the ? want ${QUERY_KEYS.join(', ')}`)
    found[key] ??= value
  }
  return found
}

const STATES: readonly string[] = ['any', 'passing', 'warning', 'critical', 'maintenance']

/** The states of health that are let through, one way spelled; passing where nothing is said. */
export function filterOf(text: string | undefined): string {
  if (text === undefined) return 'passing'
  const states = text.split(',').filter(state => state !== '')
  if (!states.every(state => STATES.includes(state))) throw new Error(`after the | want ${STATES.join(', ')}`)
  return [...new Set(states)].toSorted().join(',')
}

/** Those of the parts that go with a dependency. */
export function only(parts: Params, ...names: readonly string[]): Params {
  return Object.fromEntries(names.flatMap(name => (parts[name] === undefined ? [] : [[name, parts[name]]])))
}
