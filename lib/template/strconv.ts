import { readFloat64 } from './number.ts'

/** Go's package `strconv`, as far as functions use it: what a text that is a number means. */

/** Why a text is no number, with Go's words. */
export type NumberProblem = 'invalid syntax' | 'value out of range'

/** A decimal int64; no other spelling. */
export function parseInt64(text: string): bigint | NumberProblem {
  if (!/^[+-]?[0-9]+$/.test(text)) return 'invalid syntax'
  if (text.length > DIGITS_MAX && /^[+-]?0*[0-9]{21}/.test(text)) return 'value out of range'
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value === BigInt.asIntN(64, value) ? value : 'value out of range'
}

/** A decimal uint64; no sign. */
export function parseUint64(text: string): bigint | NumberProblem {
  if (!/^[0-9]+$/.test(text)) return 'invalid syntax'
  if (text.length > DIGITS_MAX && /^0*[0-9]{21}/.test(text)) return 'value out of range'
  const value = BigInt(text)
  return value === BigInt.asUintN(64, value) ? value : 'value out of range'
}

/** Longer texts are looked at before they are computed: that takes time that grows with the square of their length. */
const DIGITS_MAX = 1_000

/** A float64 in any of Go's spellings, infinities and NaN included. */
export function parseFloat(text: string): number | NumberProblem {
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return NaN
  const value = readFloat64(text)
  if (value === undefined) return 'invalid syntax'
  return Number.isFinite(value) ? value : 'value out of range'
}

/** One of 1, t, T, TRUE, true, True, 0, f, F, FALSE, false, False. */
export function parseBool(text: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true
  return /^(?:0|f|F|FALSE|false|False)$/.test(text) ? false : undefined
}
