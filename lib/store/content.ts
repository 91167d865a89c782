import type { Redactor } from '../base/secret.ts'
import { Float, sameValue, Struct, Tree, Uint, type TreeFile, type Value } from '../base/value.ts'
import { absent, type Reading } from '../reading.ts'

/** Whether there is no value: nothing was read, or the backend has nothing. */
export function isMissing(reading: Reading | undefined): boolean {
  return reading === undefined || reading.value === absent
}

/** Whether two readings differ in nothing but their revision. Trees are compared by their files' identity. */
export function sameContent(a: Reading, b: Reading): boolean {
  if (a.value === b.value) return true
  if (a.value === absent || b.value === absent) return false
  if (a.value instanceof Tree || b.value instanceof Tree) {
    return a.value instanceof Tree && b.value instanceof Tree && sameTree(a.value, b.value)
  }
  return sameValue(a.value, b.value)
}

function sameTree(a: Tree, b: Tree): boolean {
  return a.files.size === b.files.size && [...a.files].every(([path, file]) => b.files.get(path) === file)
}

/** A list or tree of more things than this has more texts than a redactor remembers. */
const REMEMBERED_MAX = 1_250

/** The parts of lists and trees that a redactor has been told of, and how much it had forgotten by then. */
interface Told {
  readonly parts: WeakSet<object>
  /** Those of the longest lists and trees. */
  readonly ofLongest: WeakSet<object>
  readonly forgotten: number
}

const told = new WeakMap<Redactor, Told>()

/** Tells the redactor of every text and number in what must not be seen of a reading.
 *
 *  A redactor forgets the oldest texts first, so it is told again of what is still there when it has forgotten any. Of the longest lists
 *  and trees it is not: with each change of one of 10,000 keys that would take the better part of a second, and it cannot remember them
 *  all anyway. */
export function hide({ value, sensitive, secrets }: Reading, redactor: Redactor): void {
  if (!sensitive) return
  if (secrets !== undefined) for (const secret of secrets) hideValue(secret, redactor)
  else if (value instanceof Tree)
    for (const file of newIn([...value.files.values()], redactor)) hideFile(file, redactor)
  else if (Array.isArray(value))
    for (const item of newIn(value as readonly Value[], redactor)) hideValue(item, redactor)
  else if (value !== absent) hideValue(value, redactor)
}

/** The items that the redactor is to be told of. */
function* newIn<T>(items: readonly T[], redactor: Redactor): Generator<T> {
  const before = told.get(redactor)
  const parts = before?.forgotten === redactor.forgotten ? before.parts : new WeakSet<object>()
  const ofLongest = before?.ofLongest ?? new WeakSet<object>()
  const known = items.length > REMEMBERED_MAX ? ofLongest : parts
  for (const item of items) {
    const isObject = typeof item === 'object' && item !== null
    if (isObject && known.has(item)) continue
    if (isObject) known.add(item)
    yield item
  }
  told.set(redactor, { parts, ofLongest, forgotten: redactor.forgotten })
}

function hideFile({ content }: TreeFile, redactor: Redactor): void {
  redactor.add(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8'))
}

function hideValue(value: Value, redactor: Redactor): void {
  if (typeof value === 'string') redactor.add(value)
  else if (value instanceof Struct) {
    for (const [name, field] of value.fields) if (!value.isOpen(name)) hideValue(field, redactor)
  } else if (value instanceof Map)
    for (const item of (value as ReadonlyMap<string, Value>).values()) hideValue(item, redactor)
  else if (Array.isArray(value)) for (const item of value as readonly Value[]) hideValue(item, redactor)
  else if (typeof value === 'number' || typeof value === 'bigint') redactor.add(String(value))
  else if (value instanceof Uint || value instanceof Float) redactor.add(String(value.value))
}
