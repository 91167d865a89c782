import { Float, Struct, Uint, type Value } from '../../lib/base/value.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { absent, type Reading } from '../../lib/reading.ts'
import { KEY, TREE } from './kv-questions.ts'
import { structOf, type Pair } from './pairs.ts'

type Content = Pick<Reading, 'value' | 'revision' | 'why'>

/** How pairs become the reading of a dependency. It keeps each struct for as long as its pair is the same. */
export function keysContent({ kind, path }: Dependency): (pairs: readonly Pair[]) => Content {
  const structs = new WeakMap<Pair, Struct>()
  const made = (pair: Pair, shownKey: string) => {
    const known = structs.get(pair)
    if (known !== undefined) return known
    const struct = structOf(pair, shownKey, kind === KEY)
    structs.set(pair, struct)
    return struct
  }
  return pairs => {
    if (kind === KEY) {
      const [pair] = pairs
      return pair === undefined ? NO_KEY : { value: made(pair, pair.key), revision: revisionOf(pairs) }
    }
    const shown = pairs
      .map(pair => [pair, keyBelow(path, pair)] as const)
      .filter(([, key]) => (kind === TREE ? /[^/]$/.test(key) : /^[^/]+$/.test(key)))
    if (shown.length === 0) return NO_KEYS
    return { value: shown.map(([pair, key]) => made(pair, key)), revision: revisionOf(shown.map(([pair]) => pair)) }
  }
}

const NO_KEY: Content = { value: absent, revision: 'absent', why: 'there is no such key' }
const NO_KEYS: Content = { value: absent, revision: 'absent', why: 'there are no keys below it' }

function keyBelow(path: string, { key }: Pair): string {
  return key.slice(path.length).replace(/^\/+/, '')
}

/** The newest index, and a hash over all. Indexes alone are not enough: a Consul that is made anew counts from one again. */
function revisionOf(pairs: readonly Pair[]): string {
  let [newest, hash] = [0, 0n]
  for (const pair of pairs) {
    newest = Math.max(newest, pair.wire.ModifyIndex)
    hash ^= BigInt(`0x${pair.hash}`)
  }
  return `${newest}.${hash.toString(16).padStart(16, '0')}`
}

/** A value as one text, for hashes: the same for the same value. */
export function spelled(value: Value): string {
  return JSON.stringify(value, (_name, item: unknown) => {
    if (item instanceof Struct) return [...item.fields]
    if (item instanceof Map) return [...(item as ReadonlyMap<string, unknown>)]
    if (item instanceof Uint || item instanceof Float) return String(item.value)
    return typeof item === 'bigint' ? String(item) : item
  })
}
