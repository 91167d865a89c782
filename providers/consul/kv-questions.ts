import { toBytes } from '../../lib/base/text.ts'
import { Struct, Tree, type TreeFile, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import type { Question } from '../../lib/provider.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { keyForm, only, partsOf } from './names.ts'

/** What a dependency asks for: one key's pair, all pairs below a prefix, the pairs directly below it, or nothing at all. */
export const KEY = 'key'
export const TREE = 'tree'
export const LS = 'ls'
export const NOTHING = 'nothing'

/** The type that consul-template's pairs have. */
export const PAIR = '*dependency.KeyPair'

/** `ref "NAME://path/of/key"`: the key's text. */
export const referenceQuestion: Question = {
  ask(provider, args) {
    const [name] = textsOf(args, 1, 'one path')
    if (name === '') throw new Error('want a key, got an empty one')
    return dependencyOf(provider, KEY, name)
  },
  answer: reading => textOf(reading),
}

/** `key "path"`: the key's text; waits while there is no such key. */
export const key: Question = {
  ask: askKey,
  answer: reading => textOf(reading),
}

/** `keyExists "path"`: whether there is such a key. */
export const keyExists: Question = {
  ask: askKey,
  answersAbsent: true,
  answer: ({ value }) => value instanceof Struct,
}

/** `keyOrDefault "path" "text"`: the key's text, or the other where there is no such key or it is empty. */
export const keyOrDefault: Question = {
  ask: (provider, args) => askFor(provider, KEY, textsOf(args, 2, 'a path and a default')),
  answersAbsent: true,
  answer(reading, [, other = '']) {
    const text = reading.value === absent ? '' : textOf(reading)
    return text === '' ? other : text
  },
}

/** `keyExistsGet "path"`: the key's pair with whether it `.Exists`; one without a value where there is no such key. */
export const keyExistsGet: Question = {
  ask: askKey,
  answersAbsent: true,
  answer({ value }, args) {
    if (value instanceof Struct) return value
    const name = args[0] as string
    const path = name === '' ? '' : dependencyOf('', KEY, name).path
    const fields: readonly (readonly [string, Value])[] = [
      ...(['Path', 'Key'] as const).map(field => [field, path] as const),
      ['Value', ''],
      ['Exists', false],
      ...(['CreateIndex', 'ModifyIndex', 'LockIndex', 'Flags'] as const).map(field => [field, 0] as const),
      ['Session', ''],
    ]
    return new Struct(PAIR, new Map(fields))
  },
}

/** `ls "prefix"`: the pairs directly below it; none where there are none. */
export const ls: Question = pairsQuestion(LS, true)
/** `safeLs "prefix"`: the same, and waits where there are none. */
export const safeLs: Question = pairsQuestion(LS, false)
/** `tree "prefix"`: the pairs of all keys below it; none where there are none. */
export const tree: Question = pairsQuestion(TREE, true)
/** `safeTree "prefix"`: the same, and waits where there are none. */
export const safeTree: Question = pairsQuestion(TREE, false)

/** `tree: "NAME://path"`: the keys below a directory as files. Waits where there are none, since to publish none would be to
 *  take all away. */
export const filesQuestion: Question = {
  ask(provider, args) {
    const [name] = textsOf(args, 1, 'one path')
    if (name === '') return dependencyOf(provider, TREE, '/')
    const { path, ...rest } = dependencyOf(provider, TREE, name)
    // As a directory, `a` is `a/`: what only begins alike is not in it.
    return { ...rest, path: path === '' || path.endsWith('/') ? path : `${path}/` }
  },
  answer: reading => new Tree(new Map(pairsOf(reading).map(pair => [pair.fields.get('Key') as string, fileOf(pair)]))),
}

function pairsQuestion(kind: string, isEmptySafe: boolean): Question {
  return {
    ask: (provider, args) => askFor(provider, kind, textsOf(args, 1, 'one prefix')),
    answersAbsent: isEmptySafe,
    answer: reading => pairsOf(reading),
  }
}

function askKey(provider: string, args: readonly Value[]): Dependency {
  return askFor(provider, KEY, textsOf(args, 1, 'one path'))
}

/** As consul-template has it, an empty name asks for nothing, and is answered by nothing. */
function askFor(provider: string, kind: string, [name = '']: readonly string[]): Dependency {
  if (name === '') return { provider, kind: NOTHING, path: '', params: {} }
  return dependencyOf(provider, kind, name)
}

function dependencyOf(provider: string, kind: string, name: string): Dependency {
  const parts = partsOf(name, keyForm)
  const path = pathOf(parts.key ?? '')
  if (path === '' && kind === KEY) throw new Error('want a key, got an empty one')
  return { provider, kind, path, params: only(parts, 'dc', 'ns', 'partition') }
}

/** The path as Consul's server reads it: it sends away whoever asks with two slashes in a row, or a segment of dots. */
function pathOf(text: string): string {
  const path = text.replaceAll(/\/{2,}/g, '/').replace(/^\//, '')
  if (path.split('/').some(part => part === '.' || part === '..')) throw new Error('want a path without . and .. in it')
  return path
}

function textsOf(args: readonly Value[], count: number, want: string): readonly [string, ...string[]] {
  if (args.length !== count || !args.every(arg => typeof arg === 'string')) throw new Error(`want ${want}, as text`)
  return args as readonly [string, ...string[]]
}

/** The text of a key's reading; nothing of one that asked for nothing. */
function textOf({ value }: Reading): string {
  if (value === null) return ''
  if (!(value instanceof Struct)) throw new TypeError('a reading of a key is a pair')
  return value.fields.get('Value') as string
}

function pairsOf({ value }: Reading): readonly Struct[] {
  if (value === absent || value === null) return []
  if (!Array.isArray(value)) throw new TypeError('a reading of a prefix is a list of pairs')
  return value as readonly Struct[]
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
