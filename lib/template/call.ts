import type { Value } from '../base/value.ts'
import { compileArgument, kindAt, validated, wrongCount, type OperandCompiler, type Signature } from './argument.ts'
import { copyOf } from './copy.ts'
import { builtins, type Builtin } from './builtins.ts'
import type { Evaluate, Execution } from './execution.ts'
import { pending, type FunctionTable, type TemplateFunction } from './function.ts'
import type { CommandNode, IdentifierNode, OperandNode } from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { isList, isTrue, typeName, type Operand } from './operand.ts'

/** A compiled command; `final` is what the pipeline before it gave. */
export type Command = (run: Execution, dot: Operand, final?: Operand) => Operand

export interface Call {
  readonly identifier: IdentifierNode
  /** Where an error of the function is reported. */
  readonly node: CommandNode | IdentifierNode
  readonly args: readonly OperandNode[]
  /** Whether a last argument comes from the pipeline. */
  readonly hasFinal: boolean
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

/** What a call of a function counts, whatever it is given: most take about a microsecond. */
const CALL_STEPS = 10

function compileFunction(call: Call, own: TemplateFunction<unknown>, compiler: OperandCompiler): Command {
  // A missing value has become nil, and pending is not among the arguments. A complex number may be: it is no `Value`, but
  // prints and compares as in Go wherever it is only passed on.
  return compileInvocation(call, own, compiler, (run, args) => {
    run.spend(own.steps?.(args as readonly Value[]) ?? CALL_STEPS)
    const result = own.call(run.context, args as readonly Value[], run)
    if (isList(result) && !args.includes(result)) run.madeItems(result.length)
    return own.givesShared === true && run.source.changesMaps && result !== pending ? copyOf(result) : result
  })
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
  const wrong = wrongCount(call.identifier.name, signature, call.args.length, call.hasFinal)
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
      return run.failCall(name, node, error)
    }
  }
}

/** `and` and `or` evaluate no further than they must. */
function compileLogic(call: Call, name: 'and' | 'or', compiler: OperandCompiler): Command {
  const signature: Signature = { parameters: ['operand'], variadic: 'operand' }
  const wrong = wrongCount(call.identifier.name, signature, call.args.length, call.hasFinal)
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

function failing({ identifier }: Call, message: string): Command {
  return run => {
    run.at(identifier)
    return run.fail(message)
  }
}
