import { isAlias, isMap, isScalar, isSeq, parseDocument } from '../base/yaml.ts'
import type { Document, Node, Pair } from '../base/yaml.ts'
import { expand, isExpanded, markOffset } from './expand.ts'
import { isWord, type Finding, type Path } from './finding.ts'
import { Lines, type Position } from './lines.ts'
import { directiveFindings, syntaxFindings } from './syntax.ts'

/** How long a configuration may be, in characters. */
const TEXT_LENGTH_MAX = 2 * 1024 * 1024
/** How many keys, values and items one may have, those behind aliases counted each time; this bounds the bombs made of them. */
const NODES_MAX = 200_000
const DEPTH_MAX = 64
const SYNTAX_FINDINGS_MAX = 5

/** Keys that JavaScript's own objects have, and that a schema would drop without a word. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** From and to, as offsets into the text. */
export type Range = readonly [number, number]

/** A scalar or a key, where it stands in the text; the path of a key is that of its value. */
export interface Leaf {
  readonly path: Path
  readonly kind: 'key' | 'value'
  readonly range: Range
  /** It can be reached through an alias too, so its path does not say all that it is. */
  readonly shared: boolean
}

/** A configuration as it was written: plain values, and where in the text they come from. */
export interface ConfigDocument {
  readonly text: string
  /** Mappings (without a prototype), lists and scalars; strings are expanded where that is done. */
  readonly input: unknown
  readonly findings: readonly Finding[]
  /** The text is not YAML of our kind, so `input` says little. */
  readonly malformed: boolean
  /** Whether the string at this path holds a value of the environment, and so must not be shown. */
  isExpanded(path: Path): boolean
  /** Where a finding points to. */
  rangeOf(finding: Finding): Range
  /** Every key and scalar, and every alias, once. */
  leaves(): Iterable<Leaf>
  /** Line and column of an offset, both from 1. */
  position(offset: number): Position
}

/** Parses YAML 1.2 (core schema), and so JSON. Aliases are followed; merge keys, tags and duplicate keys are findings. */
export function readDocument(text: string, environment: Readonly<Record<string, string>>): ConfigDocument {
  if (text.length > TEXT_LENGTH_MAX) {
    const message = `want at most ${TEXT_LENGTH_MAX} characters, got ${text.length}`
    return new Parsed(text, undefined, new Reader(environment, text), [{ path: [], at: 0, message }])
  }
  const document = parseDocument(text, {
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    version: '1.2',
  })
  const reader = new Reader(environment, text)
  const syntax = [...syntaxFindings(document), ...directiveFindings(document)]
  if (syntax.length === 0) reader.readRoot(document)
  return new Parsed(text, document, reader, syntax)
}

class Parsed implements ConfigDocument {
  readonly text: string
  readonly input: unknown
  readonly findings: readonly Finding[]
  readonly malformed: boolean
  readonly #root: Node | null
  readonly #lines: Lines
  readonly #reader: Reader

  constructor(text: string, document: Document | undefined, reader: Reader, syntax: readonly Finding[]) {
    this.text = text
    this.input = reader.input
    this.malformed = syntax.length > 0
    this.#lines = new Lines(text)
    this.findings = this.malformed ? this.#firstOfLines(syntax) : reader.findings
    this.#root = document?.contents ?? null
    this.#reader = reader
  }

  isExpanded(path: Path): boolean {
    return this.#reader.expanded.has(JSON.stringify(path))
  }

  rangeOf({ path, at = 'value' }: Finding): Range {
    if (typeof at === 'number') return [at, Math.min(at + 1, this.text.length)]
    let found: Range = rangeOfNode(this.#root) ?? [0, 0]
    let node = this.#target(this.#root)
    for (const [i, part] of path.entries()) {
      const last = i === path.length - 1
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => keyOf(key) === part)
        if (pair === undefined) break
        const key = rangeOfNode(pair.key) ?? found
        found = last && at === 'key' ? key : (rangeOfNode(pair.value) ?? key)
        node = this.#target(pair.value)
      } else if (isSeq(node)) {
        const item = node.items[part as number] as Node | undefined
        if (item === undefined) break
        found = rangeOfNode(item) ?? found
        node = this.#target(item)
      } else break
    }
    return found
  }

  *leaves(): Iterable<Leaf> {
    if (!this.malformed) yield* this.#leavesOf(this.#root, [], false)
  }

  position(offset: number): Position {
    return this.#lines.position(Math.min(offset, this.text.length))
  }

  /** Of errors of syntax that follow from one another the first says what to do, and a torrent says nothing. */
  #firstOfLines(findings: readonly Finding[]): readonly Finding[] {
    const byLine = new Map<number, Finding>()
    for (const finding of findings) {
      const { line } = this.position(this.rangeOf(finding)[0])
      if (!byLine.has(line)) byLine.set(line, finding)
    }
    return [...byLine.values()].slice(0, SYNTAX_FINDINGS_MAX)
  }

  *#leavesOf(node: unknown, path: Path, isShared: boolean): Iterable<Leaf> {
    const shared = isShared || (node as Node | null)?.anchor !== undefined || path.length > DEPTH_MAX
    if (isMap(node) && path.length <= DEPTH_MAX) {
      for (const { key, value } of node.items) {
        const below = [...path, keyOf(key)]
        const range = rangeOfNode(key)
        if (range !== undefined) yield { path: below, kind: 'key', range, shared }
        yield* this.#leavesOf(value, below, shared)
      }
    } else if (isSeq(node) && path.length <= DEPTH_MAX) {
      for (const [i, item] of node.items.entries()) yield* this.#leavesOf(item, [...path, i], shared)
    } else {
      const range = rangeOfNode(node)
      if (range !== undefined) yield { path, kind: 'value', range, shared }
    }
  }

  #target(node: unknown): unknown {
    return isAlias(node) ? this.#reader.targets.get(node) : node
  }
}

