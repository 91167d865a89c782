import { quote, validRune } from './quote.ts'
import { isKeyword, type Token, type TokenType } from './token.ts'

/** A scanner of state functions, as Rob Pike's: a state scans on, and gives the next state or, once it has made a token,
 *  nothing. The parser pulls the tokens one at a time, because a keyword may depend on what it knows. */

type State = (lexer: Lexer) => State | undefined

const EOF = -1
const LINE_BREAK = 0x0a
const BACKSLASH = 0x5c
const DECIMAL = '0123456789_'
const HEXADECIMAL = '0123456789abcdefABCDEF_'

export class Lexer {
  /** Whether the words are keywords; a function of that name takes the word. */
  breakIsKeyword = true
  continueIsKeyword = true
  input: string
  readonly leftDelim: string
  readonly rightDelim: string
  /** Where the scan is, and where the token began. */
  pos = 0
  start = 0
  line = 1
  startLine = 1
  parenDepth = 0
  insideAction = false
  /** The first line break that the scan has not passed; Infinity where there is none. */
  #nextBreak = 0
  #token: Token = { type: 'eof', at: 0, text: '', line: 1 }

  constructor(input: string, [left, right]: readonly [string, string]) {
    this.input = input
    this.leftDelim = left || '{{'
    this.rightDelim = right || '}}'
    this.#nextBreak = this.#breakFrom(0)
  }

  /** The next token; after an error or the end, there is only the end. */
  next(): Token {
    this.#token = { type: 'eof', at: this.pos, text: 'EOF', line: this.startLine }
    let state: State | undefined = this.insideAction ? lexInsideAction : lexText
    while (state !== undefined) state = state(this)
    return this.#token
  }

  /** The code point at the scan, or EOF. */
  peek(): number {
    return this.input.codePointAt(this.pos) ?? EOF
  }

  advance(): number {
    const rune = this.peek()
    if (rune === EOF) return rune
    this.skipTo(this.pos + (rune > 0xffff ? 2 : 1))
    return rune
  }

  accept(valid: string): boolean {
    if (this.pos >= this.input.length || !valid.includes(this.input.charAt(this.pos))) return false
    this.advance()
    return true
  }

  acceptRun(valid: string): void {
    while (this.accept(valid));
  }

  startsWith(text: string, at = this.pos): boolean {
    return this.input.startsWith(text, at)
  }

  /** Moves the scan without a look at what is skipped, but for the lines. */
  skipTo(pos: number): void {
    for (; this.#nextBreak < pos; this.#nextBreak = this.#breakFrom(this.#nextBreak + 1)) this.line++
    this.pos = pos
  }

  #breakFrom(pos: number): number {
    const found = this.input.indexOf('\n', pos)
    return found < 0 ? Infinity : found
  }

  emit(type: TokenType): undefined {
    this.#token = { type, at: this.start, text: this.input.slice(this.start, this.pos), line: this.startLine }
    this.ignore()
  }

  fail(message: string): undefined {
    this.#token = { type: 'error', at: this.start, text: message, line: this.startLine }
    this.start = 0
    this.pos = 0
    this.input = ''
  }

  /** Begins a token here. */
  ignore(): void {
    this.start = this.pos
    this.startLine = this.line
  }
}

function lexText(lexer: Lexer): State | undefined {
  const found = lexer.input.indexOf(lexer.leftDelim, lexer.pos)
  if (found < 0) {
    lexer.skipTo(lexer.input.length)
    return lexer.emit(lexer.pos > lexer.start ? 'text' : 'eof')
  }
  if (found === lexer.pos) return lexLeftDelim
  const trims = hasLeftTrimMarker(lexer.input, found + lexer.leftDelim.length)
  lexer.skipTo(trims ? beforeSpace(lexer.input, lexer.start, found) : found)
  const hasText = lexer.pos > lexer.start
  if (hasText) lexer.emit('text')
  lexer.skipTo(found)
  lexer.ignore()
  return hasText ? undefined : lexLeftDelim
}

function lexLeftDelim(lexer: Lexer): State | undefined {
  lexer.pos += lexer.leftDelim.length
  const markerLength = hasLeftTrimMarker(lexer.input, lexer.pos) ? 2 : 0
  if (lexer.startsWith('/*', lexer.pos + markerLength)) {
    lexer.skipTo(lexer.pos + markerLength)
    lexer.ignore()
    return lexComment
  }
  lexer.emit('leftDelim')
  lexer.insideAction = true
  lexer.skipTo(lexer.pos + markerLength)
  lexer.ignore()
  lexer.parenDepth = 0
  return undefined
}

