import type { Command } from './call.ts'
import type { Evaluate, Execution, Perform } from './execution.ts'
import type { BranchNode, OperandNode, StatementNode } from './nodes.ts'
import type { Operand } from './operand.ts'
import type { Scope, Variable } from './scope.ts'

/** Is shown every closure that the compilers make, with what it was made of, and may give another in its place, which calls it.
 *  So what an execution does can be followed without a second evaluator; and where nothing is to be followed, the closures are
 *  those that they would be anyway. */
export interface Instrument {
  /** An operand, or a command of a pipeline. */
  expression(expression: Expression, evaluate: Command): Command
  /** A pipeline, with the variables that it declares or assigns. */
  pipeline(variables: readonly (Variable | undefined)[], evaluate: Evaluate): Evaluate
  /** A whole statement; `scope` is as before it. */
  statement(node: StatementNode, perform: Perform, scope: Scope): Perform
  /** What an `if`, `with` or `range` goes by. */
  subject(evaluate: Evaluate): Evaluate
  /** What an `if`, `with` or `range` performs: once, or in each turn. */
  branch(kind: BranchNode['kind'], part: 'then' | 'else', perform: Perform): Perform
  /** What begins each turn of a range, and the variables that it sets: none, the element's, or the index's and the element's. */
  turn(variables: readonly Variable[], begin: BeginTurn): BeginTurn
}

export interface Expression {
  /** What is called or shown, and its arguments. */
  readonly words: readonly [OperandNode, ...OperandNode[]]
  /** Whether a last argument comes from the pipeline. */
  readonly hasFinal: boolean
  readonly scope: Scope
}

/** Gives the variables of a range their values. */
export type BeginTurn = (run: Execution, index: Operand, item: Operand) => void

/** Follows nothing. */
export const plain: Instrument = {
  expression: (_, evaluate) => evaluate,
  pipeline: (_, evaluate) => evaluate,
  statement: (_, perform) => perform,
  subject: evaluate => evaluate,
  branch: (_, _part, perform) => perform,
  turn: (_, begin) => begin,
}
