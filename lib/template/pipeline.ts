import { Float, int } from '../base/value.ts'
import type { OperandCompiler } from './argument.ts'
import type { Boxing } from './boxing.ts'
import { compileCall, type Command } from './call.ts'
import type { Evaluate } from './execution.ts'
import { fieldsOf, invokedFieldOf } from './field.ts'
import type { FunctionTable } from './function.ts'
import type { Instrument } from './instrument.ts'
import { compileMethodArguments } from './method.ts'
import type {
  ChainNode,
  CommandNode,
  FieldNode,
  IdentifierNode,
  NumberNode,
  OperandNode,
  PipeNode,
  VariableNode,
} from './nodes.ts'
import { sourceOf } from './nodes.ts'
import type { Scope } from './scope.ts'

/** Compiles the expressions of one template. The order in which nodes are begun (`run.at`) is Go's: it decides where an error
 *  is reported. */
export class PipelineCompiler implements OperandCompiler {
  readonly #scope: Scope
  readonly #functions: FunctionTable<unknown>
  readonly #instrument: Instrument

  constructor(scope: Scope, functions: FunctionTable<unknown>, instrument: Instrument) {
    this.#scope = scope
    this.#functions = functions
    this.#instrument = instrument
  }

  /** Compiles a pipeline; its variables are declared from there on. A nil that it gives is a missing value. */
  compile(pipe: PipeNode): Evaluate {
    const value = this.#compileCommands(pipe)
    if (pipe.variables.length === 0) return value
    if (pipe.isAssign) return this.#compileAssignment(pipe, value)
    const variables = pipe.variables.map(({ name }) => this.#scope.declare(name))
    return this.#instrument.pipeline(variables, (run, dot) => {
      const result = value(run, dot)
      for (const { slot, boxing } of variables) {
        run.variables[slot] = result
        run.variables[boxing] = false
      }
      return result
    })
  }

  #compileAssignment(pipe: PipeNode, value: Evaluate): Evaluate {
    const targets = pipe.variables.map(({ name }) => ({ name, variable: this.#scope.find(name) }))
    const variables = targets.map(({ variable }) => variable)
    return this.#instrument.pipeline(variables, (run, dot) => {
      const result = value(run, dot)
      for (const { name, variable } of targets) {
        if (variable === undefined) return run.fail(`undefined variable: ${name}`)
        run.variables[variable.slot] = result
        run.variables[variable.boxing] = false
      }
      return result
    })
  }

  #compileCommands(pipe: PipeNode): Evaluate {
    const [first, ...rest] = pipe.commands.map((command, i) => {
      const expression = { words: command.words, hasFinal: i > 0, scope: this.#scope }
      return this.#instrument.expression(expression, this.#compileCommand(command, i > 0))
    })
    const start = first as Command
    if (rest.length === 0) {
      return (run, dot) => {
        run.at(pipe)
        return start(run, dot, undefined) ?? undefined
      }
    }
    return (run, dot) => {
      run.at(pipe)
      let value = start(run, dot, undefined) ?? undefined
      for (const command of rest) value = command(run, dot, value) ?? undefined
      return value
    }
  }

  #compileCommand(command: CommandNode, hasFinal: boolean): Command {
    const [word, ...args] = command.words
    const hasArguments = args.length > 0 || hasFinal
    switch (word.kind) {
      case 'identifier':
        return this.#compileCall(word, command, args, hasFinal)
      case 'field':
        return hasArguments ? this.#compileInvokedField(word, args, hasFinal) : this.#compileField(word)
      case 'chain':
        return hasArguments ? this.#compileInvokedChain(word, args, hasFinal) : this.#compileChain(word)
      case 'variable':
        return hasArguments ? this.#compileInvokedVariable(word, args, hasFinal) : this.#compileVariable(word)
      case 'pipe':
        // Go says so before it begins the node.
        if (hasArguments) return run => run.fail(nonFunction(word))
        return this.compile(word)
      default:
        if (hasArguments) return notAFunction(word)
        return word.kind === 'nil' ? failing(word, 'nil is not a command') : this.#compileWord(word)
    }
  }

  #compileCall(
    identifier: IdentifierNode,
    node: CommandNode | IdentifierNode,
    args: readonly OperandNode[],
    hasFinal: boolean,
  ): Command {
    return compileCall({ identifier, node, args, hasFinal }, this.#functions, this)
  }

  /** Compiles an operand that stands as an argument, or in front of fields. */
  compileOperand(node: OperandNode): Evaluate {
    return this.#instrument.expression({ words: [node], hasFinal: false, scope: this.#scope }, this.#compileWord(node))
  }

  #compileWord(node: OperandNode): Evaluate {
    switch (node.kind) {
      case 'dot':
        return (run, dot) => {
          run.at(node)
          return dot
        }
      case 'field':
        return this.#compileField(node)
      case 'variable':
        return this.#compileVariable(node)
      case 'chain':
        return this.#compileChain(node)
      case 'identifier': {
        const call = this.#compileCall(node, node, [], false)
        return (run, dot) => call(run, dot, undefined)
      }
      case 'pipe':
        return this.compile(node)
      case 'number':
        return compileNumber(node)
      case 'bool':
      case 'string': {
        const { value } = node
        return run => {
          run.at(node)
          return value
        }
      }
      case 'nil':
        return failing(node, 'nil is not a command')
    }
  }

  /** What a field was taken of is not known yet: a map, most likely. */
  boxingOf(node: OperandNode): Boxing {
    switch (node.kind) {
      case 'field':
      case 'chain':
        return true
      case 'variable':
        return node.fields.length > 0 || (this.#scope.find(node.name)?.boxing ?? false)
      case 'dot':
        return this.#scope.dotBoxing
      default:
        return false
    }
  }

  #compileField(node: FieldNode): Evaluate {
    const { names } = node
    const boxing = this.#scope.dotBoxing
    return (run, dot) => {
      run.at(node)
      return fieldsOf(run, dot, names, boxing, node)
    }
  }

  #compileInvokedField(node: FieldNode, words: readonly OperandNode[], hasFinal: boolean): Command {
    const { names } = node
    const boxing = this.#scope.dotBoxing
    const args = compileMethodArguments(words, hasFinal, this)
    return (run, dot, final) => {
      run.at(node)
      return invokedFieldOf(run, dot, names, boxing, { node, args, dot, final })
    }
  }

  #compileVariable(node: VariableNode): Evaluate {
    const { name, fields } = node
    const variable = this.#scope.find(name)
    if (variable === undefined) return failing(node, `undefined variable: ${name}`)
    const { slot, boxing } = variable
    if (fields.length === 0) {
      return run => {
        run.at(node)
        return run.variables[slot]
      }
    }
    return run => {
      run.at(node)
      return fieldsOf(run, run.variables[slot], fields, boxing, node)
    }
  }

  #compileInvokedVariable(node: VariableNode, words: readonly OperandNode[], hasFinal: boolean): Command {
    const { name, fields } = node
    const variable = this.#scope.find(name)
    if (variable === undefined) return failing(node, `undefined variable: ${name}`)
    if (fields.length === 0) return notAFunction(node)
    const { slot, boxing } = variable
    const args = compileMethodArguments(words, hasFinal, this)
    return (run, dot, final) => {
      run.at(node)
      return invokedFieldOf(run, run.variables[slot], fields, boxing, { node, args, dot, final })
    }
  }

  #compileChain(node: ChainNode): Evaluate {
    const { fields } = node
    if (node.node.kind === 'nil') return failing(node, nilReceiver(node))
    const receiver = this.compileOperand(node.node)
    return (run, dot) => {
      run.at(node)
      return fieldsOf(run, receiver(run, dot), fields, false, node)
    }
  }

  #compileInvokedChain(node: ChainNode, words: readonly OperandNode[], hasFinal: boolean): Command {
    const { fields } = node
    if (node.node.kind === 'nil') return failing(node, nilReceiver(node))
    const receiver = this.compileOperand(node.node)
    const args = compileMethodArguments(words, hasFinal, this)
    return (run, dot, final) => {
      run.at(node)
      return invokedFieldOf(run, receiver(run, dot), fields, false, { node, args, dot, final })
    }
  }
}

function nilReceiver(node: ChainNode): string {
  return `indirection through explicit nil in ${sourceOf(node)}`
}

function notAFunction(node: OperandNode): Evaluate {
  return failing(node, nonFunction(node))
}

function nonFunction(node: OperandNode): string {
  return `can't give argument to non-function ${sourceOf(node)}`
}

function failing(node: OperandNode, message: string): Evaluate {
  return run => {
    run.at(node)
    return run.fail(message)
  }
}

/** A constant where its context does not say what type it must have: then its spelling does. */
function compileNumber(node: NumberNode): Evaluate {
  const { text, value } = node
  const { complex, float } = value
  const isRune = text.startsWith("'")
  const isHexInteger = /^0[xX][^pP]+$/.test(text)
  if (complex !== undefined) return constant(node, complex)
  if (float !== undefined && !isRune && !isHexInteger && /[.eEpP]/.test(text)) return constant(node, new Float(float))
  if (value.int !== undefined) return constant(node, int(value.int))
  return failing(node, `${text} overflows int`)
}

function constant(
  node: NumberNode,
  value: ReturnType<typeof int> | Float | NonNullable<NumberNode['value']['complex']>,
): Evaluate {
  return run => {
    run.at(node)
    return value
  }
}