function lexComment(lexer: Lexer): State | undefined {
  const end = lexer.input.indexOf('*/', lexer.pos + 2)
  if (end < 0) return lexer.fail('unclosed comment')
  lexer.skipTo(end + 2)
  const closing = rightDelimAt(lexer)
  if (closing === 'none') return lexer.fail('comment ends before closing delimiter')
  skipRightDelim(lexer, closing)
  lexer.ignore()
  return lexText
}

function lexRightDelim(lexer: Lexer): undefined {
  const closing = rightDelimAt(lexer)
  if (closing === 'trims') {
    lexer.skipTo(lexer.pos + 2)
    lexer.ignore()
  }
  lexer.pos += lexer.rightDelim.length
  lexer.emit('rightDelim')
  if (closing === 'trims') {
    lexer.skipTo(afterSpace(lexer.input, lexer.pos))
    lexer.ignore()
  }
  lexer.insideAction = false
}

type Closing = 'none' | 'plain' | 'trims'

function rightDelimAt(lexer: Lexer): Closing {
  const { input, pos, rightDelim } = lexer
  if (hasRightTrimMarker(input, pos) && lexer.startsWith(rightDelim, pos + 2)) return 'trims'
  return lexer.startsWith(rightDelim) ? 'plain' : 'none'
}

function skipRightDelim(lexer: Lexer, closing: Closing): void {
  const end = lexer.pos + (closing === 'trims' ? 2 : 0) + lexer.rightDelim.length
  lexer.skipTo(closing === 'trims' ? afterSpace(lexer.input, end) : end)
}

function lexInsideAction(lexer: Lexer): State | undefined {
  if (rightDelimAt(lexer) !== 'none') {
    return lexer.parenDepth === 0 ? lexRightDelim : lexer.fail('unclosed left paren')
  }
  const rune = lexer.peek()
  if (rune === EOF) return lexer.fail('unclosed action')
  if (isSpace(rune)) return lexSpace
  const character = String.fromCodePoint(rune)
  if (isDigit(character) || character === '+' || character === '-') return lexNumber
  if (isAlphaNumeric(rune)) return lexIdentifier
  lexer.advance()
  return lexPunctuation(lexer, character, rune)
}

function lexPunctuation(lexer: Lexer, character: string, rune: number): State | undefined {
  switch (character) {
    case '=':
      return lexer.emit('assign')
    case ':':
      return lexer.accept('=') ? lexer.emit('declare') : lexer.fail('expected :=')
    case '|':
      return lexer.emit('pipe')
    case '"':
      return lexQuoted(lexer, '"', 'string', 'quoted string')
    case "'":
      return lexQuoted(lexer, "'", 'charConstant', 'character constant')
    case '`':
      return lexRawString
    case '$':
      return lexName(lexer, 'variable', 'variable')
    case '.':
      if (lexer.peek() !== EOF && !isDigit(lexer.input.charAt(lexer.pos))) return lexName(lexer, 'field', 'dot')
      lexer.pos--
      return lexNumber
    case '(':
      lexer.parenDepth++
      return lexer.emit('leftParen')
    case ')':
      lexer.parenDepth--
      return lexer.parenDepth < 0 ? lexer.fail('unexpected right paren') : lexer.emit('rightParen')
    default:
      if (rune > 0x20 && rune < 0x7f) return lexer.emit('char')
      return lexer.fail(`unrecognized character in action: ${showRune(rune)}`)
  }
}

function lexSpace(lexer: Lexer): State | undefined {
  const end = afterSpace(lexer.input, lexer.pos)
  // The last space may belong to a trim marker.
  if (hasRightTrimMarker(lexer.input, end - 1) && lexer.startsWith(lexer.rightDelim, end + 1)) {
    if (end - 1 === lexer.pos) return lexRightDelim
    lexer.skipTo(end - 1)
  } else {
    lexer.skipTo(end)
  }
  return lexer.emit('space')
}

function lexIdentifier(lexer: Lexer): State | undefined {
  skipAlphaNumeric(lexer)
  if (!atTerminator(lexer)) return lexer.fail(`bad character ${showRune(lexer.peek())}`)
  const word = lexer.input.slice(lexer.start, lexer.pos)
  if (word === 'true' || word === 'false') return lexer.emit('bool')
  const isTaken = (word === 'break' && !lexer.breakIsKeyword) || (word === 'continue' && !lexer.continueIsKeyword)
  return lexer.emit(isKeyword(word) && !isTaken ? word : 'identifier')
}

/** Scans what follows `.` or `$`; `alone` is the type when nothing does. */
function lexName(lexer: Lexer, type: TokenType, alone: TokenType): undefined {
  if (atTerminator(lexer)) return lexer.emit(alone)
  skipAlphaNumeric(lexer)
  if (!atTerminator(lexer)) return lexer.fail(`bad character ${showRune(lexer.peek())}`)
  return lexer.emit(type)
}

