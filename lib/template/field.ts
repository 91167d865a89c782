import { nearest } from '../base/nearest.ts'
import { Struct } from '../base/value.ts'
import type { Execution } from './execution.ts'
import { pending } from './function.ts'
import { isMap, typeName, type Operand } from './operand.ts'
import { quote } from './quote.ts'

/** Whether Go would hold a value as an interface, which its messages then name as the type: known when the template is
 *  compiled, or found in the slot of a variable when it executes. */
export type Boxing = boolean | number

export function isBoxed(run: Execution, boxing: Boxing): boolean {
  return typeof boxing === 'number' ? run.variables[boxing] === true : boxing
}

/** Takes a chain of fields, `.a.b.c`, of a value. */
export function fieldsOf(run: Execution, receiver: Operand, names: readonly string[], boxing: Boxing): Operand {
  let value = receiver
  let valueBoxing = boxing
  for (const name of names) {
    const isElement = isMap(value)
    value = fieldOf(run, value, name, valueBoxing)
    valueBoxing = isElement
  }
  return value
}

/** As `fieldsOf`, where arguments were given, as only methods could take them: always an error, but on pending and nothing. */
export function invokedFieldOf(run: Execution, receiver: Operand, names: readonly string[], boxing: Boxing): Operand {
  const last = names.at(-1) as string
  const value = fieldsOf(run, receiver, names.slice(0, -1), boxing)
  if (value instanceof Struct && value.fields.has(last)) {
    run.fail(`${last} has arguments but cannot be invoked as function`)
  }
  if (isMap(value)) run.fail(`${last} is not a method but has arguments`)
  return fieldOf(run, value, last, names.length > 1 || boxing)
}

function fieldOf(run: Execution, receiver: Operand, name: string, boxing: Boxing): Operand {
  if (isMap(receiver)) {
    const value = receiver.get(name)
    return value === undefined ? missingKey(run, receiver.keys(), name) : value
  }
  if (receiver === pending) return pending
  if (receiver === undefined) {
    if (run.source.missingKey === 'error') run.fail(`nil data; no entry for key ${quote(name)}`)
    return undefined
  }
  if (receiver === null) return run.fail(`nil pointer evaluating interface {}.${name}`)
  let candidates: Iterable<string> = []
  if (receiver instanceof Struct) {
    const value = receiver.fields.get(name)
    if (value !== undefined) return value
    candidates = receiver.fields.keys()
  }
  const type = isBoxed(run, boxing) ? 'interface {}' : typeName(receiver)
  return run.fail(`can't evaluate field ${name} in type ${type}`, { hint: hintFor(name, candidates) })
}

function missingKey(run: Execution, keys: Iterable<string>, name: string): Operand {
  switch (run.source.missingKey) {
    case 'error':
      return run.fail(`map has no entry for key ${quote(name)}`, { hint: hintFor(name, keys) })
    case 'zero':
      return null
    case 'default':
      return undefined
  }
}

/** Names only: what is in the map may be a secret, what it is called is not. */
function hintFor(name: string, names: Iterable<string>): string | undefined {
  const near = nearest(name, names)
  return near === undefined ? undefined : `did you mean ${quote(near)}?`
}
