import { Uint } from '../base/value.ts'
import { Channel } from './channel.ts'
import {
  BREAK,
  CONTINUE,
  GO_ON,
  newVariables,
  type CompiledTemplate,
  type Execution,
  type Flow,
  type Perform,
} from './execution.ts'
import { pending, type FunctionTable } from './function.ts'
import type { BeginTurn, Instrument } from './instrument.ts'
import type { ActionNode, BranchNode, ListNode, PipeNode, StatementNode, TemplateNode } from './nodes.ts'
import { Byte, IntMap, isList, isMap, isTrue, sortedKeys, type Operand } from './operand.ts'
import type { TemplateSet } from './parser.ts'
import { PipelineCompiler } from './pipeline.ts'
import { quote } from './quote.ts'
import { Scope } from './scope.ts'

/** Compiles every template of a set to closures, once, so that executing one walks no tree and looks up no name. */
export function compileAll(
  set: TemplateSet,
  functions: FunctionTable<unknown>,
  instrument: Instrument,
): ReadonlyMap<string, CompiledTemplate> {
  const compiled = new Map<string, CompiledTemplate>()
  for (const [name, list] of set) {
    compiled.set(name, new TemplateCompiler(functions, compiled, instrument).compile(name, list))
  }
  return compiled
}

class TemplateCompiler {
  readonly #scope = new Scope()
  readonly #pipelines: PipelineCompiler
  /** All templates of the set, once they are compiled. */
  readonly #templates: ReadonlyMap<string, CompiledTemplate>
  readonly #instrument: Instrument

  constructor(
    functions: FunctionTable<unknown>,
    templates: ReadonlyMap<string, CompiledTemplate>,
    instrument: Instrument,
  ) {
    this.#pipelines = new PipelineCompiler(this.#scope, functions, instrument)
    this.#templates = templates
    this.#instrument = instrument
  }

  compile(name: string, list: ListNode): CompiledTemplate {
    const body = this.#compileList(list)
    return { name, body, slots: this.#scope.slots }
  }

  #compileList({ nodes }: ListNode): Perform {
    const statements = nodes.map(node => this.#instrument.statement(node, this.#compileStatement(node), this.#scope))
    const [only] = statements
    if (only !== undefined && statements.length === 1) return only
    return (run, dot) => {
      for (let i = 0; i < statements.length; i++) {
        const flow = (statements[i] as Perform)(run, dot)
        if (flow !== GO_ON) return flow
      }
      return GO_ON
    }
  }

  #compileStatement(node: StatementNode): Perform {
    switch (node.kind) {
      case 'text': {
        const { text } = node
        return run => {
          run.output.write(text)
          return GO_ON
        }
      }
      case 'action':
        return this.#compileAction(node)
      case 'if':
      case 'with':
        return this.#compileCondition(node)
      case 'range':
        return this.#compileRange(node)
      case 'template':
        return this.#compileTemplate(node)
      case 'break':
        return () => BREAK
      case 'continue':
        return () => CONTINUE
    }
  }

