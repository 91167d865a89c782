import type { Lexer } from './lexer.ts'
import type { Token } from './token.ts'

/** The tokens of a text, with room to look ahead and go back. */
export class TokenStream {
  readonly #lexer: Lexer
  /** Taken back; the last is the next. */
  readonly #ahead: Token[] = []
  /** The token that was scanned last: errors are reported at its line. */
  scanned: Token = { type: 'eof', at: 0, text: '', line: 1 }

  constructor(lexer: Lexer) {
    this.#lexer = lexer
  }

  next(): Token {
    const ahead = this.#ahead.pop()
    if (ahead !== undefined) return ahead
    this.scanned = this.#lexer.next()
    return this.scanned
  }

  /** Makes these the next tokens, the last one first. */
  takeBack(...tokens: readonly Token[]): void {
    this.#ahead.push(...tokens)
  }

  peek(): Token {
    const token = this.next()
    this.#ahead.push(token)
    return token
  }

  nextNonSpace(): Token {
    let token = this.next()
    while (token.type === 'space') token = this.next()
    return token
  }

  peekNonSpace(): Token {
    const token = this.nextNonSpace()
    this.#ahead.push(token)
    return token
  }
}
