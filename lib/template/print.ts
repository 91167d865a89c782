import { fromBytes, toBytes } from '../base/text.ts'
import type { Operand } from './operand.ts'
import { show } from './show.ts'

/** Go's `fmt.Sprint`: a blank between two operands where neither is a string. */
export function print(args: readonly Operand[]): string {
  const [first] = args
  if (args.length === 1) return show(first)
  let out = ''
  let wasString = true
  for (const arg of args) {
    const isString = typeof arg === 'string'
    out += isString || wasString ? show(arg) : ` ${show(arg)}`
    wasString = isString
  }
  return joined(out)
}

/** Go's `fmt.Sprintln`: a blank between all operands, and a line break. */
export function println(args: readonly Operand[]): string {
  return joined(`${args.map(show).join(' ')}\n`)
}

/** A text put together from pieces. Two pieces may each end in the middle of a character, and make it whole. */
export function joined(text: string): string {
  return text.isWellFormed() ? text : fromBytes(toBytes(text))
}
