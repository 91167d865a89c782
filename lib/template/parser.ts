import { ExpressionParser } from './expression-parser.ts'
import type { BranchNode, JumpNode, ListNode, StatementNode, TemplateNode } from './nodes.ts'
import { newScope, ParseContext, type ParseOptions } from './parse-context.ts'
import { quote, unquote } from './quote.ts'
import type { Token } from './token.ts'

/** What a text defines: itself, under its own name, and what `define` and `block` name. */
export type TemplateSet = ReadonlyMap<string, ListNode>

/** Parses a text. Throws a TemplateError of code `parse` with Go's message, or of code `bound`. */
export function parse(options: ParseOptions): TemplateSet {
  return new Parser(new ParseContext(options)).parse()
}

/** Where an end or an else was found, which close a list. */
interface Closing {
  readonly kind: 'end' | 'else'
  readonly at: number
}

class Parser {
  readonly #context: ParseContext
  readonly #expressions: ExpressionParser
  readonly #set = new Map<string, ListNode>()

  constructor(context: ParseContext) {
    this.#context = context
    this.#expressions = new ExpressionParser(context)
  }

  parse(): TemplateSet {
    const nodes: StatementNode[] = []
    const { at } = this.#context.tokens.peek()
    while (this.#context.tokens.peek().type !== 'eof') {
      if (this.#parseDefinition()) continue
      const node = this.#parseStatement()
      if (isClosing(node)) this.#context.fail(`unexpected {{${node.kind}}}`)
      nodes.push(node)
    }
    this.#add(this.#context.options.name, { kind: 'list', at, nodes })
    return this.#set
  }

  /** Parses `{{define "name"}}…{{end}}`, if it is what comes. */
  #parseDefinition(): boolean {
    if (this.#context.tokens.peek().type !== 'leftDelim') return false
    const delim = this.#context.tokens.next()
    const word = this.#context.tokens.nextNonSpace()
    if (word.type !== 'define') {
      this.#context.tokens.takeBack(word, delim)
      return false
    }
    const name = this.#context.tokens.nextNonSpace()
    const text = this.#templateName(name, 'define clause')
    this.#context.expect('rightDelim', 'define clause')
    this.#add(text, this.#inOwnScope('define clause'))
    return true
  }

  /** Parses the body of a template of its own, to its end. */
  #inOwnScope(context: string): ListNode {
    const outer = this.#context.scope
    this.#context.scope = newScope()
    const { list, closing } = this.#parseList()
    if (closing.kind !== 'end') this.#context.fail(`unexpected {{${closing.kind}}} in ${context}`)
    this.#context.scope = outer
    return list
  }

  #add(name: string, list: ListNode): void {
    const old = this.#set.get(name)
    if (old === undefined || isEmpty(old)) this.#set.set(name, list)
    else if (!isEmpty(list)) this.#context.fail(`template: multiple definition of template ${quote(name)}`)
  }

  #parseList(): { readonly list: ListNode; readonly closing: Closing } {
    const nodes: StatementNode[] = []
    const { at } = this.#context.tokens.peekNonSpace()
    while (this.#context.tokens.peekNonSpace().type !== 'eof') {
      const node = this.#parseStatement()
      if (isClosing(node)) return { list: { kind: 'list', at, nodes }, closing: node }
      nodes.push(node)
    }
    return this.#context.fail('unexpected EOF')
  }

  #parseStatement(): StatementNode | Closing {
    const token = this.#context.tokens.nextNonSpace()
    if (token.type === 'text') return { kind: 'text', at: token.at, text: token.text }
    if (token.type !== 'leftDelim') return this.#context.unexpected(token, 'input')
    this.#context.scope.actionLine = token.line
    const node = this.#parseAction()
    this.#context.scope.actionLine = 0
    return node
  }

  #parseAction(): StatementNode | Closing {
    const token = this.#context.tokens.nextNonSpace()
    switch (token.type) {
      case 'block':
        return this.#parseBlock()
      case 'break':
      case 'continue':
        return this.#parseJump(token.type, token)
      case 'else':
        return this.#parseElse()
      case 'end':
        return { kind: 'end', at: this.#context.expect('rightDelim', 'end').at }
      case 'if':
      case 'range':
      case 'with':
        return this.#parseBranch(token.type)
      case 'template':
        return this.#parseTemplate()
      default:
        this.#context.tokens.takeBack(token)
        return { kind: 'action', at: token.at, pipe: this.#expressions.parsePipe('command', 'rightDelim') }
    }
  }

  #parseJump(kind: 'break' | 'continue', { at }: Token): JumpNode {
    const token = this.#context.tokens.nextNonSpace()
    if (token.type !== 'rightDelim') this.#context.unexpected(token, `{{${kind}}}`)
    if (this.#context.scope.rangeDepth === 0) this.#context.fail(`{{${kind}}} outside {{range}}`)
    return { kind, at }
  }

  #parseElse(): Closing {
    const token = this.#context.tokens.peekNonSpace()
    // `else if` and `else with` leave their word for the branch that they are in.
    if (token.type === 'if' || token.type === 'with') return { kind: 'else', at: token.at }
    return { kind: 'else', at: this.#context.expect('rightDelim', 'else').at }
  }

  #parseBranch(kind: BranchNode['kind']): BranchNode {
    this.#context.enter(`{{${kind}}}`)
    const declared = this.#context.scope.variables.length
    const pipe = this.#expressions.parsePipe(kind, 'rightDelim')
    if (kind === 'range') this.#context.scope.rangeDepth++
    const { list, closing } = this.#parseList()
    if (kind === 'range') this.#context.scope.rangeDepth--
    const elseList = closing.kind === 'else' ? this.#parseElseList(kind, closing) : undefined
    this.#context.scope.variables.length = declared
    this.#context.leave()
    return { kind, at: pipe.at, pipe, list, elseList }
  }

  #parseElseList(kind: BranchNode['kind'], { at }: Closing): ListNode {
    if (kind !== 'range' && this.#context.tokens.peek().type === kind) {
      this.#context.tokens.next()
      // The one {{end}} closes them all.
      return { kind: 'list', at, nodes: [this.#parseBranch(kind)] }
    }
    const { list, closing } = this.#parseList()
    if (closing.kind !== 'end') this.#context.fail(`expected end; found {{${closing.kind}}}`)
    return list
  }

  #parseBlock(): TemplateNode {
    const token = this.#context.tokens.nextNonSpace()
    const name = this.#templateName(token, 'block clause')
    const pipe = this.#expressions.parsePipe('block clause', 'rightDelim')
    this.#context.enter('{{block}}')
    this.#add(name, this.#inOwnScope('block clause'))
    this.#context.leave()
    return { kind: 'template', at: token.at, name, pipe }
  }

  #parseTemplate(): TemplateNode {
    const token = this.#context.tokens.nextNonSpace()
    const name = this.#templateName(token, 'template clause')
    const next = this.#context.tokens.nextNonSpace()
    if (next.type === 'rightDelim') return { kind: 'template', at: token.at, name, pipe: undefined }
    this.#context.tokens.takeBack(next)
    return { kind: 'template', at: token.at, name, pipe: this.#expressions.parsePipe('template clause', 'rightDelim') }
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== 'string' && token.type !== 'rawString') this.#context.unexpected(token, context)
    return this.#context.attempt(() => unquote(token.text))
  }
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
