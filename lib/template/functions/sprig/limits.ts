import { Excess } from '../../extent.ts'

/** What Go's runtime says where a program does what cannot be done; sprig leaves many such things to it. */

export function nilDereference(): Error {
  return new Error('runtime error: invalid memory address or nil pointer dereference')
}

/** How many characters a function may make of few, and how many items of none. */
const MADE_LENGTH_MAX = 2 ** 24
const MADE_ITEMS_MAX = 1_000_000

/** Throws an `Excess` where a text would be longer. */
export function checkLength(length: number): void {
  if (length > MADE_LENGTH_MAX) throw new Excess(`the result would be longer than ${MADE_LENGTH_MAX} characters`)
}

/** Throws an `Excess` where a list would be longer. */
export function checkItems(count: number): void {
  if (count > MADE_ITEMS_MAX) throw new Excess(`the result would have more than ${MADE_ITEMS_MAX} items`)
}
