import { describe, expect, test } from 'vitest'
import { Lexer } from '../../lib/template/lexer.ts'
import { showToken, type Token } from '../../lib/template/token.ts'

function lexAll(input: string, delims: readonly [string, string] = ['{{', '}}']): readonly Token[] {
  const lexer = new Lexer(input, delims)
  const tokens: Token[] = []
  for (;;) {
    const token = lexer.next()
    tokens.push(token)
    if (token.type === 'eof' || token.type === 'error') return tokens
  }
}

/** As `type` or, where the text matters, `type text`; without the delimiters and the end. */
function shown(tokens: readonly Token[]): string {
  const hidden = new Set(['leftDelim', 'rightDelim', 'eof'])
  return tokens
    .filter(({ type }) => !hidden.has(type))
    .map(({ type, text }) => (type === 'space' ? '_' : `${type}(${text})`))
    .join(' ')
}

describe('a lexer finds', () => {
  test.each([
    ['', ''],
    ['just text', 'text(just text)'],
    ['a{{.}}b', 'text(a) dot(.) text(b)'],
    ['{{.a.b}}', 'field(.a) field(.b)'],
    ['{{$ $x $x.y}}', 'variable($) _ variable($x) _ variable($x) field(.y)'],
    ['{{$x := 1}}', 'variable($x) _ declare(:=) _ number(1)'],
    ['{{$x=1}}', "error(bad character U+003D '=')"],
    ['{{$x = 1}}', 'variable($x) _ assign(=) _ number(1)'],
    ['{{a | b}}', 'identifier(a) _ pipe(|) _ identifier(b)'],
    ['{{(a)}}', 'leftParen(() identifier(a) rightParen())'],
    ['{{a , b}}', 'identifier(a) _ char(,) _ identifier(b)'],
    ['{{true false nil}}', 'bool(true) _ bool(false) _ nil(nil)'],
    [
      '{{if else end range with define block template}}',
      'if(if) _ else(else) _ end(end) _ range(range) _ with(with) _ define(define) _ block(block) _ template(template)',
    ],
    ['{{break continue}}', 'break(break) _ continue(continue)'],
    ['{{"a\\"b" `c\nd`}}', 'string("a\\"b") _ rawString(`c\nd`)'],
    ["{{'a' '\\''}}", "charConstant('a') _ charConstant('\\'')"],
    [
      '{{1 -2 +3 0x1F 0b1 0o7 1_0 1.5 .5 1e3 0x1p4 2i 1+2i}}',
      'number(1) _ number(-2) _ number(+3) _ number(0x1F) _ number(0b1) _ number(0o7) _ number(1_0) _ number(1.5) _ number(.5) _ number(1e3) _ number(0x1p4) _ number(2i) _ complex(1+2i)',
    ],
    ['{{ö日 x1 _y}}', 'identifier(ö日) _ identifier(x1) _ identifier(_y)'],
    ['{{\n.\t}}', '_ dot(.) _'],
    ['a  {{- 1 -}}  b', 'text(a) number(1) text(b)'],
    ['a{{/* b */}}c', 'text(a) text(c)'],
    ['a {{- /* b\n */ -}} c', 'text(a) text(c)'],
    ['{{-1}}', 'number(-1)'],
    ['{{1 -}}', 'number(1)'],
  ])('in %j', (input, want) => {
    expect(shown(lexAll(input))).toBe(want)
  })

  test('other delimiters', () => {
    expect(shown(lexAll('a <<.x>> {{b}}', ['<<', '>>']))).toBe('text(a ) field(.x) text( {{b}})')
    expect(shown(lexAll('{{.x}}', ['', '']))).toBe('field(.x)')
  })

  test('break and continue as functions, where there are such', () => {
    const lexer = new Lexer('{{break}}', ['{{', '}}'])
    lexer.breakIsKeyword = false
    expect([lexer.next(), lexer.next()].map(({ type }) => type)).toEqual(['leftDelim', 'identifier'])
  })
})

describe('a lexer says of', () => {
  test.each([
    ['{{', 'unclosed action'],
    ['{{a', 'unclosed action'],
    ['{{/* a', 'unclosed comment'],
    ['{{/* a */ }}', 'comment ends before closing delimiter'],
    ['{{"a', 'unterminated quoted string'],
    ['{{"a\n"}}', 'unterminated quoted string'],
    ['{{`a', 'unterminated raw quoted string'],
    ["{{'a", 'unterminated character constant'],
    ['{{(1}}', 'unclosed left paren'],
    ['{{1)}}', 'unexpected right paren'],
    ['{{3k}}', 'bad number syntax: "3k"'],
    ['{{:a}}', 'expected :='],
    ['{{a$}}', "bad character U+0024 '$'"],
    ['{{\u0001}}', 'unrecognized character in action: U+0001'],
    ['{{\udcff}}', "unrecognized character in action: U+FFFD '\ufffd'"],
  ])('%j: %s', (input, want) => {
    expect(lexAll(input).at(-1)).toMatchObject({ type: 'error', text: want })
  })
})

test('a token knows where it starts, and in which line', () => {
  const tokens = lexAll('é\n{{- /*\n*/}}\n  {{if\n.a}}').filter(({ type }) => ['if', 'field', 'text'].includes(type))
  expect(tokens.map(({ type, at, line }) => [type, at, line])).toEqual([
    ['text', 0, 1],
    ['text', 13, 3],
    ['if', 18, 4],
    ['field', 21, 5],
  ])
})

test.each<[Token['type'], string, string]>([
  ['eof', 'EOF', 'EOF'],
  ['error', 'what is wrong', 'what is wrong'],
  ['end', 'end', '<end>'],
  ['dot', '.', '<.>'],
  ['identifier', 'short', '"short"'],
  ['text', 'longer than ten', '"longer tha"...'],
])('a token of type %s is shown as in Go', (type, text, want) => {
  expect(showToken({ type, at: 0, text, line: 1 })).toBe(want)
})
