import type { Redactor } from '../base/secret.ts'
import { Float, sameValue, Struct, Tree, Uint, type Value } from '../base/value.ts'
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

/** Tells the redactor of every text and number in a sensitive reading. */
export function hide({ value, sensitive }: Reading, redactor: Redactor): void {
  if (sensitive) hideValue(value, redactor)
}

function hideValue(value: Reading['value'], redactor: Redactor): void {
  if (typeof value === 'string') redactor.add(value)
  else if (value instanceof Tree)
    for (const { content } of value.files.values()) redactor.add(Buffer.from(content).toString('utf8'))
  else if (value instanceof Struct) for (const field of value.fields.values()) hideValue(field, redactor)
  else if (value instanceof Map)
    for (const item of (value as ReadonlyMap<string, Value>).values()) hideValue(item, redactor)
  else if (Array.isArray(value)) for (const item of value as readonly Value[]) hideValue(item, redactor)
  else if (typeof value === 'number' || typeof value === 'bigint') redactor.add(String(value))
  else if (value instanceof Uint || value instanceof Float) redactor.add(String(value.value))
}
