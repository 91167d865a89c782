import { parseSync, Visitor } from 'oxc-parser'

/** The same program without what would end a comment that it stands in: each is written in another way that means the same.
 *  `code` is JavaScript without comments. Throws where there is no other way, or when it does not parse. */
export function withoutCommentEnds(code: string): string {
  const { program, errors } = parseSync('program.js', code, { sourceType: 'script' })
  if (errors[0] !== undefined) throw new Error(`the program does not parse: ${errors[0].message}`)
  const tokens: Token[] = []
  const raw = new Set<number>()
  new Visitor({
    Literal({ start, end, ...literal }) {
      const flags = 'regex' in literal ? literal.regex.flags : undefined
      tokens.push({ kind: 'literal', start, end, closing: flags === undefined ? undefined : end - flags.length - 1 })
    },
    TaggedTemplateExpression({ quasi }) {
      for (const { start } of quasi.quasis) raw.add(start)
    },
    TemplateElement({ start, end }) {
      tokens.push({ kind: raw.has(start) ? 'raw' : 'literal', start, end, closing: undefined })
    },
  }).visit(program)
  return code.replaceAll('*/', (_, at: number) => {
    const token = tokens.find(({ start, end }) => start <= at && at + 1 < end)
    // A factor before a regular expression.
    if (token === undefined) return '* /'
    if (token.kind === 'raw') throw new Error('the program has the end of a comment in a tagged template')
    if (token.closing !== at + 1) return '*\\/'
    return isEscaped(code, at) ? 'x2a/' : '{0,}/'
  })
}

/** A literal, or what stands in a template between two substitutions. */
interface Token {
  readonly kind: 'literal' | 'raw'
  readonly start: number
  readonly end: number
  /** Where the slash is that ends a regular expression. */
  readonly closing: number | undefined
}

function isEscaped(code: string, at: number): boolean {
  const [backslashes = ''] = /\\*$/.exec(code.slice(Math.max(0, at - 100), at)) ?? []
  return backslashes.length % 2 === 1
}
