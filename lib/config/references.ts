/** References to what providers have, where the configuration has some. */
import { nearest } from '../base/nearest.ts'
import { parseReference } from '../dependency.ts'
import type { BundleWorld } from './bundle-world.ts'
import type { Finding, Path } from './finding.ts'

type Known = Pick<BundleWorld, 'providers'>

export function treeFindings(tree: unknown, path: Path, { providers }: Known): readonly Finding[] {
  if (typeof tree !== 'string') return []
  const reference = parseReference(tree)
  if (reference === undefined) return noReference(path, 'repo://conf.d')
  if (reference.field !== undefined) return [{ path, message: 'want a reference to a tree, got one with a #FIELD' }]
  if (!providers.has(reference.provider)) return noProvider(reference.provider, path, providers)
  const provider = providers.get(reference.provider)
  if (provider === undefined || provider.hasTrees) return []
  return [
    {
      path,
      message: `want a provider that has trees, got one of type ${provider.type}`,
      hint: 'git and file have trees',
    },
  ]
}

export function fromFindings(from: unknown, path: Path, { providers }: Known): readonly Finding[] {
  if (typeof from !== 'string') return []
  const reference = parseReference(from)
  if (reference === undefined) return noReference(path, 'vault://kv/app/db#password')
  return providers.has(reference.provider) ? [] : noProvider(reference.provider, path, providers)
}

function noReference(path: Path, example: string): readonly Finding[] {
  return [
    {
      path,
      message: `want a reference such as "${example}", got another string`,
      hint: 'PROVIDER://PATH, with the name of a provider',
    },
  ]
}

function noProvider(name: string, path: Path, providers: Known['providers']): readonly Finding[] {
  const near = nearest(name, providers.keys())
  const known = providers.size === 0 ? 'no provider is configured' : `configured: ${[...providers.keys()].join(', ')}`
  const message = `want the name of a provider before ://, got ${near === undefined ? 'another' : JSON.stringify(name)}`
  return [{ path, message, hint: near === undefined ? known : `did you mean "${near}"?` }]
}
