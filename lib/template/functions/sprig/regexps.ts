import { messageOf } from '../../../base/errors.ts'
import { compileRegExp, type GoRegExp } from '../../../base/regexp.ts'
import type { Executing, TemplateFunction } from '../../function.ts'
import { joined } from '../../print.ts'
import { canBackquote, quote } from '../../quote.ts'
import { compile } from '../regexp.ts'
import { define } from './define.ts'

type Compile = (expression: string, execution: Executing) => GoRegExp

/** The functions on regular expressions, which are those of RE2. The ones with `must` differ in how they complain. */
export const regexpFunctions: readonly TemplateFunction<unknown>[] = [
  define('regexMatch EXPRESSION TEXT', ['string', 'string'], (expression, text) => {
    try {
      return compileRegExp(expression).test(text)
    } catch {
      return false
    }
  }),
  define('mustRegexMatch EXPRESSION TEXT', ['string', 'string'], (expression, text, execution) =>
    compile(expression, execution).test(text),
  ),
  ...regexps('regex', mustCompile),
  ...regexps('mustRegex', compile),
  define('regexQuoteMeta TEXT', ['string'], text => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)),
]

function regexps(prefix: string, compileIt: Compile): readonly TemplateFunction<unknown>[] {
  return [
    define(`${prefix}Find EXPRESSION TEXT`, ['string', 'string'], (expression, text, execution) => {
      return findAll(compileIt(expression, execution), text, 1)[0] ?? ''
    }),
    define(
      `${prefix}FindAll EXPRESSION TEXT COUNT`,
      ['string', 'string', 'int'],
      (expression, text, count, execution) => findAll(compileIt(expression, execution), text, Number(count)),
    ),
    define(`${prefix}Split EXPRESSION TEXT COUNT`, ['string', 'string', 'int'], (expression, text, count, execution) =>
      split(compileIt(expression, execution), text, Number(count), expression === ''),
    ),
    define(
      `${prefix}ReplaceAll EXPRESSION TEXT REPLACEMENT`,
      ['string', 'string', 'string'],
      (expression, text, replacement, execution) =>
        joined(compileIt(expression, execution).replaceAll(text, replacement)),
    ),
    define(
      `${prefix}ReplaceAllLiteral EXPRESSION TEXT REPLACEMENT`,
      ['string', 'string', 'string'],
      (expression, text, replacement, execution) =>
        joined(compileIt(expression, execution).replaceAllLiteral(text, replacement)),
    ),
  ]
}

/** Complains as Go does where an expression is taken for granted. */
function mustCompile(expression: string, execution: Executing): GoRegExp {
  try {
    return compile(expression, execution)
  } catch (error) {
    if (!execution.showsValues) throw error
    const quoted = canBackquote(expression) ? `\`${expression}\`` : quote(expression)
    throw new Error(`regexp: Compile(${quoted}): ${messageOf(error)}`, { cause: error })
  }
}

function findAll(regExp: GoRegExp, text: string, count: number): readonly string[] {
  return count === 0 ? [] : regExp.findAll(text, count).map(({ start, end }) => text.slice(start, end))
}

/** The texts between matches, at most `count`, the last of which is the rest; all for a negative count. */
function split(regExp: GoRegExp, text: string, count: number, isEmpty: boolean): readonly string[] {
  if (count === 0) return []
  if (!isEmpty && text === '') return ['']
  const parts: string[] = []
  let begin = 0
  let last = 0
  for (const { start, end } of regExp.findAll(text, count)) {
    if (count > 0 && parts.length === count - 1) break
    last = start
    // Nothing matched at the very start separates nothing.
    if (end !== 0) parts.push(text.slice(begin, start))
    begin = end
  }
  if (last !== text.length) parts.push(text.slice(begin))
  return parts
}
