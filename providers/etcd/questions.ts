import { toBytes } from '../../lib/base/text.ts'
import { Struct, Tree, type TreeFile, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Question } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'

/** What a dependency asks for: the text of one key, or the pairs of all keys below a directory. */
const KEY = 'key'
export const PREFIX = 'prefix'

/** The type that consul-template's pairs have, so that `byKey` and `explode` take ours. */
export const PAIR = '*dependency.KeyPair'

/** `ref "NAME://path/of/key"` and `etcdKey "path/of/key"`: the key's text. */
export const keyQuestion: Question = {
  ask(provider, args) {
    const path = pathOf(args)
    if (path === '') throw new Error('want a key, got an empty one')
    return { provider, kind: KEY, path, params: {} }
  },
  answer({ value }) {
    if (typeof value !== 'string') throw new TypeError('a reading of a key is a text')
    return value
  },
}

/** `etcdLs "path"`: the pairs of the keys directly below a directory; none where there are no keys. */
export const lsQuestion: Question = {
  ask: askPrefix,
  answersAbsent: true,
  answer: reading => pairsOf(reading).filter(pair => isLeaf(pair) && !keyOf(pair).includes('/')),
}

/** `etcdTree "path"`: the pairs of all keys below a directory; none where there are no keys. */
export const treeQuestion: Question = {
  ask: askPrefix,
  answersAbsent: true,
  // As consul-template does, leaves out what only stands for a directory.
  answer: reading => pairsOf(reading).filter(isLeaf),
}

/** `tree: "NAME://path"`: the keys below a directory as files. Waits where there are none, since to publish none would be to
 *  take all away. */
export const filesQuestion: Question = {
  ask: askPrefix,
  answer(reading) {
    const pairs = pairsOf(reading).filter(isLeaf)
    return new Tree(new Map(pairs.map(pair => [keyOf(pair), fileOf(pair)])))
  },
}

/** `a` and `a/` are the same directory; keys that only begin alike (`ab/c`) are not in it. */
function askPrefix(provider: string, args: readonly Value[]): Dependency {
  const path = pathOf(args)
  return { provider, kind: PREFIX, path: path === '' || path.endsWith('/') ? path : `${path}/`, params: {} }
}

/** The path as it is: etcd's keys have no form, so `/a`, `a` and `//a` are three of them. */
function pathOf(args: readonly Value[]): string {
  const [path] = args
  if (args.length !== 1 || typeof path !== 'string') throw new Error('want one path, a string')
  return path
}

function pairsOf({ value }: Reading): readonly Struct[] {
  if (value === absent) return []
  if (!Array.isArray(value)) throw new TypeError('a reading of a prefix is a list of pairs')
  return value as readonly Struct[]
}

function keyOf({ fields }: Struct): string {
  return fields.get('Key') as string
}

function isLeaf(pair: Struct): boolean {
  const key = keyOf(pair)
  return key !== '' && !key.endsWith('/')
}

/** A file for each pair, so that what did not change is the same object in the next tree. */
const files = new WeakMap<Struct, TreeFile>()

function fileOf(pair: Struct): TreeFile {
  const known = files.get(pair)
  if (known !== undefined) return known
  const file = { content: toBytes(pair.fields.get('Value') as string) }
  files.set(pair, file)
  return file
}