/** Turns nodes into plain values, once, and notes what it meets. */
class Reader {
  readonly findings: Finding[] = []
  readonly expanded = new Set<string>()
  /** What each alias stands for. */
  readonly targets = new Map<unknown, unknown>()
  input: unknown = undefined
  readonly #environment: Readonly<Record<string, string>>
  readonly #text: string
  readonly #anchors = new Map<string, unknown>()
  /** The anchored nodes that are being read: an alias to one of them would never end. */
  readonly #open = new Set<unknown>()
  #count = 0
  #followed = 0

  constructor(environment: Readonly<Record<string, string>>, text: string) {
    this.#environment = environment
    this.#text = text
  }

  readRoot(document: Document): void {
    this.input = this.#read(document.contents, [])
  }

  #read(node: unknown, path: Path): unknown {
    this.#count++
    if (this.#count === NODES_MAX || path.length > DEPTH_MAX) {
      const message =
        path.length > DEPTH_MAX
          ? `want at most ${DEPTH_MAX} levels, got more`
          : `want at most ${NODES_MAX} values, got more, those behind aliases counted each time`
      this.#find(path, node, message)
      return undefined
    }
    if (this.#count > NODES_MAX) return undefined
    if (isAlias(node)) return this.#follow(node, path)
    if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined && this.#followed === 0) this.#anchors.set(node.anchor, node)
      this.#open.add(node)
      const value = isMap(node)
        ? this.#readMap(node.items, path)
        : node.items.map((item, i) => this.#read(item, [...path, i]))
      this.#open.delete(node)
      return value
    }
    if (!isScalar(node)) return null
    if (node.anchor !== undefined && this.#followed === 0) this.#anchors.set(node.anchor, node)
    return typeof node.value === 'string' ? this.#expand(node.value, node, path) : node.value
  }

  #readMap(items: readonly Pair[], path: Path): unknown {
    const map = Object.create(null) as Record<string, unknown>
    const firsts = new Map<string, Pair>()
    for (const pair of items) {
      const key = keyOf(pair.key)
      const below = [...path, key]
      const first = firsts.get(key)
      if (first !== undefined) {
        this.#findKey(
          below,
          pair,
          `want each key once, got ${isWord(key) ? key : 'one'} a second time`,
          'remove one of the two',
        )
      } else if (key === '<<') {
        this.#findKey(
          below,
          pair,
          'want plain keys, got a merge key',
          'merge keys are not supported; write the keys out, or alias a whole value',
        )
      } else if (RESERVED_KEYS.has(key)) {
        this.#findKey(below, pair, 'want another key, got a reserved one', 'choose another name')
      } else {
        firsts.set(key, pair)
        map[key] = this.#read(pair.value, below)
      }
    }
    return map
  }

  #follow(alias: Node & { readonly source: string }, path: Path): unknown {
    const target = this.#targetOf(alias)
    if (target === undefined || this.#open.has(target)) {
      const got = target === undefined ? 'one of an unknown anchor' : 'one that contains itself'
      this.#find(path, alias, `want an alias of an anchor above, got ${got}`)
      return undefined
    }
    this.#followed++
    const value = this.#read(target, path)
    this.#followed--
    return value
  }

  #targetOf(alias: Node & { readonly source: string }): unknown {
    // Read again behind another alias, it stands for what it stood for the first time.
    if (!this.targets.has(alias)) this.targets.set(alias, this.#anchors.get(alias.source))
    return this.targets.get(alias)
  }

  #expand(text: string, node: Node, path: Path): string {
    if (!text.includes('${') || !isExpanded(path)) return text
    const { text: result, expanded, problems } = expand(text, this.#environment)
    const [from, to] = rangeOfNode(node) ?? [0, 0]
    for (const { ordinal, message, hint } of problems) {
      this.findings.push({
        path,
        at: from + markOffset(this.#text.slice(from, to), ordinal),
        message,
        hint,
        final: true,
      })
    }
    if (expanded) this.expanded.add(JSON.stringify(path))
    return result
  }

  #find(path: Path, node: unknown, message: string): void {
    this.findings.push({ path, at: rangeOfNode(node)?.[0] ?? 0, message, final: true })
  }

  /** Says where by offset: the path leads to the first of two equal keys. */
  #findKey(path: Path, { key }: Pair, message: string, hint: string): void {
    this.findings.push({ path, at: rangeOfNode(key)?.[0] ?? 0, message, hint })
  }
}

function keyOf(key: unknown): string {
  // The parser gives keys as strings, and refuses all that are not.
  return isScalar(key) && typeof key.value === 'string' ? key.value : ''
}

/** Where a node stands, without the space after it; undefined for an empty one, which stands nowhere. */
function rangeOfNode(node: unknown): Range | undefined {
  const range = (node as Node | null | undefined)?.range
  if (range === undefined || range === null || range[1] <= range[0]) return undefined
  return [range[0], range[1]]
}
