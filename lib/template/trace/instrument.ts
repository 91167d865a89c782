import { byteLength } from '../../base/text.ts'
import type { Command } from '../call.ts'
import { Channel } from '../channel.ts'
import type { Execution, Perform } from '../execution.ts'
import type { FunctionTable, TemplateFunction } from '../function.ts'
import type { Expression, Instrument } from '../instrument.ts'
import type { BranchNode, IdentifierNode, OperandNode, StatementNode, TextNode } from '../nodes.ts'
import { isList, isMap, type Operand } from '../operand.ts'
import type { Scope, Variable } from '../scope.ts'
import { effectsOf, type Effects } from './effects.ts'
import type { Frame, TracedExecution } from './execution.ts'
import { Sources, Taint } from './sources.ts'

// How taints travel:
//
// 1. A value that a function asked for is exactly what was asked for; taking a field of it narrows that to the field.
// 2. What a function gives comes from its arguments and from what it asked for.
// 3. What is performed in a branch or a turn is decided by what that goes by, and so is the value of each variable that any of
//    its branches assigns, performed or not.
// 4. Once a break or continue could have happened, what decided over it decides over the rest of the range.
// 5. What is put into something that can be changed comes out of everything that can be changed.

/** Follows where values come from, in executions that are `TracedExecution`s. */
export function tracing(functions: FunctionTable<never>): Instrument {
  return {
    expression: (expression, evaluate) => followExpression(expression, evaluate, functions),
    pipeline(variables, evaluate) {
      if (variables.length === 0) return evaluate
      return (run, dot) => {
        const value = evaluate(run, dot)
        const { frame, taints } = traced(run)
        for (const variable of variables) if (variable !== undefined) taints[variable.slot] = frame.last ?? Taint.none
        return value
      }
    },
    statement: (node, perform, scope) => followStatement(node, perform, scope, functions),
    subject: evaluate => (run, dot) => {
      const value = evaluate(run, dot)
      const { frame } = traced(run)
      frame.subject = frame.last ?? Taint.none
      frame.usesUp = value instanceof Channel
      frame.isIndexed = isList(value) || isMap(value)
      return value
    },
    branch: followBranch,
    turn: (variables, begin) => (run, index, item) => {
      begin(run, index, item)
      beginTurn(traced(run), index, variables)
    },
  }
}

function beginTurn(run: TracedExecution, index: Operand, variables: readonly Variable[]): void {
  const { frame, taints, changed } = run
  // What is ranged over may have been changed in the turns before.
  frame.subject = frame.subject.with(changed)
  frame.element = frame.isIndexed ? narrowed(run, frame.subject, [`${index as string | number}`]) : frame.subject
  const [first, second] = variables
  if (first === undefined) return
  taints[first.slot] = second === undefined ? frame.element : Taint.from(frame.subject.sources)
  if (second !== undefined) taints[second.slot] = frame.element
}

/** The closures of this instrument are in no other kind of execution. */
function traced(run: Execution): TracedExecution {
  return run as TracedExecution
}

function followExpression(expression: Expression, evaluate: Command, functions: FunctionTable<never>): Command {
  const taintOf = taintRule(expression, functions)
  const [, name] = expression.words
  const isNamed = name?.kind === 'string'
  return (run, dot, final) => {
    const execution = traced(run)
    const frame = execution.begin(expression.hasFinal ? execution.frame.last : undefined)
    frame.isNamed = isNamed
    const value = evaluate(run, dot, final)
    execution.endExpression(taintOf(execution, frame, dot))
    return value
  }
}

/** The taint of an expression that has just been evaluated. */
type TaintRule = (run: TracedExecution, frame: Frame, dot: Operand) => Taint

function taintRule({ words, hasFinal, scope }: Expression, functions: FunctionTable<never>): TaintRule {
  const [word, ...args] = words
  const isInvoked = args.length > 0 || hasFinal
  switch (word.kind) {
    case 'dot':
      return (run, _, dot) => run.read(dot, run.dotTaint)
    case 'field':
      return fieldRule((run, _, dot) => run.read(dot, run.dotTaint), word.names, isInvoked)
    case 'variable':
      return fieldRule(variableRule(scope.find(word.name)), word.fields, isInvoked)
    case 'chain':
      return fieldRule((_, frame) => frame.first ?? Taint.none, word.fields, isInvoked)
    case 'identifier':
      return callRule({ words, hasFinal, scope }, word, functions)
    case 'pipe':
      return (_, frame) => frame.last ?? Taint.none
    default:
      return () => Taint.none
  }
}

function variableRule(variable: Variable | undefined): TaintRule {
  // One that is not there has failed before.
  if (variable === undefined) return () => Taint.none
  const { slot } = variable
  return run => run.read(run.variables[slot], run.taints[slot] ?? Taint.none)
}

function fieldRule(receiver: TaintRule, fields: readonly string[], isInvoked: boolean): TaintRule {
  if (!isInvoked) return (run, frame, dot) => narrowed(run, receiver(run, frame, dot), fields)
  // A method: one of the scratch may put its arguments into it, or take out what was put there.
  return (run, frame, dot) => {
    const sources = receiver(run, frame, dot).sources.with(frame.all).with(frame.given.sources)
    run.change(sources.with(run.deciding))
    return Taint.from(sources.with(run.changed))
  }
}

/** The taint of a field of a value. */
function narrowed(run: TracedExecution, taint: Taint, fields: readonly string[]): Taint {
  const { exact, also } = taint
  return exact === undefined || fields.length === 0 ? taint : new Taint(run.origins.below(exact, fields), also)
}

