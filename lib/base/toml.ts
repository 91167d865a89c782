import { parse, TomlError } from 'smol-toml'
import { Float, int, type Value } from './value.ts'

/** What a TOML text holds; dates are their text. Throws an Error that says where the text is no TOML, and nothing of what is
 *  in it. */
export function parseToml(text: string): Value {
  try {
    return fromToml(parse(text, { integersAsBigInt: true }))
  } catch (error) {
    throw problemOf(error)
  }
}

/** Without its cause: the parser's message quotes the text. */
function problemOf(error: unknown): Error {
  if (!(error instanceof TomlError)) return new Error('the TOML is nested too deeply')
  return new Error(`not valid TOML at line ${error.line}, column ${error.column}`)
}

function fromToml(value: unknown): Value {
  if (typeof value === 'number') return new Float(value)
  if (typeof value === 'bigint') return int(value)
  if (typeof value !== 'object' || value === null) return value as Value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(fromToml)
  return new Map(Object.entries(value).map(([key, item]) => [key, fromToml(item)]))
}