  #compileAction(node: ActionNode): Perform {
    const evaluate = this.#pipelines.compile(node.pipe)
    if (node.pipe.variables.length > 0) {
      return (run, dot) => {
        evaluate(run, dot)
        return GO_ON
      }
    }
    return (run, dot) => {
      const value = evaluate(run, dot)
      run.node = node
      run.print(value)
      return GO_ON
    }
  }

  #compileCondition({ kind, pipe, list, elseList }: BranchNode): Perform {
    return this.#scope.within(() => {
      const condition = this.#instrument.subject(this.#pipelines.compile(pipe))
      const then = this.#scope.within(() => {
        if (kind === 'with') this.#scope.dotBoxing = false
        return this.#instrument.branch(kind, 'then', this.#compileList(list))
      })
      const otherwise = this.#compileElse(kind, elseList)
      if (kind === 'with') {
        return (run, dot) => {
          const value = condition(run, dot)
          return isTrue(value) ? then(run, value) : otherwise(run, dot)
        }
      }
      return (run, dot) => (isTrue(condition(run, dot)) ? then(run, dot) : otherwise(run, dot))
    })
  }

  #compileElse(kind: BranchNode['kind'], list: ListNode | undefined): Perform {
    if (list === undefined) return () => GO_ON
    return this.#scope.within(() => this.#instrument.branch(kind, 'else', this.#compileList(list)))
  }

  #compileRange(node: BranchNode): Perform {
    const { pipe } = node
    return this.#scope.within(() => {
      const evaluate = this.#instrument.subject(this.#pipelines.compile(pipe))
      const boxedSlot = this.#scope.reserve()
      const begin = this.#compileLoopVariables(pipe, boxedSlot)
      const list = this.#scope.within(() => {
        this.#scope.dotBoxing = boxedSlot
        return this.#instrument.branch('range', 'then', this.#compileList(node.list))
      })
      const otherwise = this.#compileElse('range', node.elseList)
      const loop: Loop = {
        hasTwoVariables: pipe.variables.length > 1,
        turn(run, index, item) {
          run.turn()
          begin(run, index, item)
          return list(run, item)
        },
      }
      return (run, dot) => {
        const value = evaluate(run, dot)
        if (value === pending) return GO_ON
        run.variables[boxedSlot] = isList(value) || isMap(value)
        return performLoop(run, value, loop) ? GO_ON : otherwise(run, dot)
      }
    })
  }

  /** Gives the variables of a range their values for a turn: with two, index and element, with one, the element. */
  #compileLoopVariables({ variables, isAssign }: PipeNode, boxedSlot: number): BeginTurn {
    const found = variables.map(({ name }) => this.#scope.find(name))
    const [first, second] = found
    // Variables that are not there have failed in the pipeline before.
    if (first === undefined) return this.#instrument.turn([], () => {})
    if (second === undefined) {
      return this.#instrument.turn([first], (run, _, item) => {
        run.variables[first.slot] = item
        run.variables[first.boxing] = run.variables[boxedSlot]
      })
    }
    // `$x, $x :=` declares two variables, of which the name is the second's.
    const index = !isAssign && first === second ? this.#scope.before(first) : first
    return this.#instrument.turn([index, second], (run, key, item) => {
      run.variables[index.slot] = key
      run.variables[index.boxing] = false
      run.variables[second.slot] = item
      run.variables[second.boxing] = run.variables[boxedSlot]
    })
  }

  #compileTemplate(node: TemplateNode): Perform {
    const { name } = node
    const argument = node.pipe === undefined ? undefined : this.#pipelines.compile(node.pipe)
    const templates = this.#templates
    let template: CompiledTemplate | undefined
    return (run, dot) => {
      run.at(node)
      template ??= templates.get(name)
      if (template === undefined) return run.fail(`template ${quote(name)} not defined`)
      if (run.depth >= run.depthMax) return run.exceedDepth()
      run.perform(template, argument?.(run, dot))
      return GO_ON
    }
  }
}

interface Loop {
  readonly hasTwoVariables: boolean
  readonly turn: (run: Execution, index: Operand, item: Operand) => Flow
}

/** Goes through a value; whether there was anything in it. */
function performLoop(run: Execution, value: Operand, loop: Loop): boolean {
  if (isList(value)) {
    for (let i = 0; i < value.length; i++) if (loop.turn(run, i, value[i]) === BREAK) break
    return value.length > 0
  }
  if (isMap(value)) {
    // Its keys are sorted even if the first turn breaks.
    run.weigh(value.size)
    const isInts = value instanceof IntMap
    for (const key of sortedKeys(value)) {
      if (loop.turn(run, isInts ? Number(key) : key, value.get(key)) === BREAK) break
    }
    return value.size > 0
  }
  if (value === undefined) return false
  if (value instanceof Channel) return performReceiving(run, value, loop)
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint) {
    return performCount(run, value, loop)
  }
  return run.fail(`range can't iterate over ${run.quoted(value)}`)
}

function performCount(run: Execution, value: number | bigint | Uint, loop: Loop): boolean {
  if (loop.hasTwoVariables) run.fail(`can't use ${run.quoted(value)} to iterate over more than one variable`)
  const isUnsigned = value instanceof Uint
  // Longer than any bound on steps, where it is not exact.
  const count = Number(isUnsigned ? value.value : value)
  const Type = value instanceof Byte ? Byte : Uint
  for (let i = 0; i < count; i++) {
    if (loop.turn(run, undefined, isUnsigned ? new Type(BigInt(i)) : i) === BREAK) break
  }
  return count > 0
}

/** What receiving counts beside the turn: a channel's integers are large ones, which take longer. */
const RECEIVING_STEPS = 3

/** What is left in a channel after a break, the next range over it gets. */
function performReceiving(run: Execution, channel: Channel, loop: Loop): boolean {
  let i = 0
  for (let item = channel.receive(); item !== undefined; item = channel.receive()) {
    run.spend(RECEIVING_STEPS)
    if (loop.turn(run, i++, item) === BREAK) break
  }
  return i > 0
}

/** Executes a compiled template, and gives its output. */
export function perform(run: Execution, template: CompiledTemplate, dot: Operand): string {
  run.variables = newVariables(template, dot)
  template.body(run, dot)
  return run.output.text
}
