import { messageOf } from '../base/errors.ts'
import { Float, int, type Value } from '../base/value.ts'
import { builtins, type Builtin } from './builtins.ts'
import { TemplateError } from './error.ts'
import type { Evaluate, Execution } from './execution.ts'
import { pending, type FunctionTable, type ParameterKind, type TemplateFunction } from './function.ts'
import type { CommandNode, IdentifierNode, NumberNode, OperandNode } from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { isList, isMap, isTrue, typeName, type Operand } from './operand.ts'

/** A compiled command; `final` is what the pipeline before it gave. */
export type Command = (run: Execution, dot: Operand, final: Operand) => Operand

/** Compiles an operand to be evaluated where any type will do. */
export type CompileOperand = (node: OperandNode) => Evaluate

export interface Call {
  readonly identifier: IdentifierNode
  /** Where an error of the function is reported. */
  readonly node: CommandNode | IdentifierNode
  readonly args: readonly OperandNode[]
  /** Whether a last argument comes from the pipeline. */
  readonly hasFinal: boolean
}

type Kind = ParameterKind | 'operand'

interface Signature {
  readonly parameters: readonly Kind[]
  readonly variadic?: Kind
}

/** Compiles a call of a function of the table or of a builtin, whichever has the name; the parser saw that one has. */
export function compileCall(call: Call, functions: FunctionTable<unknown>, compile: CompileOperand): Command {
  const { name } = call.identifier
  const own = functions.get(name)
  if (own !== undefined) return compileFunction(call, own, compile)
  if (name === 'and' || name === 'or') return compileLogic(call, name, compile)
  if (name === 'call') return compileCallOfCall(call, compile)
  return compileBuiltin(call, builtins.get(name) as Builtin, compile)
}

function compileFunction(call: Call, own: TemplateFunction<unknown>, compile: CompileOperand): Command {
  // A missing value has become nil, and pending is not among the arguments. What no function asked for is a complex number,
  // but then the template did.
  return compileInvocation(call, own, compile, (run, args) => own.call(run.context, args as readonly Value[]))
}

function compileBuiltin(call: Call, builtin: Builtin, compile: CompileOperand): Command {
  return compileInvocation(call, builtin, compile, (run, args) => builtin.call(args, (operand, verb) => run.quoted(operand, verb)))
}

/** Nothing that a template can get hold of is a function. */
function compileCallOfCall(call: Call, compile: CompileOperand): Command {
  const signature: Signature = { parameters: ['operand'], variadic: 'operand' }
  return compileInvocation(call, signature, compile, (run, [callee]) => {
    if (callee === null || callee === undefined) throw new Error('call of nil')
    const [word] = call.args
    const shown = typeof callee === 'string' ? run.quoted(callee) : `<${typeName(callee)} Value>`
    const written = word === undefined ? shown : sourceOf(word)
    throw new Error(`non-function ${written} of type ${typeName(callee)}`)
  })
}

function compileInvocation(
  call: Call,
  signature: Signature,
  compile: CompileOperand,
  invoke: (run: Execution, args: readonly Operand[]) => Operand,
): Command {
  const wrong = wrongCount(call, signature)
  if (wrong !== undefined) return failing(call, wrong)
  const { identifier, node, hasFinal } = call
  const { name } = identifier
  const args = call.args.map((arg, i) => compileArgument(arg, kindAt(signature, i), compile))
  const count = args.length
  const finalKind = kindAt(signature, count)
  return (run, dot, final) => {
    run.at(identifier)
    const values = new Array<Operand>(hasFinal ? count + 1 : count)
    let isPending = false
    for (let i = 0; i < count; i++) {
      const value = (args[i] as Evaluate)(run, dot)
      if (value === pending) isPending = true
      values[i] = value
    }
    if (hasFinal) values[count] = validated(run, final, finalKind)
    if (isPending || final === pending) return pending
    try {
      return run.made(invoke(run, values))
    } catch (error) {
      return failCall(run, name, node, error)
    }
  }
}

function failCall(run: Execution, name: string, node: CommandNode | IdentifierNode, error: unknown): never {
  if (error instanceof TemplateError && error.code === 'bound') throw error
  run.at(node)
  // V8's word for a string that it cannot hold.
  if (error instanceof RangeError && error.message === 'Invalid string length') {
    run.exceed(`error calling ${name}: the string is too long`, error)
  }
  return run.fail(`error calling ${name}: ${messageOf(error)}`, { cause: error })
}

