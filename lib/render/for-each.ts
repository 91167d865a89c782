import { toBytes } from '../base/text.ts'
import { sameValue, Struct, type Value } from '../base/value.ts'
import type { BundleOptions, FileOptions } from '../bundle.ts'
import { OperationalError } from '../errors.ts'
import type { OutputFile } from '../generation.ts'
import { outputPathProblem } from '../output-path.ts'
import { parseExpression } from '../template/expression.ts'
import { IntMap, isList, isMap, sortedKeys, typeName } from '../template/operand.ts'
import { parseTemplate, pending } from '../template/template.ts'
import type { RenderContext } from './functions.ts'
import { disguises } from './disguise.ts'
import { countedBounds, type RendererOptions } from './options.ts'
import type { Element, Item, Listing } from './several.ts'
import { attributesOf, type Unit } from './unit.ts'

/** How many outputs one `forEach` may give. */
const ITEMS_MAX = 10_000

/** Lists the outputs of an entry with `forEach`. Throws an AggregateError of all that does not parse. */
export function forEachUnit(file: FileOptions, options: RendererOptions): Unit<Listing> {
  if (file.source.kind !== 'template' || file.source.forEach === undefined) throw new TypeError('no forEach')
  const { name, text, syntax, forEach } = file.source
  const { parse = parseTemplate, parseList = parseExpression } = options
  const rest = { functions: options.functions, ...syntax }
  const errors: unknown[] = []
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      errors.push(error)
      return undefined
    }
  }
  const expression = attempt(() => parseList({ ...rest, name: `${file.path} (forEach)`, text: forEach }))
  const path = attempt(() => parse({ ...rest, name: `${file.path} (path)`, text: file.path }))
  const template = attempt(() => parse({ ...rest, name, text }))
  const attributes = attempt(() => attributesOf(file, options.owners))
  if (expression === undefined || path === undefined || template === undefined || attributes === undefined) {
    throw new AggregateError(errors)
  }
  const renderItem: RenderItem = ({ dot, disguise }, context) => {
    const bounds = countedBounds(options.bounds, context)
    const { questioning } = context
    const { sensitive } = questioning
    const printed = path.execute(dot, context, bounds)
    if (questioning.sensitive > sensitive) throw secretPath('asks for something sensitive')
    if (disguise !== undefined) {
      const aside = { ...context, questioning: questioning.aside() }
      const isSame = (other: Value) => printed === printedOf(() => path.execute(other, aside, bounds))
      if (!disguise().every(isSame)) throw secretPath('shows a value of something sensitive')
    }
    const content = toBytes(template.execute(dot, context, bounds))
    // Only now, so that what is missing for the path keeps no question of the template from being asked.
    demandPath(printed, options.bundle)
    return [{ path: printed, content, ...attributes }]
  }
  return {
    title: file.path,
    evaluate(context) {
      const value = expression.evaluate(context, options.bounds)
      const isSensitive = context.questioning.sensitive > 0
      const named = value === pending ? [] : namedDots(value)
      if (isSensitive) demandOwnKeys(named, context.questioning.sensitiveTexts)
      return { files: [], items: named.map(each => new DotItem(file.path, each, isSensitive, renderItem)) }
    },
  }
}

/** Keys are names, unless the template has made them of a value. */
function demandOwnKeys(named: readonly Named[], values: ReadonlySet<string>): void {
  if (!named.some(({ name }) => name !== undefined && values.has(name))) return
  throw new OperationalError('secret-path', 'forEach: a key of the map is a value of something sensitive', {
    hint: 'the keys name the outputs, and anyone can see the names of files',
  })
}

/** What is printed, or undefined where it cannot be. */
function printedOf(print: () => string): string | undefined {
  try {
    return print()
  } catch {
    return undefined
  }
}

function secretPath(why: string): OperationalError {
  return new OperationalError('secret-path', `the path ${why}, and anyone can see the names of files`, {
    hint: 'name the outputs by the keys of a map, or say sensitive: false of a provider that holds no secrets',
  })
}

