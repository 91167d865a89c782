import { quote } from './quote.ts'

/** A piece of a template's text. */
export interface Token {
  readonly type: TokenType
  /** Where it starts in the text, in UTF-16 units. */
  readonly at: number
  readonly text: string
  /** The line it starts in, from 1. */
  readonly line: number
}

export type TokenType = PlainTokenType | Keyword | 'dot' | 'nil'

type PlainTokenType =
  | 'error' // its text says what is wrong
  | 'eof'
  | 'text' // between actions
  | 'leftDelim'
  | 'rightDelim'
  | 'space' // a run of it, inside an action
  | 'assign' // =
  | 'declare' // :=
  | 'pipe'
  | 'leftParen'
  | 'rightParen'
  | 'char' // any other printable ASCII character
  | 'bool'
  | 'number'
  | 'complex' // 1+2i; an imaginary one alone is a number
  | 'charConstant'
  | 'string' // with its quotes
  | 'rawString' // with its quotes
  | 'identifier'
  | 'field' // .name
  | 'variable' // $name, $

const KEYWORDS = [
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
] as const
export type Keyword = (typeof KEYWORDS)[number]

const keywords: ReadonlySet<string> = new Set(KEYWORDS)

export function isKeyword(word: string): word is Keyword {
  return keywords.has(word)
}

const SHOWN_LENGTH_MAX = 10

/** A token as parse errors show it. */
export function showToken({ type, text }: Token): string {
  if (type === 'eof') return 'EOF'
  if (type === 'error') return text
  if (type === 'dot' || keywords.has(type)) return `<${text}>`
  const characters = Array.from(text)
  // Go decides by bytes whether to cut, and cuts by characters.
  const isLong = Buffer.byteLength(text, 'utf8') > SHOWN_LENGTH_MAX
  return isLong ? `${quote(characters.slice(0, SHOWN_LENGTH_MAX).join(''))}...` : quote(text)
}
