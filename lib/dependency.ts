/** One thing that a template can ask a provider for. It is a value: equal fields make the same dependency, whoever asks.
 *  It is shown to people, so no field may hold a secret. */
export interface Dependency {
  /** The name that the configuration gives the provider, not its type. */
  readonly provider: string
  /** What is asked for, in the provider's own words: `file`, `tree`, `key`, `secret`. */
  readonly kind: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
}

/** The identity of a dependency as a string, for maps. */
export type DependencyId = string & { readonly dependencyId: true }

/** One function over all fields, so that no field can be forgotten in one kind of dependency. */
export function dependencyId(dependency: Dependency): DependencyId {
  const known = ids.get(dependency)
  if (known !== undefined) return known
  const params = Object.entries(dependency.params).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const id = JSON.stringify([dependency.provider, dependency.kind, dependency.path, params]) as DependencyId
  ids.set(dependency, id)
  return id
}

/** Each pass asks for the id of all dependencies several times over, most of them the same objects as in the pass before. */
const ids = new WeakMap<Dependency, DependencyId>()

/** A dependency for people: `vault://kv/app/db`, with its kind where that is not plain from the provider. */
export function showDependency({ provider, path, params }: Dependency): string {
  const query = Object.entries(params).map(([name, value]) => `${name}=${value}`)
  return `${provider}://${path}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

/** A reference as people write it, `PROVIDER://PATH[#FIELD]`. */
export interface Reference {
  readonly provider: string
  readonly path: string
  readonly field?: string
}

const REFERENCE = /^([A-Za-z0-9][A-Za-z0-9_-]*):\/\/([^#]*)(?:#(.+))?$/s

/** The parts of `PROVIDER://PATH[#FIELD]`, or undefined when the text is not one. */
export function parseReference(text: string): Reference | undefined {
  const match = REFERENCE.exec(text)
  if (match === null) return undefined
  const [, provider = '', path = '', field] = match
  return field === undefined ? { provider, path } : { provider, path, field }
}
