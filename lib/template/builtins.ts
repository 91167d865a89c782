import { byteLength, fromBytes, toBytes } from '../base/text.ts'
import { int, Uint } from '../base/value.ts'
import { Channel } from './channel.ts'
import { isEqual, isLess, type Quoted } from './compare.ts'
import { escapeHtml, escapeJavaScript, escapeQuery } from './escape.ts'
import type { ParameterKind } from './function.ts'
import { Byte, IntMap, isList, isMap, isTrue, typeName, type Operand } from './operand.ts'
import { print, println } from './print.ts'
import { printf } from './printf.ts'

/** Beside the kinds of other functions: an `operand` is given as it is, so that a missing value can be told from nil; a `bare`
 *  one too, but as nil where Go would hold it as an interface. */
export type BuiltinKind = ParameterKind | 'operand' | 'bare'

/** A function that every template has. */
export interface Builtin {
  readonly parameters: readonly BuiltinKind[]
  readonly variadic?: BuiltinKind
  /** Never `pending` among `args`. Throws an Error whose message does not name the function. */
  call(args: readonly Operand[], quoted: Quoted): Operand
}

const one = ['operand'] as const
const two = ['operand', 'operand'] as const

/** The builtins of Go's text/template, but for `and`, `or` and `call`, which the compiler makes. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([
  ['eq', { parameters: one, variadic: 'operand', call: ([first, ...rest], quoted) => equalsAny(first, rest, quoted) }],
  ['ne', { parameters: two, call: ([a, b], quoted) => !isEqual(a, b, quoted) }],
  ['lt', { parameters: two, call: ([a, b]) => isLess(a, b) }],
  ['le', { parameters: two, call: ([a, b], quoted) => isLess(a, b) || isEqual(a, b, quoted) }],
  ['gt', { parameters: two, call: ([a, b], quoted) => !isLess(a, b) && !isEqual(a, b, quoted) }],
  ['ge', { parameters: two, call: ([a, b]) => !isLess(a, b) }],
  ['not', { parameters: one, call: ([operand]) => !isTrue(operand) }],
  ['len', { parameters: one, call: ([operand]) => lengthOf(operand) }],
  [
    'index',
    { parameters: one, variadic: 'operand', call: ([item, ...indexes], quoted) => indexed(item, indexes, quoted) },
  ],
  ['slice', { parameters: one, variadic: 'bare', call: ([item, ...indexes], quoted) => sliced(item, indexes, quoted) }],
  ['print', { parameters: [], variadic: 'any', call: args => print(args) }],
  ['println', { parameters: [], variadic: 'any', call: args => println(args) }],
  ['printf', { parameters: ['string'], variadic: 'any', call: ([format, ...args]) => printf(format as string, args) }],
  ['html', { parameters: [], variadic: 'any', call: args => escapeHtml(printedText(args)) }],
  ['js', { parameters: [], variadic: 'any', call: args => escapeJavaScript(printedText(args)) }],
  ['urlquery', { parameters: [], variadic: 'any', call: args => escapeQuery(printedText(args)) }],
])

/** Every name that a template may call without a table. */
export const builtinNames: ReadonlySet<string> = new Set([...builtins.keys(), 'and', 'or', 'call'])

/** As an action would print them; a nil becomes `<no value>`, as there. */
function printedText(args: readonly Operand[]): string {
  return print(args.map(arg => (arg === null ? '<no value>' : arg)))
}

function equalsAny(first: Operand, rest: readonly Operand[], quoted: Quoted): boolean {
  if (rest.length === 0) throw new Error('missing argument for comparison')
  return rest.some(each => isEqual(first, each, quoted))
}

function lengthOf(operand: Operand): number {
  if (typeof operand === 'string') return byteLength(operand)
  if (isList(operand)) return operand.length
  if (isMap(operand)) return operand.size
  if (operand instanceof Channel) return 0
  if (operand === null) throw new Error('len of nil pointer')
  // Go panics here, and says so.
  if (operand === undefined) throw new Error('reflect: call of reflect.Value.Type on zero Value')
  throw new Error(`len of type ${pointedType(operand)}`)
}

/** Go follows a pointer before it complains. */
function pointedType(operand: Operand): string {
  return typeName(operand).replace(/^\*/, '')
}

function indexed(item: Operand, indexes: readonly Operand[], quoted: Quoted): Operand {
  if (item === null || item === undefined) throw new Error('index of untyped nil')
  let value: Operand = item
  for (const index of indexes) {
    if (value === null) throw new Error('index of nil pointer')
    value = element(value, index, quoted)
  }
  return value
}

function element(item: Operand, index: Operand, quoted: Quoted): Operand {
  if (item instanceof IntMap) return elementAt(item, index)
  if (isMap(item)) {
    if (index === null || index === undefined) throw new Error('value is nil; should be of type string')
    if (typeof index !== 'string') throw new Error(`value has type ${typeName(index)}; should be string`)
    return item.get(index) ?? null
  }
  if (isList(item)) {
    const position = indexOf(index, item.length, quoted)
    // One past the end passes Go's first check, and fails its second.
    if (position === item.length) throw new Error('reflect: slice index out of range')
    return item[position]
  }
  if (typeof item !== 'string') throw new Error(`can't index item of type ${pointedType(item)}`)
  const bytes = toBytes(item)
  const byte = bytes[indexOf(index, bytes.length, quoted)]
  if (byte === undefined) throw new Error('reflect: string index out of range')
  return new Byte(BigInt(byte))
}

function elementAt(item: IntMap, index: Operand): Operand {
  if (index === null || index === undefined) throw new Error('value is nil; should be of type int')
  if (typeof index !== 'number' && typeof index !== 'bigint') {
    throw new Error(`value has type ${typeName(index)}; should be int`)
  }
  return item.get(String(index)) ?? []
}

function indexOf(index: Operand, capacity: number, quoted: Quoted): number {
  if (index === null || index === undefined) throw new Error('cannot index slice/array with nil')
  const integer = index instanceof Uint ? int(index.value) : index
  if (typeof integer !== 'number' && typeof integer !== 'bigint') {
    throw new Error(`cannot index slice/array with type ${typeName(index)}`)
  }
  if (integer < 0 || integer > capacity) throw new Error(`index out of range: ${quoted(integer)}`)
  return Number(integer)
}

function sliced(item: Operand, indexes: readonly Operand[], quoted: Quoted): Operand {
  if (item === null || item === undefined) throw new Error('slice of untyped nil')
  if (indexes.length > 3) throw new Error(`too many slice indexes: ${indexes.length}`)
  if (typeof item !== 'string' && !isList(item)) throw new Error(`can't slice item of type ${typeName(item)}`)
  if (typeof item === 'string') {
    if (indexes.length === 3) throw new Error('cannot 3-index slice a string')
    const bytes = toBytes(item)
    const [from, to] = range(indexes, bytes.length, quoted)
    return fromBytes(bytes.subarray(from, to))
  }
  const [from, to] = range(indexes, item.length, quoted)
  return item.slice(from, to)
}

function range(indexes: readonly Operand[], length: number, quoted: Quoted): readonly [number, number] {
  const [from = 0, to = length, capacity = length] = indexes.map(index => {
    // Go does not look into an interface here, so an index that is an element of a map or list will not do, unless it has been
    // through parentheses or a variable.
    if (index === null) throw new Error('cannot index slice/array with type interface {}')
    return indexOf(index, length, quoted)
  })
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`)
  if (to > capacity) throw new Error(`invalid slice index: ${to} > ${capacity}`)
  return [from, to]
}
