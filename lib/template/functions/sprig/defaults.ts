import type { Value } from '../../../base/value.ts'
import type { TemplateFunction } from '../../function.ts'
import { isTrue } from '../../operand.ts'
import { define, defineVariadic } from './define.ts'

/** The functions that choose between values. Empty is what is false to `if`: nil, zero, no text, no items. */
export const defaultFunctions: readonly TemplateFunction<unknown>[] = [
  defineVariadic('default DEFAULT [VALUE]', ['any'], 'any', (otherwise, value = null) =>
    isTrue(value) ? value : otherwise,
  ),
  define('empty VALUE', ['any'], value => !isTrue(value)),
  defineVariadic('coalesce VALUE…', [], 'any', (...values) => values.find(isTrue) ?? null),
  defineVariadic('all VALUE…', [], 'any', (...values) => values.every(isTrue)),
  defineVariadic('any VALUE…', [], 'any', (...values) => values.some(isTrue)),
  define('ternary YES NO CONDITION', ['any', 'any', 'bool'], (yes, no, condition): Value => (condition ? yes : no)),
  define('fail MESSAGE', ['string'], (message): never => {
    throw new Error(message)
  }),
]
