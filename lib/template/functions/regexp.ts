import { compileRegExp } from '../../base/regexp.ts'
import type { TemplateFunction } from '../function.ts'
import { joined } from '../print.ts'
import { define } from './sprig/define.ts'

/** The functions on regular expressions, which are those of RE2; the text comes last, for pipes. */
export const regexpFunctions: readonly TemplateFunction<unknown>[] = [
  define('regexMatch EXPRESSION TEXT', ['string', 'string'], (pattern, text) => compileRegExp(pattern).test(text)),
  define('regexReplaceAll EXPRESSION REPLACEMENT TEXT', ['string', 'string', 'string'], (pattern, replacement, text) =>
    joined(compileRegExp(pattern).replaceAll(text, replacement)),
  ),
]
