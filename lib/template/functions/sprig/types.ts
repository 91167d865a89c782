import type { TemplateFunction } from '../../function.ts'
import { kindOf, typeOf } from './casts.ts'
import { define } from './define.ts'

/** The functions that tell what a value is, with Go's names. */
export const typeFunctions: readonly TemplateFunction<unknown>[] = [
  define('typeOf VALUE', ['any'], typeOf),
  define('typeIs TYPE VALUE', ['string', 'any'], (type, value) => type === typeOf(value)),
  define('typeIsLike TYPE VALUE', ['string', 'any'], (type, value) => [type, `*${type}`].includes(typeOf(value))),
  define('kindOf VALUE', ['any'], kindOf),
  define('kindIs KIND VALUE', ['string', 'any'], (kind, value) => kind === kindOf(value)),
]
