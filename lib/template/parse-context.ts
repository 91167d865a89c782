import { byteLength } from '../base/text.ts'
import { TemplateError } from './error.ts'
import type { Unavailable } from './function.ts'
import { Lexer } from './lexer.ts'
import { TokenStream } from './token-stream.ts'
import { showToken, type Token, type TokenType } from './token.ts'

/** How deep parentheses and blocks may nest: each level costs a few frames of the stack, here and in the execution. Go allows
 *  10,000 parentheses and any number of blocks. */
export const NESTING_MAX = 500

export interface ParseOptions {
  readonly name: string
  readonly text: string
  readonly delims: readonly [string, string]
  /** Whether a function of this name exists. */
  readonly hasFunction: (name: string) => boolean
  /** Why the function of this name may not be called, where that is so. */
  readonly unavailableFunction?: (name: string) => Unavailable | undefined
  /** The function that was probably meant by a name that none has. */
  readonly nearFunction?: (name: string) => string | undefined
}

/** What belongs to one template, as opposed to the text that it stands in. */
export interface ParseScope {
  /** The variables that are declared, `$` first. */
  variables: string[]
  rangeDepth: number
  /** The line of the action being parsed, or 0. */
  actionLine: number
}

/** What the parsers of statements and of expressions share: the tokens, and how to fail. */
export class ParseContext {
  readonly options: ParseOptions
  readonly tokens: TokenStream
  scope: ParseScope = newScope()
  #nesting = 0

  constructor(options: ParseOptions) {
    this.options = options
    const lexer = new Lexer(options.text, options.delims)
    lexer.breakIsKeyword = !options.hasFunction('break')
    lexer.continueIsKeyword = !options.hasFunction('continue')
    this.tokens = new TokenStream(lexer)
  }

  /** Begins something that may nest; `leave` ends it. */
  enter(what: string): void {
    if (++this.#nesting > NESTING_MAX) this.fail(`${what} nested deeper than ${NESTING_MAX}`, 'bound')
  }

  leave(): void {
    this.#nesting--
  }

  expect(type: TokenType, context: string): Token {
    const token = this.tokens.nextNonSpace()
    return token.type === type ? token : this.unexpected(token, context)
  }

  /** Fails at a token that cannot stand where it is; if it is an error of the lexer, with that. */
  unexpected(token: Token, context: string): never {
    if (token.type !== 'error') return this.fail(`unexpected ${showToken(token)} in ${context}`)
    const { actionLine } = this.scope
    if (actionLine === 0 || actionLine === token.line) return this.fail(token.text)
    // Not "unclosed action in action".
    const link = token.text.endsWith(' action') ? ' started at' : ' in action started at'
    return this.fail(`${token.text}${link} ${this.options.name}:${actionLine}`)
  }

  /** Converts a token's text, and fails with what the conversion says. */
  attempt<T>(convert: () => T): T {
    try {
      return convert()
    } catch (error) {
      return this.fail(error instanceof Error ? error.message : String(error))
    }
  }

  fail(message: string, code: 'parse' | 'bound' = 'parse', hint?: string): never {
    const { name, text } = this.options
    const { line, at } = this.tokens.scanned
    const column = byteLength(text.slice(text.lastIndexOf('\n', at - 1) + 1, at))
    const place = { template: name, line, column }
    throw new TemplateError(code, `template: ${name}:${line}: ${message}`, place, hint === undefined ? {} : { hint })
  }
}

export function newScope(): ParseScope {
  return { variables: ['$'], rangeDepth: 0, actionLine: 0 }
}
