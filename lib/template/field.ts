import { nearest } from '../base/nearest.ts'
import { Struct, type Value } from '../base/value.ts'
import { isBoxed, type Boxing } from './boxing.ts'
import type { Execution } from './execution.ts'
import { pending } from './function.ts'
import { Instance, type Method } from './instance.ts'
import { callMethod, noArguments, type MethodCall } from './method.ts'
import type { Node } from './nodes.ts'
import { IntMap, isMap, typeName, type Operand } from './operand.ts'
import { quote } from './quote.ts'

/** Takes a chain of fields, `.a.b.c`, of a value; one that is a method is called. */
export function fieldsOf(
  run: Execution,
  receiver: Operand,
  names: readonly string[],
  boxing: Boxing,
  node: Node,
): Operand {
  let value = receiver
  let valueBoxing = boxing
  for (const name of names) {
    const isElement = isMap(value)
    value = fieldOf(run, value, name, valueBoxing, node)
    valueBoxing = isElement
  }
  return value
}

/** As `fieldsOf`, where arguments were given: an error, unless the last is a method, or on pending and nothing. */
export function invokedFieldOf(
  run: Execution,
  receiver: Operand,
  names: readonly string[],
  boxing: Boxing,
  call: MethodCall,
): Operand {
  const { node } = call
  const last = names.at(-1) as string
  const value = fieldsOf(run, receiver, names.slice(0, -1), boxing, node)
  if (value instanceof Struct) {
    const method = methodOf(value, last)
    if (method !== undefined) return callMethod(run, last, method, call)
    if (value.fields.has(last)) run.fail(`${last} has arguments but cannot be invoked as function`)
  }
  if (isMap(value)) run.fail(`${last} is not a method but has arguments`)
  return fieldOf(run, value, last, names.length > 1 || boxing, node)
}

function methodOf(value: Operand, name: string): Method | undefined {
  return value instanceof Instance ? value.methods.get(name) : undefined
}

function fieldOf(run: Execution, receiver: Operand, name: string, boxing: Boxing, node: Node): Operand {
  if (isMap(receiver) && !(receiver instanceof IntMap)) {
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
    const method = methodOf(receiver, name)
    if (method !== undefined) {
      return callMethod(run, name, method, { node, args: noArguments, dot: undefined, final: undefined })
    }
    const value = receiver.fields.get(name)
    if (value !== undefined) return exported(run, receiver, name, value)
    candidates = [...receiver.fields.keys(), ...(receiver instanceof Instance ? receiver.methods.keys() : [])]
  }
  const type = isBoxed(run, boxing) ? 'interface {}' : typeName(receiver)
  return run.fail(`can't evaluate field ${name} in type ${type}`, { hint: hintFor(name, candidates) })
}

/** Fields of small letters are not for templates. */
function exported(run: Execution, { typeName: type }: Struct, name: string, value: Value): Operand {
  if (!/^\p{Lu}/u.test(name)) run.fail(`${name} is an unexported field of struct type ${type}`)
  return value
}

function missingKey(run: Execution, keys: Iterable<string>, name: string): Operand {
  switch (run.source.missingKey) {
    case 'error':
      return run.fail(`map has no entry for key ${quote(name)}`, { hint: hintFor(name, keys) ?? OPTIONAL })
    case 'zero':
      return null
    case 'default':
      return undefined
  }
}

/** People who come from consul-template, where this is the default, ask `if` and `with` for keys that may be absent. */
const OPTIONAL = 'where the key may be absent, set missingKey: default, or ask with index'

/** Names only: what is in the map may be a secret, what it is called is not. */
function hintFor(name: string, names: Iterable<string>): string | undefined {
  const near = nearest(name, names)
  return near === undefined ? undefined : `did you mean ${quote(near)}?`
}
