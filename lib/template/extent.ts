import { Struct } from '../base/value.ts'
import { isList, isMap, type Operand } from './operand.ts'

/** How many characters and items a value may have that is printed: a list that holds another twice, which holds another twice,
 *  is short to write and endless to print. */
const EXTENT_MAX = 2 ** 26

/** More than a bound allows. */
export class Excess extends Error {}

/** Throws an `Excess` where a value is too long to be printed. */
export function checkExtent(operand: Operand): void {
  if (typeof operand === 'object' && operand !== null) extend(operand, 0)
}

/** How far the values before and this one come to. */
function extend(operand: Operand, before: number): number {
  if (before > EXTENT_MAX) throw new Excess(`a value is longer than ${EXTENT_MAX} characters and items`)
  if (typeof operand === 'string') return before + operand.length + 1
  let extent = before + 1
  if (isList(operand)) for (const item of operand) extent = extend(item, extent)
  else if (isMap(operand)) for (const [key, value] of operand) extent = extend(value, extent + key.length)
  else if (operand instanceof Struct) for (const value of operand.fields.values()) extent = extend(value, extent)
  return extent
}
