import { compileArgument, kindAt, validated, wrongCount, type OperandCompiler } from './argument.ts'
import type { Evaluate, Execution } from './execution.ts'
import { pending, type ParameterKind } from './function.ts'
import type { Method } from './instance.ts'
import type { Node, OperandNode } from './nodes.ts'
import { isList, type Operand } from './operand.ts'

/** The arguments that a template gives a field. Which kinds they must have is known when the field turns out to be a method. */
export interface MethodArguments {
  /** Without the one from the pipeline. */
  readonly count: number
  readonly hasFinal: boolean
  evaluate(run: Execution, dot: Operand, position: number, kind: ParameterKind): Operand
}

/** Compiles each argument for each kind. Most fields have none, and those that have some are methods. */
export function compileMethodArguments(
  args: readonly OperandNode[],
  hasFinal: boolean,
  compiler: OperandCompiler,
): MethodArguments {
  const compiled = args.map(arg => new Map(KINDS.map(kind => [kind, compileArgument(arg, kind, compiler)])))
  return {
    count: args.length,
    hasFinal,
    evaluate: (run, dot, position, kind) => evaluatorAt(compiled, position, kind)(run, dot),
  }
}

function evaluatorAt(
  compiled: readonly ReadonlyMap<ParameterKind, Evaluate>[],
  position: number,
  kind: ParameterKind,
): Evaluate {
  return (compiled[position] as ReadonlyMap<ParameterKind, Evaluate>).get(kind) as Evaluate
}

const KINDS: readonly ParameterKind[] = ['any', 'string', 'bool', 'int', 'float', 'list', 'map']

export const noArguments: MethodArguments = { count: 0, hasFinal: false, evaluate: () => undefined }

/** A call of a method at a node. */
export interface MethodCall {
  readonly node: Node
  readonly args: MethodArguments
  readonly dot: Operand
  readonly final: Operand
}

export function callMethod(run: Execution, name: string, method: Method, call: MethodCall): Operand {
  const { node, args, dot, final } = call
  const wrong = wrongCount(name, method, args.count, args.hasFinal)
  if (wrong !== undefined) return run.fail(wrong)
  const values: Operand[] = []
  for (let i = 0; i < args.count; i++) values.push(args.evaluate(run, dot, i, kindAt(method, i) as ParameterKind))
  if (args.hasFinal) values.push(validated(run, final, kindAt(method, args.count)))
  for (const value of values) if (typeof value === 'string' || isList(value)) run.weigh(value.length)
  if (method.takesPending !== true && values.includes(pending)) return pending
  try {
    // A missing value has become nil, as for functions.
    return run.made(method.call(values as Parameters<Method['call']>[0]))
  } catch (error) {
    return run.failCall(name, node, error)
  }
}
