import { Struct } from '../base/value.ts'
import { isList, isMap, type Operand } from './operand.ts'

/** How many characters and items a value may have that is printed: a list that holds another twice, which holds another twice,
 *  is short to write and endless to print. */
const EXTENT_MAX = 2 ** 26
/** Going through an item takes longer than a character of it. */
const ITEM_EXTENT = 16

/** More than a bound allows. */
export class Excess extends Error {}

/** Throws an `Excess` where a value is too long to be printed. */
export function checkExtent(operand: Operand): void {
  if (typeof operand === 'object' && operand !== null) extend(operand, 0)
}

/** How far the values before and this one come to. */
function extend(operand: Operand, before: number): number {
  if (before > EXTENT_MAX)
    throw new Excess(`a value is longer than ${EXTENT_MAX} characters, of which an item counts ${ITEM_EXTENT}`)
  if (typeof operand === 'string') return before + operand.length + ITEM_EXTENT
  let extent = before + ITEM_EXTENT
  if (isList(operand)) for (const item of operand) extent = extend(item, extent)
  else if (isMap(operand)) for (const [key, value] of operand) extent = extend(value, extent + key.length)
  else if (operand instanceof Struct) for (const value of operand.fields.values()) extent = extend(value, extent)
  return extent
}