/** `and` and `or` evaluate no further than they must. */
function compileLogic(call: Call, name: 'and' | 'or', compile: CompileOperand): Command {
  const signature: Signature = { parameters: ['operand'], variadic: 'operand' }
  const wrong = wrongCount(call, signature)
  if (wrong !== undefined) return failing(call, wrong)
  const { identifier, hasFinal } = call
  const args = call.args.map(arg => compileArgument(arg, 'operand', compile))
  const decisive = name === 'or'
  return (run, dot, final) => {
    run.at(identifier)
    let value: Operand
    let isPending = false
    for (const arg of args) {
      value = arg(run, dot)
      if (value === pending && decisive) isPending = true
      else if (isTrue(value) === decisive) return value
    }
    if (hasFinal) value = final
    // A later operand may be true whatever the earlier will be; that none is, is not known yet.
    return isPending && !isTrue(value) ? pending : value
  }
}

function wrongCount({ identifier, args, hasFinal }: Call, { parameters, variadic }: Signature): string | undefined {
  const count = args.length + (hasFinal ? 1 : 0)
  const { name } = identifier
  if (variadic === undefined) {
    if (count === parameters.length) return undefined
    return `wrong number of args for ${name}: want ${parameters.length} got ${count}`
  }
  if (count >= parameters.length) return undefined
  // Go leaves out the one from the pipeline here, and only here.
  return `wrong number of args for ${name}: want at least ${parameters.length} got ${args.length}`
}

function failing({ identifier }: Call, message: string): Command {
  return run => {
    run.at(identifier)
    return run.fail(message)
  }
}

function kindAt({ parameters, variadic }: Signature, i: number): Kind {
  return parameters[i] ?? variadic ?? 'any'
}

/** Compiles an argument so that it has its parameter's kind, or fails as Go does. */
function compileArgument(node: OperandNode, kind: Kind, compile: CompileOperand): Evaluate {
  switch (node.kind) {
    case 'bool':
    case 'number':
    case 'string':
      if (kind === 'any' || kind === 'operand') return compile(node)
      return compileConstant(node, kind)
    case 'nil':
      return compileNil(node, kind)
    default: {
      const evaluate = compile(node)
      if (kind === 'operand') return evaluate
      return (run, dot) => validated(run, evaluate(run, dot), kind)
    }
  }
}

function compileNil(node: OperandNode, kind: Kind): Evaluate {
  const nil = nilOf(kind)
  return run => {
    run.at(node)
    return nil === 'none' ? run.fail(`cannot assign nil to ${goType(kind)}`) : nil.value
  }
}

/** What nil becomes for a parameter. */
function nilOf(kind: Kind): { readonly value: Operand } | 'none' {
  switch (kind) {
    case 'any':
      return { value: null }
    case 'operand':
      return { value: undefined }
    case 'list':
      return { value: [] }
    case 'map':
      return { value: new Map() }
    default:
      return 'none'
  }
}

function compileConstant(node: OperandNode, kind: Exclude<Kind, 'any' | 'operand'>): Evaluate {
  const value = constantAs(node, kind)
  if (value !== undefined) {
    return run => {
      run.at(node)
      return value
    }
  }
  const found = sourceOf(node)
  const message =
    kind === 'list' || kind === 'map'
      ? `can't handle ${found} for arg of type ${goType(kind)}`
      : `expected ${kind === 'int' ? 'integer' : kind}; found ${found}`
  return run => {
    run.at(node)
    return run.fail(message)
  }
}

function constantAs(node: OperandNode, kind: Kind): Operand {
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

function validated(run: Execution, value: Operand, kind: Kind): Operand {
  if (value === undefined) {
    if (kind === 'any') return null
    const nil = nilOf(kind)
    return nil === 'none' ? run.fail(`invalid value; expected ${goType(kind)}`) : nil.value
  }
  if (value === pending || hasKind(value, kind)) return value
  return run.fail(`wrong type for value; expected ${goType(kind)}; got ${typeName(value)}`)
}

function hasKind(value: Operand, kind: Kind): boolean {
  switch (kind) {
    case 'any':
    case 'operand':
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
  }
}

function goType(kind: Kind): string {
  switch (kind) {
    case 'any':
      return 'interface {}'
    case 'operand':
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
  }
}
