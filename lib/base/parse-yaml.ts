import { fromBytes } from './text.ts'
import { Float, type Value } from './value.ts'
import { resolveScalar } from './yaml-scalar.ts'
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, parseAllDocuments } from './yaml.ts'
import type { Alias, Pair, Scalar, YAMLParseError } from './yaml.ts'

/** How many nodes aliases may stand for in all: a few lines can spell gigabytes. */
const ALIASED_NODES_MAX = 100_000
/** How deep collections may nest. */
const DEPTH_MAX = 500

/** What a YAML text holds, as Go's yaml.v2 reads it, which is what consul-template and its like do; see `resolveScalar`. Dates
 *  stay text, keys are text as written, later keys win, of several documents the first counts, and an empty one is null.
 *  Throws an Error that says where the text is no YAML, and nothing of what is in it. */
export function parseYaml(text: string): Value {
  // A byte that is no text stands as a lone surrogate.
  if (!text.isWellFormed()) throw new Error('not valid YAML: it is not UTF-8')
  let documents: ReturnType<typeof parseAllDocuments>
  try {
    documents = parseAllDocuments(text, OPTIONS)
  } catch (error) {
    throw new Error('not valid YAML, or nested too deeply', { cause: error })
  }
  const [document] = [...documents]
  if (document === undefined) return null
  const [error] = document.errors
  if (error !== undefined) throw new Error(`not valid YAML${placeOf(error, text)}: ${describe(error)}`)
  return new Reader(text).read(document.contents, 0)
}

/** Only the first error is told, so only its place is worked out: rubbish has one for each character. */
const OPTIONS = {
  schema: 'failsafe',
  merge: false,
  uniqueKeys: false,
  logLevel: 'silent',
  prettyErrors: false,
} as const

function placeOf({ pos: [at] }: YAMLParseError, text: string): string {
  if (at < 0) return ''
  const before = text.slice(0, at).split('\n')
  return ` at line ${before.length}, column ${(before.at(-1) as string).length + 1}`
}

/** The parser's message quotes the text, its code does not. */
function describe({ code }: YAMLParseError): string {
  return code.toLowerCase().replaceAll('_', ' ')
}

class Reader {
  /** What each anchor stands for by now, and how many nodes it is. */
  readonly #anchors = new Map<string, { readonly value: Value; readonly nodes: number }>()
  #nodes = 0
  readonly #text: string
  /** Whether the last line has something on it, and no break. */
  readonly #isCutOff: boolean
  #aliasedNodes = 0

  constructor(text: string) {
    this.#text = text
    this.#isCutOff = !/(?:^|\n)[ \t\r]*$/.test(text)
  }

  read(node: unknown, depth: number): Value {
    if (depth > DEPTH_MAX) throw new Error(`the YAML is nested deeper than ${DEPTH_MAX}`)
    if (isAlias(node)) return this.#readAlias(node)
    const before = this.#nodes++
    const value = this.#readNode(node, depth)
    const anchor = isNode(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, { value, nodes: this.#nodes - before })
    return value
  }

  #readNode(node: unknown, depth: number): Value {
    if (isScalar(node)) return this.#readScalar(node)
    if (isSeq(node)) return node.items.map(item => this.read(item, depth + 1))
    if (isMap(node)) return this.#readMap(node.items, depth)
    // The items of an ordered map, which is a list of maps of one.
    return isPair(node) ? this.#readMap([node], depth) : null
  }

  /** The package ends a block with a line break even where the text has none; yaml.v2 does not. */
  #readScalar(node: Scalar): Value {
    const value = readScalar(node)
    const isAtEnd =
      this.#isCutOff && node.type?.startsWith('BLOCK_') === true && (node.range?.[1] ?? 0) >= this.#text.length
    return isAtEnd && typeof value === 'string' && value.endsWith('\n') ? value.slice(0, -1) : value
  }

  #readAlias({ source }: Alias): Value {
    const target = this.#anchors.get(source)
    if (target === undefined) throw new Error('the YAML has an alias of what is not there, or not complete')
    // The value is shared, but whoever goes through it, to print it say, goes through it each time.
    this.#nodes += target.nodes
    this.#aliasedNodes += target.nodes
    if (this.#aliasedNodes > ALIASED_NODES_MAX) {
      throw new Error(`the YAML repeats more than ${ALIASED_NODES_MAX} nodes through aliases`)
    }
    return target.value
  }

  #readMap(pairs: readonly Pair[], depth: number): Value {
    const own = new Map<string, Value>()
    const merged = new Map<string, Value>()
    for (const { key, value } of pairs) {
      if (isScalar(key) && key.type === 'PLAIN' && key.value === '<<') this.#merge(merged, value, depth)
      else own.set(this.#keyText(key, depth), this.read(value, depth + 1))
    }
    if (merged.size === 0) return own
    return new Map([...merged, ...own])
  }

  /** Adds the entries of the map, or of the maps in the list, that `<<` names; of equal keys the first stays. */
  #merge(into: Map<string, Value>, node: unknown, depth: number): void {
    const value = this.read(node, depth + 1)
    for (const map of Array.isArray(value) ? (value as readonly Value[]) : [value]) {
      if (!(map instanceof Map)) throw new Error('the YAML merges with << what is no map')
      for (const [key, item] of map) if (!into.has(key)) into.set(key, item)
    }
  }

  #keyText(key: unknown, depth: number): string {
    if (isScalar(key)) return scalarText(key)
    const value = this.read(key, depth + 1)
    if (typeof value !== 'string') throw new Error('the YAML has a key that is no scalar')
    return value
  }
}

const TAG = 'tag:yaml.org,2002:'

function readScalar(node: Scalar): Value {
  const text = scalarText(node)
  switch (node.tag) {
    case undefined:
      return node.type === 'PLAIN' ? orText(resolveScalar(text), text) : text
    case `${TAG}int`:
    case `${TAG}bool`:
    case `${TAG}null`:
      return orText(resolveScalar(text), text)
    case `${TAG}float`: {
      const value = resolveScalar(text)
      return typeof value === 'number' ? new Float(value) : orText(value, text)
    }
    case `${TAG}binary`:
      return node.value instanceof Uint8Array ? fromBytes(node.value) : text
    case `${TAG}timestamp`:
      return node.source ?? text
    default:
      return text
  }
}

/** Without a schema, every scalar is text, unless its tag says that it is bytes. */
function scalarText({ value }: Scalar): string {
  return typeof value === 'string' ? value.toWellFormed() : ''
}

function orText(value: Value | undefined, text: string): Value {
  return value === undefined ? text : value
}
