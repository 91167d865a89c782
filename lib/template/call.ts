import { messageOf } from '../base/errors.ts'
import { Float, int, type Value } from '../base/value.ts'
import { builtins, type Builtin, type BuiltinKind } from './builtins.ts'
import { TemplateError } from './error.ts'
import { excessOf, type Evaluate, type Execution } from './execution.ts'
import { pending, type FunctionTable, type TemplateFunction } from './function.ts'
import { isBoxed, type Boxing } from './field.ts'
import type { CommandNode, IdentifierNode, NumberNode, OperandNode } from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { isList, isMap, isTrue, typeName, type Operand } from './operand.ts'

/** A compiled command; `final` is what the pipeline before it gave. */
export type Command = (run: Execution, dot: Operand, final: Operand) => Operand

/** Compiles operands, where any type will do. */
export interface OperandCompiler {
  compileOperand(node: OperandNode): Evaluate
  /** Whether Go would hold its value as an interface. */
  boxingOf(node: OperandNode): Boxing
}

export interface Call {
  readonly identifier: IdentifierNode
  /** Where an error of the function is reported. */
  readonly node: CommandNode | IdentifierNode
  readonly args: readonly OperandNode[]
  /** Whether a last argument comes from the pipeline. */
  readonly hasFinal: boolean
}

interface Signature {
  readonly parameters: readonly BuiltinKind[]
  readonly variadic?: BuiltinKind
}

/** Compiles a call of a function of the table or of a builtin, whichever has the name; the parser saw that one has. */
export function compileCall(call: Call, functions: FunctionTable<unknown>, compiler: OperandCompiler): Command {
  const { name } = call.identifier
  const own = functions.get(name)
  if (own !== undefined) return compileFunction(call, own, compiler)
  if (name === 'and' || name === 'or') return compileLogic(call, name, compiler)
  if (name === 'call') return compileCallOfCall(call, compiler)
  return compileBuiltin(call, builtins.get(name) as Builtin, compiler)
}

function compileFunction(call: Call, own: TemplateFunction<unknown>, compiler: OperandCompiler): Command {
  // A missing value has become nil, and pending is not among the arguments. A complex number may be: it is no `Value`, but
  // prints and compares as in Go wherever it is only passed on.
  return compileInvocation(call, own, compiler, (run, args) => own.call(run.context, args as readonly Value[]))
}

function compileBuiltin(call: Call, builtin: Builtin, compiler: OperandCompiler): Command {
  return compileInvocation(call, builtin, compiler, (run, args) =>
    builtin.call(args, (operand, verb) => run.quoted(operand, verb)),
  )
}

/** Nothing that a template can get hold of is a function. */
function compileCallOfCall(call: Call, compiler: OperandCompiler): Command {
  const signature: Signature = { parameters: ['operand'], variadic: 'operand' }
  return compileInvocation(call, signature, compiler, (run, [callee]) => {
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
  compiler: OperandCompiler,
  invoke: (run: Execution, args: readonly Operand[]) => Operand,
): Command {
  const wrong = wrongCount(call, signature)
  if (wrong !== undefined) return failing(call, wrong)
  const { identifier, node, hasFinal } = call
  const { name } = identifier
  const args = call.args.map((arg, i) => compileArgument(arg, kindAt(signature, i), compiler))
  const count = args.length
  const finalKind = kindAt(signature, count)
  return (run, dot, final) => {
    run.at(identifier)
    const values: Operand[] = []
    let isPending = false
    for (let i = 0; i < count; i++) {
      const value = (args[i] as Evaluate)(run, dot)
      if (value === pending) isPending = true
      else if (typeof value === 'string' || isList(value)) run.weigh(value.length)
      values.push(value)
    }
    if (hasFinal) {
      if (typeof final === 'string' || isList(final)) run.weigh(final.length)
      values.push(validated(run, final, finalKind))
    }
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
  const excess = excessOf(error)
  if (excess !== undefined) run.exceed(`error calling ${name}: ${excess}`, error)
  return run.fail(`error calling ${name}: ${messageOf(error)}`, { cause: error })
}

/** `and` and `or` evaluate no further than they must. */
function compileLogic(call: Call, name: 'and' | 'or', compiler: OperandCompiler): Command {
  const signature: Signature = { parameters: ['operand'], variadic: 'operand' }
  const wrong = wrongCount(call, signature)
  if (wrong !== undefined) return failing(call, wrong)
  const { identifier, hasFinal } = call
  const args = call.args.map(arg => compileArgument(arg, 'operand', compiler))
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

function kindAt({ parameters, variadic }: Signature, i: number): BuiltinKind {
  return parameters[i] ?? variadic ?? 'any'
}

/** Compiles an argument so that it has its parameter's kind, or fails as Go does. */
function compileArgument(node: OperandNode, kind: BuiltinKind, compiler: OperandCompiler): Evaluate {
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
      return { value: new Map() }
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
    kind === 'list' || kind === 'map'
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

function validated(run: Execution, value: Operand, kind: BuiltinKind): Operand {
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
  }
}