function demandPath(path: string, { volume }: BundleOptions): void {
  if (path.includes('<no value>'))
    throw new OperationalError('bad-path', 'want a path, got one with a missing value in it')
  const problem = outputPathProblem(path, volume !== undefined)
  if (problem === undefined) return
  const { message, hint = 'change the path, or what its actions print' } = problem
  throw new OperationalError('bad-path', message, { hint })
}

/** What `.` is for an item, and what it is called. */
interface Named {
  readonly dot: Value
  /** Its key in messages; where there is none, its place, because it may be a value that nobody should see. */
  readonly shown: string
  /** Finds the item again in the next list. */
  readonly key: string
  /** What everybody may see of it, where it has such a name. */
  readonly name?: string
  readonly element: Element
  /** The dot with other values, in several ways. */
  readonly disguise: () => readonly Value[]
}

/** An item; without a disguise where its values may be seen. */
interface Dot {
  readonly dot: Value
  readonly disguise: (() => readonly Value[]) | undefined
}

type RenderItem = (dot: Dot, context: RenderContext) => readonly OutputFile[]

class DotItem implements Item {
  readonly title: string
  readonly key: string
  readonly element: Element
  readonly #dot: Dot
  readonly #render: RenderItem

  constructor(path: string, { dot, shown, key, element, disguise }: Named, isSensitive: boolean, render: RenderItem) {
    this.title = `${path} for ${shown}`
    this.key = key
    this.element = element
    this.#dot = { dot, disguise: isSensitive ? disguise : undefined }
    this.#render = render
  }

  sameAs(other: Item): boolean {
    return other instanceof DotItem && sameValue(this.#dot.dot, other.#dot.dot)
  }

  evaluate(context: RenderContext): readonly OutputFile[] {
    return this.#render(this.#dot, context)
  }
}

/** The dots that a value gives: of a map, pairs of Key and Value; of a list, its items where they have fields of their own, and
 *  else pairs, too, whose Key and Value are the item. */
function namedDots(value: Value): readonly Named[] {
  if (!isList(value) && !isMap(value)) {
    const hint = typeof value === 'string' ? { hint: 'data parses what ref gives as a text' } : {}
    const got = value === null ? 'nothing' : typeName(value)
    throw new OperationalError('bad-list', `forEach: want a list or a map, got ${got}`, hint)
  }
  const count = isList(value) ? value.length : value.size
  if (count > ITEMS_MAX) throw new OperationalError('bad-list', `forEach: ${count} items, more than ${ITEMS_MAX}`)
  if (isList(value)) return value.map(namedItem)
  const isInts = value instanceof IntMap
  return sortedKeys(value).map(key => {
    const [name, item] = [isInts ? Number(key) : key, value.get(key) as Value]
    return {
      dot: pair(name, item),
      shown: shownKey(key),
      key,
      name: key,
      element: { key, isPaired: true },
      disguise: () => disguises(item).map(other => pair(name, other)),
    }
  })
}

function namedItem(item: Value, i: number): Named {
  const place = i + 1
  if (item === null) throw new OperationalError('bad-list', `forEach: item ${place} is nothing`)
  const fields = item instanceof Struct ? item.fields : isMap(item) ? item : undefined
  const element = { key: String(i), isPaired: fields === undefined }
  if (fields === undefined) {
    const key = typeof item === 'string' ? `text ${item}` : `place ${place}`
    return {
      dot: pair(item, item),
      shown: `item ${place}`,
      key,
      element,
      disguise: () => disguises(item).map(other => pair(other, other)),
    }
  }
  const disguise = () => disguises(item)
  const own = fields.get('Key')
  if (typeof own !== 'string') return { dot: item, shown: `item ${place}`, key: `place ${place}`, element, disguise }
  // In a provider's pair it is a name; a field of a map may be called so and be a value.
  const shown = item instanceof Struct ? shownKey(own) : `item ${place}`
  return { dot: item, shown, key: `key ${own}`, element, disguise }
}

function pair(key: Value, value: Value): Struct {
  const fields = new Map([
    ['Key', key],
    ['Value', value],
  ])
  return new Struct('item', fields)
}

function shownKey(key: string): string {
  return /^[\w./@:-]+$/.test(key) ? key : JSON.stringify(key)
}
