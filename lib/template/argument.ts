import { Float, int, Struct, type Value } from '../base/value.ts'
import { isBoxed, type Boxing } from './boxing.ts'
import type { BuiltinKind } from './builtins.ts'
import type { Evaluate, Execution } from './execution.ts'
import { pending } from './function.ts'
import type { NumberNode, OperandNode } from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { isList, isMap, typeName, type Operand } from './operand.ts'

/** Compiles operands, where any type will do. */
export interface OperandCompiler {
  compileOperand(node: OperandNode): Evaluate
  /** Whether Go would hold its value as an interface. */
  boxingOf(node: OperandNode): Boxing
}

/** What a function wants. */
export interface Signature {
  readonly parameters: readonly BuiltinKind[]
  readonly variadic?: BuiltinKind
}

/** What is wrong with the number of arguments, in Go's words; `count` is without the one from the pipeline. */
export function wrongCount(
  name: string,
  { parameters, variadic }: Signature,
  given: number,
  hasFinal: boolean,
): string | undefined {
  const count = given + (hasFinal ? 1 : 0)
  if (variadic === undefined) {
    if (count === parameters.length) return undefined
    return `wrong number of args for ${name}: want ${parameters.length} got ${count}`
  }
  if (count >= parameters.length) return undefined
  // Go leaves out the one from the pipeline here, and only here.
  return `wrong number of args for ${name}: want at least ${parameters.length} got ${given}`
}

export function kindAt({ parameters, variadic }: Signature, i: number): BuiltinKind {
  return parameters[i] ?? variadic ?? 'any'
}

/** Compiles an argument so that it has its parameter's kind, or fails as Go does. */
export function compileArgument(node: OperandNode, kind: BuiltinKind, compiler: OperandCompiler): Evaluate {
  switch (node.kind) {
    case 'bool':
    case 'number':
    case 'string':
      if (kind === 'any' || kind === 'operand' || kind === 'bare') return compiler.compileOperand(node)
      return compileConstant(node, kind)
    case 'nil':
      return compileNil(node, kind)
    default: {
      const evaluate = compiler.compileOperand(node)
      if (kind === 'operand') return evaluate
      if (kind === 'bare') return compileBare(evaluate, compiler.boxingOf(node))
      return (run, dot) => validated(run, evaluate(run, dot), kind)
    }
  }
}

function compileBare(evaluate: Evaluate, boxing: Boxing): Evaluate {
  return (run, dot) => {
    const value = evaluate(run, dot)
    return value !== undefined && value !== pending && isBoxed(run, boxing) ? null : value
  }
}

function compileNil(node: OperandNode, kind: BuiltinKind): Evaluate {
  const nil = nilOf(kind)
  return run => {
    run.at(node)
    return nil === 'none' ? run.fail(`cannot assign nil to ${goType(kind)}`) : nil.value
  }
}

/** What nil becomes where a map is wanted: always this one, so that nothing may be put into it. */
export const nilMap: ReadonlyMap<string, Value> = new Map()

/** What nil becomes for a parameter. */
function nilOf(kind: BuiltinKind): { readonly value: Operand } | 'none' {
  switch (kind) {
    case 'any':
      return { value: null }
    case 'operand':
    case 'bare':
      return { value: undefined }
    case 'list':
      return { value: [] }
    case 'map':
      return { value: nilMap }
    default:
      return 'none'
  }
}

function compileConstant(node: OperandNode, kind: Exclude<BuiltinKind, 'any' | 'operand' | 'bare'>): Evaluate {
  const value = constantAs(node, kind)
  if (value !== undefined) {
    return run => {
      run.at(node)
      return value
    }
  }
  const found = sourceOf(node)
  const message =
    kind === 'list' || kind === 'map' || kind.startsWith('struct ')
      ? `can't handle ${found} for arg of type ${goType(kind)}`
      : `expected ${kind === 'int' ? 'integer' : kind}; found ${found}`
  return run => {
    run.at(node)
    return run.fail(message)
  }
}

function constantAs(node: OperandNode, kind: BuiltinKind): Operand {
  switch (kind) {
    case 'string':
      return node.kind === 'string' ? node.value : undefined
    case 'bool':
      return node.kind === 'bool' ? node.value : undefined
    case 'int':
      return node.kind === 'number' && node.value.int !== undefined ? int(node.value.int) : undefined
    case 'float':
      return node.kind === 'number' ? floatOf(node) : undefined
    default:
      return undefined
  }
}

function floatOf({ value }: NumberNode): Float | undefined {
  return value.float === undefined ? undefined : new Float(value.float)
}

export function validated(run: Execution, value: Operand, kind: BuiltinKind): Operand {
  if (value === undefined) {
    if (kind === 'any') return null
    const nil = nilOf(kind)
    return nil === 'none' ? run.fail(`invalid value; expected ${goType(kind)}`) : nil.value
  }
  if (value === pending || hasKind(value, kind)) return value
  return run.fail(`wrong type for value; expected ${goType(kind)}; got ${typeName(value)}`)
}

function hasKind(value: Operand, kind: BuiltinKind): boolean {
  switch (kind) {
    case 'any':
    case 'operand':
    case 'bare':
      return true
    case 'string':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'float':
      return value instanceof Float
    case 'list':
      return isList(value)
    case 'map':
      return isMap(value)
    default:
      return value instanceof Struct && value.typeName === goType(kind)
  }
}

function goType(kind: BuiltinKind): string {
  switch (kind) {
    case 'any':
      return 'interface {}'
    case 'operand':
    case 'bare':
      return 'reflect.Value'
    case 'float':
      return 'float64'
    case 'list':
      return '[]interface {}'
    case 'map':
      return 'map[string]interface {}'
    case 'string':
    case 'bool':
    case 'int':
      return kind
    default:
      return kind.slice('struct '.length)
  }
}
