import type { CommandNode, OperandNode, PipeNode, VariableNode } from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { parseNumber } from './number.ts'
import type { ParseContext } from './parse-context.ts'
import { quote, unquote } from './quote.ts'
import type { TokenType } from './token.ts'

/** Parses what stands inside the delimiters: pipelines, commands and operands. */
export class ExpressionParser {
  readonly #context: ParseContext

  constructor(context: ParseContext) {
    this.#context = context
  }

  /** Parses a pipeline and the token that ends it. `context` names it in errors. */
  parsePipe(context: string, end: TokenType): PipeNode {
    const { at } = this.#context.tokens.peekNonSpace()
    const { variables, isAssign } = this.#parseDeclarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.#context.tokens.nextNonSpace()
      if (token.type === end) break
      if (!STARTS_OPERAND.has(token.type)) this.#context.unexpected(token, context)
      this.#context.tokens.takeBack(token)
      commands.push(this.#parseCommand())
    }
    if (commands.length === 0) this.#context.fail(`missing value for ${context}`)
    for (const [i, { words }] of commands.entries()) {
      if (i > 0 && CONSTANTS.has(words[0].kind)) this.#context.fail(`non executable command in pipeline stage ${i + 1}`)
    }
    return { kind: 'pipe', at, isAssign, variables, commands }
  }

  #parseDeclarations(context: string): { readonly variables: readonly VariableNode[]; readonly isAssign: boolean } {
    const variables: VariableNode[] = []
    for (;;) {
      const variable = this.#context.tokens.peekNonSpace()
      if (variable.type !== 'variable') return { variables, isAssign: false }
      this.#context.tokens.next()
      // `$x foo` and `$x := foo` differ only after the space.
      const adjacent = this.#context.tokens.peek()
      const next = this.#context.tokens.peekNonSpace()
      const isComma = next.type === 'char' && next.text === ','
      if (next.type !== 'assign' && next.type !== 'declare' && !isComma) {
        // A space that was skipped above must be seen again: it ends the operand.
        if (adjacent.type === 'space') this.#context.tokens.takeBack(adjacent)
        this.#context.tokens.takeBack(variable)
        return { variables, isAssign: false }
      }
      this.#context.tokens.nextNonSpace()
      variables.push({ kind: 'variable', at: variable.at, name: variable.text, fields: [] })
      this.#context.scope.variables.push(variable.text)
      if (!isComma) return { variables, isAssign: next.type === 'assign' }
      if (context !== 'range' || variables.length > 1) this.#context.fail(`too many declarations in ${context}`)
      const following = this.#context.tokens.peekNonSpace()
      if (!AFTER_COMMA.has(following.type)) this.#context.fail('range can only initialize variables')
    }
  }

  #parseCommand(): CommandNode {
    const { at } = this.#context.tokens.peekNonSpace()
    const words: OperandNode[] = []
    for (;;) {
      this.#context.tokens.peekNonSpace()
      const operand = this.#parseOperand()
      if (operand !== undefined) words.push(operand)
      const token = this.#context.tokens.next()
      if (token.type === 'space') continue
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.#context.tokens.takeBack(token)
      else if (token.type !== 'pipe') this.#context.unexpected(token, 'operand')
      break
    }
    const [first, ...rest] = words
    if (first === undefined) return this.#context.fail('empty command')
    return { kind: 'command', at, words: [first, ...rest] }
  }

  /** A term and the fields that are taken of it. */
  #parseOperand(): OperandNode | undefined {
    const node = this.#parseTerm()
    if (node === undefined || this.#context.tokens.peek().type !== 'field') return node
    const { at } = this.#context.tokens.peek()
    const fields: string[] = []
    while (this.#context.tokens.peek().type === 'field') fields.push(this.#context.tokens.next().text.slice(1))
    switch (node.kind) {
      case 'field':
        return { kind: 'field', at, names: [...node.names, ...fields] }
      case 'variable':
        return { ...node, at, fields: [...node.fields, ...fields] }
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#context.fail(`unexpected . after term ${quote(sourceOf(node))}`)
      case 'chain':
      case 'identifier':
      case 'pipe':
        return { kind: 'chain', at, node, fields }
    }
  }

  #checkFunction(name: string): void {
    const { hasFunction, unavailableFunction } = this.#context.options
    if (!hasFunction(name)) this.#failUndefined(name)
    const unavailable = unavailableFunction?.(name)
    if (unavailable === undefined) return
    const { reason, hint } = unavailable
    this.#context.fail(`function ${quote(name)} not available: ${reason}`, 'parse', hint)
  }

  #failUndefined(name: string): never {
    const near = this.#context.options.nearFunction?.(name)
    const hint = near === undefined ? undefined : `did you mean ${quote(near)}?`
    return this.#context.fail(`function ${quote(name)} not defined`, 'parse', hint)
  }

  #parseTerm(): OperandNode | undefined {
    const token = this.#context.tokens.nextNonSpace()
    const { at, text } = token
    switch (token.type) {
      case 'identifier':
        this.#checkFunction(text)
        return { kind: 'identifier', at, name: text }
      case 'dot':
      case 'nil':
        return { kind: token.type, at }
      case 'variable':
        if (!this.#context.scope.variables.includes(text)) this.#context.fail(`undefined variable ${quote(text)}`)
        return { kind: 'variable', at, name: text, fields: [] }
      case 'field':
        return { kind: 'field', at, names: [text.slice(1)] }
      case 'bool':
        return { kind: 'bool', at, value: text === 'true' }
      case 'charConstant':
      case 'complex':
      case 'number': {
        const { type } = token
        return { kind: 'number', at, text, value: this.#context.attempt(() => parseNumber(text, type)) }
      }
      case 'leftParen':
        return this.#parseParentheses()
      case 'string':
      case 'rawString':
        return { kind: 'string', at, quoted: text, value: this.#context.attempt(() => unquote(text)) }
      default:
        this.#context.tokens.takeBack(token)
        return undefined
    }
  }

  #parseParentheses(): PipeNode {
    this.#context.enter('parentheses')
    const pipe = this.parsePipe('parenthesized pipeline', 'rightParen')
    this.#context.leave()
    return pipe
  }
}

const STARTS_OPERAND: ReadonlySet<TokenType> = new Set<TokenType>([
  'bool',
  'charConstant',
  'complex',
  'dot',
  'field',
  'identifier',
  'number',
  'nil',
  'rawString',
  'string',
  'variable',
  'leftParen',
])
/** What may follow `$i,` in a range. */
const AFTER_COMMA: ReadonlySet<TokenType> = new Set<TokenType>(['variable', 'rightDelim', 'rightParen'])
const CONSTANTS: ReadonlySet<OperandNode['kind']> = new Set<OperandNode['kind']>([
  'bool',
  'dot',
  'nil',
  'number',
  'string',
])
