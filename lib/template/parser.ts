import { byteLength } from '../base/text.ts'
import { TemplateError } from './error.ts'
import { Lexer } from './lexer.ts'
import type {
  BranchNode,
  CommandNode,
  JumpNode,
  ListNode,
  OperandNode,
  PipeNode,
  StatementNode,
  TemplateNode,
  VariableNode,
} from './nodes.ts'
import { sourceOf } from './nodes.ts'
import { parseNumber } from './number.ts'
import { quote, unquote } from './quote.ts'
import { TokenStream } from './token-stream.ts'
import { showToken, type Token, type TokenType } from './token.ts'

/** How deep parentheses and blocks may nest: each level costs a few frames of the stack, here and in the execution. Go allows
 *  10,000 parentheses and any number of blocks. */
export const NESTING_MAX = 500

/** What a text defines: itself, under its own name, and what `define` and `block` name. */
export type TemplateSet = ReadonlyMap<string, ListNode>

export interface ParseOptions {
  readonly name: string
  readonly text: string
  readonly delims: readonly [string, string]
  /** Whether a function of this name exists. */
  readonly hasFunction: (name: string) => boolean
}

/** Parses a text. Throws a TemplateError of code `parse` with Go's message, or of code `bound`. */
export function parse(options: ParseOptions): TemplateSet {
  return new Parser(options).parse()
}

/** Where an end or an else was found, which close a list. */
interface Closing {
  readonly kind: 'end' | 'else'
  readonly at: number
}

/** What belongs to the template being parsed, as opposed to the text that it stands in. */
interface Scope {
  /** The variables that are declared, `$` first. */
  variables: string[]
  rangeDepth: number
  /** The line of the action being parsed, or 0. */
  actionLine: number
}

class Parser {
  readonly #options: ParseOptions
  readonly #tokens: TokenStream
  readonly #set = new Map<string, ListNode>()
  #scope: Scope = newScope()
  #nesting = 0

  constructor(options: ParseOptions) {
    this.#options = options
    const lexer = new Lexer(options.text, options.delims)
    lexer.breakIsKeyword = !options.hasFunction('break')
    lexer.continueIsKeyword = !options.hasFunction('continue')
    this.#tokens = new TokenStream(lexer)
  }

  parse(): TemplateSet {
    const nodes: StatementNode[] = []
    const { at } = this.#tokens.peek()
    while (this.#tokens.peek().type !== 'eof') {
      if (this.#parseDefinition()) continue
      const node = this.#parseStatement()
      if (isClosing(node)) this.#fail(`unexpected {{${node.kind}}}`)
      nodes.push(node)
    }
    this.#add(this.#options.name, { kind: 'list', at, nodes })
    return this.#set
  }

  /** Parses `{{define "name"}}…{{end}}`, if it is what comes. */
  #parseDefinition(): boolean {
    if (this.#tokens.peek().type !== 'leftDelim') return false
    const delim = this.#tokens.next()
    const word = this.#tokens.nextNonSpace()
    if (word.type !== 'define') {
      this.#tokens.takeBack(word, delim)
      return false
    }
    const name = this.#tokens.nextNonSpace()
    const text = this.#templateName(name, 'define clause')
    this.#expect('rightDelim', 'define clause')
    this.#add(text, this.#inOwnScope('define clause'))
    return true
  }

  /** Parses the body of a template of its own, to its end. */
  #inOwnScope(context: string): ListNode {
    const outer = this.#scope
    this.#scope = newScope()
    const { list, closing } = this.#parseList()
    if (closing.kind !== 'end') this.#fail(`unexpected {{${closing.kind}}} in ${context}`)
    this.#scope = outer
    return list
  }

