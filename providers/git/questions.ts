/** What templates ask a Git provider. Every question asks for the same dependency, the whole tree of one commit, and takes its
 *  part of the answer: so values that are used together always come from one commit. */
import { listed } from '../../lib/base/listed.ts'
import { nearest } from '../../lib/base/nearest.ts'
import { fromBytes } from '../../lib/base/text.ts'
import { Tree, type TreeFile, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Question } from '../../lib/provider.ts'
import type { Reading } from '../../lib/reading.ts'
import { parseTreePath } from './names.ts'

export const KIND = 'tree'

/** `ref "NAME://path/of/file"`: the file's text. */
export const fileQuestion: Question = {
  ask(provider, args) {
    filePath(args)
    return dependencyOf(provider)
  },
  answer(reading, args) {
    const path = filePath(args)
    const files = filesOf(reading)
    const file = files.get(path)
    if (file === undefined) throw notThere(path, files, reading)
    return fromBytes(file.content)
  },
}

/** `tree: "NAME://path/of/directory"`: its files. */
export const treeQuestion: Question = {
  ask(provider, args) {
    treePath(args)
    return dependencyOf(provider)
  },
  answer(reading, args) {
    const path = treePath(args)
    const files = filesOf(reading)
    if (path === '') return new Tree(files)
    const prefix = `${path}/`
    const below = [...files].filter(([name]) => name.startsWith(prefix))
    if (below.length === 0) throw notThere(path, files, reading)
    return new Tree(new Map(below.map(([name, file]) => [name.slice(prefix.length), file])))
  },
}

function dependencyOf(provider: string): Dependency {
  return { provider, kind: KIND, path: '', params: {} }
}

function filePath(args: readonly Value[]): string {
  const path = treePath(args)
  if (path === '') throw new Error('want the path of a file, NAME://PATH')
  return path
}

function treePath(args: readonly Value[]): string {
  const [path] = args
  if (args.length !== 1 || typeof path !== 'string') throw new Error('want one path, a string')
  const plain = parseTreePath(path)
  if (plain === undefined) throw new Error(`want a path inside the repository, got ${JSON.stringify(path)}`)
  return plain
}

function filesOf({ value }: Reading): ReadonlyMap<string, TreeFile> {
  if (!(value instanceof Tree)) throw new TypeError('a reading of a Git provider is a tree')
  return value.files
}

/** The tree is there, so a path that is not is a mistake rather than something to wait for. */
function notThere(path: string, files: ReadonlyMap<string, TreeFile>, { revision }: Reading): Error {
  const at = `commit ${revision.slice(0, 12)}`
  if (files.has(path)) return new Error(`${path} is a file in ${at}, not a directory`)
  const names = [...files.keys()]
  if (names.some(name => name.startsWith(`${path}/`))) return new Error(`${path} is a directory in ${at}, not a file`)
  const paths = new Set(names.flatMap(name => [name, ...parents(name)]))
  const near = nearest(path, paths) ?? names.find(name => name.endsWith(`/${path.split('/').at(-1)}`))
  if (near !== undefined) return new Error(`${path} is not in ${at}; ${near} is`)
  return new Error(`${path} is not in ${at}, which has ${names.length === 0 ? 'no files' : listed(names)}`)
}

function parents(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}
