import { Tree, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Question } from '../../lib/provider.ts'

/** What a dependency asks for: the text of one file, or all files below a directory. */
const FILE = 'file'
export const TREE = 'tree'

/** `ref "NAME://path/of/file"`: the file's text; of a single-file provider, `NAME://`. */
export const fileQuestion: Question = {
  ask: (provider, args) => dependencyOf(provider, FILE, args),
  answer({ value }) {
    if (typeof value !== 'string') throw new TypeError('a reading of a file is a text')
    return value
  },
}

/** `tree: "NAME://path/of/directory"`: its files; the whole of it is `NAME://`. */
export const treeQuestion: Question = {
  ask: (provider, args) => dependencyOf(provider, TREE, args),
  answer({ value }) {
    if (!(value instanceof Tree)) throw new TypeError('a reading of a directory is a tree')
    return value
  },
}

function dependencyOf(provider: string, kind: string, args: readonly Value[]): Dependency {
  const [path] = args
  if (args.length !== 1 || typeof path !== 'string') throw new Error('want one path, a string')
  return { provider, kind, path: plainPath(path), params: {} }
}

/** The path with one spelling, so that it makes one dependency. Throws an Error for the author when it could lead elsewhere. */
function plainPath(path: string): string {
  const shown = JSON.stringify(path)
  if (path.startsWith('/')) throw new Error(`want a path below the provider's own, got the absolute ${shown}`)
  if (path.includes('\0') || !path.isWellFormed()) throw new Error(`want a path of whole characters, got ${shown}`)
  const names = path.split('/').filter(name => name !== '' && name !== '.')
  if (names.includes('..')) throw new Error(`want a path without .., got ${shown}`)
  // A mounted ConfigMap keeps its versions under such names and drops them at any time.
  if (names.some(name => name.startsWith('..')))
    throw new Error(`want a name that does not start with .., got ${shown}`)
  return names.join('/')
}