/** As `isAlphaNumeric`. */
const ALPHANUMERIC = /[\p{L}\p{Nd}_]*/uy

function skipAlphaNumeric(lexer: Lexer): void {
  ALPHANUMERIC.lastIndex = lexer.pos
  ALPHANUMERIC.test(lexer.input)
  lexer.pos = ALPHANUMERIC.lastIndex
}

/** Whether a name can end here, as opposed to running into the next one. */
function atTerminator(lexer: Lexer): boolean {
  const character = lexer.input.charAt(lexer.pos)
  return character === '' || ' \t\r\n.,|:)('.includes(character) || lexer.startsWith(lexer.rightDelim)
}

function lexQuoted(lexer: Lexer, delimiter: string, type: TokenType, name: string): undefined {
  const { input } = lexer
  const end = delimiter.charCodeAt(0)
  for (let at = lexer.pos; at < input.length; at++) {
    let code = input.charCodeAt(at)
    if (code === end) {
      lexer.pos = at + 1
      return lexer.emit(type)
    }
    if (code === BACKSLASH) code = input.charCodeAt(++at)
    if (code === LINE_BREAK) break
  }
  return lexer.fail(`unterminated ${name}`)
}

function lexRawString(lexer: Lexer): undefined {
  const end = lexer.input.indexOf('`', lexer.pos)
  if (end < 0) return lexer.fail('unterminated raw quoted string')
  lexer.skipTo(end + 1)
  return lexer.emit('rawString')
}

function lexNumber(lexer: Lexer): undefined {
  if (!scanNumber(lexer)) return badNumber(lexer)
  if (!lexer.startsWith('+') && !lexer.startsWith('-')) return lexer.emit('number')
  if (!scanNumber(lexer) || lexer.input.charAt(lexer.pos - 1) !== 'i') return badNumber(lexer)
  return lexer.emit('complex')
}

function badNumber(lexer: Lexer): undefined {
  return lexer.fail(`bad number syntax: ${quote(lexer.input.slice(lexer.start, lexer.pos))}`)
}

/** Scans what looks like a number; whether it is one shows when it is converted. */
function scanNumber(lexer: Lexer): boolean {
  lexer.accept('+-')
  let digits = DECIMAL
  if (lexer.accept('0')) {
    if (lexer.accept('xX')) digits = HEXADECIMAL
    else if (lexer.accept('oO')) digits = '01234567_'
    else if (lexer.accept('bB')) digits = '01_'
  }
  lexer.acceptRun(digits)
  if (lexer.accept('.')) lexer.acceptRun(digits)
  if (digits === DECIMAL && lexer.accept('eE')) scanExponent(lexer)
  if (digits === HEXADECIMAL && lexer.accept('pP')) scanExponent(lexer)
  lexer.accept('i')
  if (!isAlphaNumeric(lexer.peek())) return true
  lexer.advance()
  return false
}

function scanExponent(lexer: Lexer): void {
  lexer.accept('+-')
  lexer.acceptRun(DECIMAL)
}

function hasLeftTrimMarker(input: string, at: number): boolean {
  return input.charAt(at) === '-' && isSpace(input.charCodeAt(at + 1))
}

function hasRightTrimMarker(input: string, at: number): boolean {
  return isSpace(input.charCodeAt(at)) && input.charAt(at + 1) === '-'
}

function beforeSpace(input: string, from: number, to: number): number {
  let end = to
  while (end > from && isSpace(input.charCodeAt(end - 1))) end--
  return end
}

function afterSpace(input: string, from: number): number {
  let end = from
  while (isSpace(input.charCodeAt(end))) end++
  return end
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === LINE_BREAK
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

function isAlphaNumeric(rune: number): boolean {
  if (rune < 0x80) {
    return (
      (rune >= 0x61 && rune <= 0x7a) ||
      (rune >= 0x41 && rune <= 0x5a) ||
      (rune >= 0x30 && rune <= 0x39) ||
      rune === 0x5f
    )
  }
  return /^[\p{L}\p{Nd}]$/u.test(String.fromCodePoint(rune))
}

/** As Go's `%#U`: `U+0078 'x'`. */
function showRune(rune: number): string {
  const valid = rune === EOF ? -1 : validRune(rune)
  if (valid < 0) return 'U+FFFFFFFFFFFFFFFF'
  const code = `U+${valid.toString(16).toUpperCase().padStart(4, '0')}`
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(String.fromCodePoint(valid))
    ? `${code} '${String.fromCodePoint(valid)}'`
    : code
}
