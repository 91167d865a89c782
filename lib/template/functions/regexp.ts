import { compileRegExp, RegExpError, type GoRegExp } from '../../base/regexp.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { joined } from '../print.ts'
import { define } from './sprig/define.ts'

/** The functions on regular expressions, which are those of RE2; the text comes last, for pipes. */
export const regexpFunctions: readonly TemplateFunction<unknown>[] = [
  define('regexMatch EXPRESSION TEXT', ['string', 'string'], (expression, text, execution) =>
    compile(expression, execution).test(text),
  ),
  define(
    'regexReplaceAll EXPRESSION REPLACEMENT TEXT',
    ['string', 'string', 'string'],
    (expression, replacement, text, execution) => joined(compile(expression, execution).replaceAll(text, replacement)),
  ),
]

/** Compiles an expression. Throws an Error that quotes it only where errors may. */
export function compile(expression: string, execution: Executing): GoRegExp {
  try {
    return compileRegExp(expression)
  } catch (error) {
    if (error instanceof RegExpError && execution.showsValues) throw new Error(error.quoting, { cause: error })
    throw error
  }
}