function callRule(call: Expression, identifier: IdentifierNode, functions: FunctionTable<never>): TaintRule {
  const { name } = identifier
  const own = functions.get(name)
  if (own !== undefined) return functionRule(own)
  if (name === 'and' || name === 'or') return logicRule(call, functions)
  const keys = name === 'index' && !call.hasFinal ? constantKeys(call.words.slice(2)) : undefined
  if (keys !== undefined) return (run, frame) => narrowed(run, frame.first ?? Taint.none, keys)
  return (_, frame) => Taint.from(frame.all.with(frame.given.sources))
}

function functionRule({ givesShared, changesMaps }: TemplateFunction<never>): TaintRule {
  return (run, frame) => {
    const asked = run.taken()
    const sources = frame.result ?? frame.all.with(frame.given.sources)
    const [only] = asked
    if (only !== undefined && asked.length === 1 && givesShared === true) return new Taint(only, sources)
    const made = Taint.from(sources.with(Sources.of(asked)))
    if (changesMaps !== true) return made
    run.change(made.sources.with(run.deciding))
    return made.with(run.changed)
  }
}

/** What is not evaluated, because an operand before it decided, tells of that operand. */
function logicRule({ words, scope }: Expression, functions: FunctionTable<never>): TaintRule {
  const effects = effectsOf(words, functions)
  const assigned = slotsOf(effects, scope)
  return (run, frame) => {
    const sources = frame.all.with(frame.given.sources)
    join(run, effects, assigned, sources)
    return Taint.from(sources)
  }
}

/** The keys of an `index` whose keys are all constants. */
function constantKeys(words: readonly OperandNode[]): readonly string[] | undefined {
  const keys: string[] = []
  for (const word of words) {
    if (word.kind === 'string') keys.push(word.value)
    else if (word.kind === 'number' && word.value.int !== undefined) keys.push(String(word.value.int))
    else return undefined
  }
  return keys
}

function followStatement(
  node: StatementNode,
  perform: Perform,
  scope: Scope,
  functions: FunctionTable<never>,
): Perform {
  switch (node.kind) {
    case 'text':
      return followText(node, perform)
    case 'action':
      return followAction(node.at, perform)
    case 'if':
    case 'with':
    case 'range':
      return followBranches(node, perform, scope, functions)
    case 'template':
      return framed(perform)
    default:
      return perform
  }
}

function framed(perform: Perform): Perform {
  return (run, dot) => {
    const execution = traced(run)
    const frame = execution.begin()
    const flow = perform(run, dot)
    execution.endStatement(frame)
    return flow
  }
}

/** Each line of a text is a piece of its own. */
function followText({ at, text }: TextNode, perform: Perform): Perform {
  let start = at
  const lines = text.split(/(?<=\n)/).map(line => {
    const piece = { bytes: byteLength(line), at: start }
    start += line.length
    return piece
  })
  return (run, dot) => {
    const flow = perform(run, dot)
    const execution = traced(run)
    if (execution.bytes === undefined) return flow
    for (const line of lines)
      execution.pieces.push({ ...line, isText: true, from: Sources.none, under: execution.deciding })
    return flow
  }
}

function followAction(at: number, perform: Perform): Perform {
  return (run, dot) => {
    const execution = traced(run)
    const before = execution.bytes
    const frame = execution.begin()
    const flow = perform(run, dot)
    execution.endStatement(frame)
    if (before === undefined) return flow
    const bytes = (execution.bytes as number) - before
    const from = frame.last?.sources ?? Sources.none
    if (bytes > 0) execution.pieces.push({ bytes, at, isText: false, from, under: execution.deciding })
    return flow
  }
}

function followBranches(node: BranchNode, perform: Perform, scope: Scope, functions: FunctionTable<never>): Perform {
  const effects = effectsOf([node], functions)
  const assigned = slotsOf(effects, scope)
  const isRange = node.kind === 'range'
  return (run, dot) => {
    const execution = traced(run)
    const { control, jumped } = execution
    const frame = execution.begin()
    if (isRange) {
      execution.control = execution.deciding
      execution.jumped = Sources.none
    }
    const flow = perform(run, dot)
    const decided = frame.subject.sources.with(isRange ? execution.jumped : Sources.none)
    join(execution, effects, assigned, decided)
    if (frame.usesUp) execution.change(decided.with(execution.control))
    if (isRange) Object.assign(execution, { control, jumped })
    if (effects.jumps) execution.jumped = execution.jumped.with(decided)
    execution.endStatement(frame)
    return flow
  }
}

function slotsOf({ assigned }: Effects, scope: Scope): readonly number[] {
  return [...assigned].flatMap(name => scope.find(name)?.slot ?? [])
}

/** Lets everything that may have happened, or not happened, tell of what decided over it. */
function join(run: TracedExecution, { changes }: Effects, assigned: readonly number[], sources: Sources): void {
  for (const slot of assigned) run.taints[slot] = (run.taints[slot] ?? Taint.none).with(sources)
  if (changes) run.change(sources)
}

function followBranch(kind: BranchNode['kind'], part: 'then' | 'else', perform: Perform): Perform {
  return (run, dot) => {
    const execution = traced(run)
    const { control, dotTaint, frame } = execution
    execution.control = control.with(frame.subject.sources)
    if (part === 'then' && kind === 'with') execution.dotTaint = frame.subject
    if (part === 'then' && kind === 'range') execution.dotTaint = frame.element
    const flow = perform(run, dot)
    execution.control = control
    execution.dotTaint = dotTaint
    return flow
  }
}
