import type { TemplateFunction } from '../../function.ts'
import { alsoAs, define } from './define.ts'

/** The functions on paths, whose parts `/` separates. */
export const pathFunctions: readonly TemplateFunction<unknown>[] = [
  ...alsoAs(define('base PATH', ['string'], base), 'osBase'),
  ...alsoAs(define('dir PATH', ['string'], directory), 'osDir'),
  ...alsoAs(define('clean PATH', ['string'], clean), 'osClean'),
  ...alsoAs(
    define('ext PATH', ['string'], path => /\.[^./]*$/.exec(path)?.[0] ?? ''),
    'osExt',
  ),
  ...alsoAs(
    define('isAbs PATH', ['string'], path => path.startsWith('/')),
    'osIsAbs',
  ),
]

function base(path: string): string {
  if (path === '') return '.'
  const end = endWithout(path, '/')
  return end === 0 ? '/' : path.slice(path.lastIndexOf('/', end - 1) + 1, end)
}

function directory(path: string): string {
  return clean(path.slice(0, path.lastIndexOf('/') + 1))
}

/** The shortest path that means the same. */
function clean(path: string): string {
  const isAbsolute = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!isAbsolute) parts.push(part)
  }
  const cleaned = parts.join('/')
  return isAbsolute ? `/${cleaned}` : cleaned || '.'
}

function endWithout(text: string, ending: string): number {
  let end = text.length
  while (end > 0 && text[end - 1] === ending) end--
  return end
}