  #add(name: string, list: ListNode): void {
    const old = this.#set.get(name)
    if (old === undefined || isEmpty(old)) this.#set.set(name, list)
    else if (!isEmpty(list)) this.#fail(`template: multiple definition of template ${quote(name)}`)
  }

  #parseList(): { readonly list: ListNode; readonly closing: Closing } {
    const nodes: StatementNode[] = []
    const { at } = this.#tokens.peekNonSpace()
    while (this.#tokens.peekNonSpace().type !== 'eof') {
      const node = this.#parseStatement()
      if (isClosing(node)) return { list: { kind: 'list', at, nodes }, closing: node }
      nodes.push(node)
    }
    return this.#fail('unexpected EOF')
  }

  #parseStatement(): StatementNode | Closing {
    const token = this.#tokens.nextNonSpace()
    if (token.type === 'text') return { kind: 'text', at: token.at, text: token.text }
    if (token.type !== 'leftDelim') return this.#unexpected(token, 'input')
    this.#scope.actionLine = token.line
    const node = this.#parseAction()
    this.#scope.actionLine = 0
    return node
  }

  #parseAction(): StatementNode | Closing {
    const token = this.#tokens.nextNonSpace()
    switch (token.type) {
      case 'block':
        return this.#parseBlock()
      case 'break':
      case 'continue':
        return this.#parseJump(token.type, token)
      case 'else':
        return this.#parseElse()
      case 'end':
        return { kind: 'end', at: this.#expect('rightDelim', 'end').at }
      case 'if':
      case 'range':
      case 'with':
        return this.#parseBranch(token.type)
      case 'template':
        return this.#parseTemplate()
      default:
        this.#tokens.takeBack(token)
        return { kind: 'action', at: token.at, pipe: this.#parsePipe('command', 'rightDelim') }
    }
  }

  #parseJump(kind: 'break' | 'continue', { at }: Token): JumpNode {
    const token = this.#tokens.nextNonSpace()
    if (token.type !== 'rightDelim') this.#unexpected(token, `{{${kind}}}`)
    if (this.#scope.rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`)
    return { kind, at }
  }

  #parseElse(): Closing {
    const token = this.#tokens.peekNonSpace()
    // `else if` and `else with` leave their word for the branch that they are in.
    if (token.type === 'if' || token.type === 'with') return { kind: 'else', at: token.at }
    return { kind: 'else', at: this.#expect('rightDelim', 'else').at }
  }

  #parseBranch(kind: BranchNode['kind']): BranchNode {
    this.#enter(`{{${kind}}}`)
    const declared = this.#scope.variables.length
    const pipe = this.#parsePipe(kind, 'rightDelim')
    if (kind === 'range') this.#scope.rangeDepth++
    const { list, closing } = this.#parseList()
    if (kind === 'range') this.#scope.rangeDepth--
    const elseList = closing.kind === 'else' ? this.#parseElseList(kind, closing) : undefined
    this.#scope.variables.length = declared
    this.#nesting--
    return { kind, at: pipe.at, pipe, list, elseList }
  }

  #parseElseList(kind: BranchNode['kind'], { at }: Closing): ListNode {
    if (kind !== 'range' && this.#tokens.peek().type === kind) {
      this.#tokens.next()
      // The one {{end}} closes them all.
      return { kind: 'list', at, nodes: [this.#parseBranch(kind)] }
    }
    const { list, closing } = this.#parseList()
    if (closing.kind !== 'end') this.#fail(`expected end; found {{${closing.kind}}}`)
    return list
  }

  #parseBlock(): TemplateNode {
    const token = this.#tokens.nextNonSpace()
    const name = this.#templateName(token, 'block clause')
    const pipe = this.#parsePipe('block clause', 'rightDelim')
    this.#enter('{{block}}')
    this.#add(name, this.#inOwnScope('block clause'))
    this.#nesting--
    return { kind: 'template', at: token.at, name, pipe }
  }

  #parseTemplate(): TemplateNode {
    const token = this.#tokens.nextNonSpace()
    const name = this.#templateName(token, 'template clause')
    const next = this.#tokens.nextNonSpace()
    if (next.type === 'rightDelim') return { kind: 'template', at: token.at, name, pipe: undefined }
    this.#tokens.takeBack(next)
    return { kind: 'template', at: token.at, name, pipe: this.#parsePipe('template clause', 'rightDelim') }
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#unexpected(token, context)
    return this.#attempt(() => unquote(token.text))
  }

  #parsePipe(context: string, end: TokenType): PipeNode {
    const { at } = this.#tokens.peekNonSpace()
    const { variables, isAssign } = this.#parseDeclarations(context)
    const commands: CommandNode[] = []
    for (;;) {
      const token = this.#tokens.nextNonSpace()
      if (token.type === end) break
      if (!STARTS_OPERAND.has(token.type)) this.#unexpected(token, context)
      this.#tokens.takeBack(token)
      commands.push(this.#parseCommand())
    }
    if (commands.length === 0) this.#fail(`missing value for ${context}`)
    for (const [i, { words }] of commands.entries()) {
      if (i > 0 && CONSTANTS.has(words[0].kind)) this.#fail(`non executable command in pipeline stage ${i + 1}`)
    }
    return { kind: 'pipe', at, isAssign, variables, commands }
  }

  #parseDeclarations(context: string): { readonly variables: readonly VariableNode[]; readonly isAssign: boolean } {
    const variables: VariableNode[] = []
    for (;;) {
      const variable = this.#tokens.peekNonSpace()
      if (variable.type !== 'variable') return { variables, isAssign: false }
      this.#tokens.next()
      // `$x foo` and `$x := foo` differ only after the space.
      const adjacent = this.#tokens.peek()
      const next = this.#tokens.peekNonSpace()
      const isComma = next.type === 'char' && next.text === ','
      if (next.type !== 'assign' && next.type !== 'declare' && !isComma) {
        // A space that was skipped above must be seen again: it ends the operand.
        if (adjacent.type === 'space') this.#tokens.takeBack(adjacent)
        this.#tokens.takeBack(variable)
        return { variables, isAssign: false }
      }
      this.#tokens.nextNonSpace()
      variables.push({ kind: 'variable', at: variable.at, name: variable.text, fields: [] })
      this.#scope.variables.push(variable.text)
      if (!isComma) return { variables, isAssign: next.type === 'assign' }
      if (context !== 'range' || variables.length > 1) this.#fail(`too many declarations in ${context}`)
      const following = this.#tokens.peekNonSpace()
      if (!AFTER_COMMA.has(following.type)) this.#fail('range can only initialize variables')
    }
  }

  #parseCommand(): CommandNode {
    const { at } = this.#tokens.peekNonSpace()
    const words: OperandNode[] = []
    for (;;) {
      this.#tokens.peekNonSpace()
      const operand = this.#parseOperand()
      if (operand !== undefined) words.push(operand)
      const token = this.#tokens.next()
      if (token.type === 'space') continue
      if (token.type === 'rightDelim' || token.type === 'rightParen') this.#tokens.takeBack(token)
      else if (token.type !== 'pipe') this.#unexpected(token, 'operand')
      break
    }
    const [first, ...rest] = words
    if (first === undefined) return this.#fail('empty command')
    return { kind: 'command', at, words: [first, ...rest] }
  }

  /** A term and the fields that are taken of it. */
  #parseOperand(): OperandNode | undefined {
    const node = this.#parseTerm()
    if (node === undefined || this.#tokens.peek().type !== 'field') return node
    const { at } = this.#tokens.peek()
    const fields: string[] = []
    while (this.#tokens.peek().type === 'field') fields.push(this.#tokens.next().text.slice(1))
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
        return this.#fail(`unexpected . after term ${quote(sourceOf(node))}`)
      case 'chain':
      case 'identifier':
      case 'pipe':
        return { kind: 'chain', at, node, fields }
    }
  }

  #parseTerm(): OperandNode | undefined {
    const token = this.#tokens.nextNonSpace()
    const { at, text } = token
    switch (token.type) {
      case 'identifier':
        if (!this.#options.hasFunction(text)) this.#fail(`function ${quote(text)} not defined`)
        return { kind: 'identifier', at, name: text }
      case 'dot':
      case 'nil':
        return { kind: token.type, at }
      case 'variable':
        if (!this.#scope.variables.includes(text)) this.#fail(`undefined variable ${quote(text)}`)
        return { kind: 'variable', at, name: text, fields: [] }
      case 'field':
        return { kind: 'field', at, names: [text.slice(1)] }
      case 'bool':
        return { kind: 'bool', at, value: text === 'true' }
      case 'charConstant':
      case 'complex':
      case 'number': {
        const { type } = token
        return { kind: 'number', at, text, value: this.#attempt(() => parseNumber(text, type)) }
      }
      case 'leftParen':
        return this.#parseParentheses()
      case 'string':
      case 'rawString':
        return { kind: 'string', at, quoted: text, value: this.#attempt(() => unquote(text)) }
      default:
        this.#tokens.takeBack(token)
        return undefined
    }
  }

  #parseParentheses(): PipeNode {
    this.#enter('parentheses')
    const pipe = this.#parsePipe('parenthesized pipeline', 'rightParen')
    this.#nesting--
    return pipe
  }

  #enter(what: string): void {
    if (++this.#nesting > NESTING_MAX) this.#fail(`${what} nested deeper than ${NESTING_MAX}`, 'bound')
  }

  #expect(type: TokenType, context: string): Token {
    const token = this.#tokens.nextNonSpace()
    return token.type === type ? token : this.#unexpected(token, context)
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.#fail(`unexpected ${showToken(token)} in ${context}`)
    const { actionLine } = this.#scope
    if (actionLine === 0 || actionLine === token.line) return this.#fail(token.text)
    // Not "unclosed action in action".
    const link = token.text.endsWith(' action') ? ' started at' : ' in action started at'
    return this.#fail(`${token.text}${link} ${this.#options.name}:${actionLine}`)
  }

  #attempt<T>(convert: () => T): T {
    try {
      return convert()
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #fail(message: string, code: 'parse' | 'bound' = 'parse'): never {
    const { name, text } = this.#options
    const { line, at } = this.#tokens.scanned
    const column = byteLength(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))
    throw new TemplateError(code, `template: ${name}:${line}: ${message}`, { template: name, line, column })
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

function newScope(): Scope {
  return { variables: ['$'], rangeDepth: 0, actionLine: 0 }
}

function isClosing(node: StatementNode | Closing): node is Closing {
  return node.kind === 'end' || node.kind === 'else'
}

/** Whether a template has only space: it gives way to another of its name. */
function isEmpty({ nodes }: ListNode): boolean {
  return nodes.every(node => node.kind === 'text' && SPACE_ONLY.test(node.text))
}

/** Space as Go's `unicode.IsSpace` has it. */
const SPACE_ONLY = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/
