import { Float, int, Uint, type Value } from './value.ts'

/** What a plain scalar means, by the rules of Go's yaml.v2: YAML 1.1 with its `yes` and `off`, without its numbers to base 60.
 *  Undefined for what is text. The package's own rules for 1.1 are not used: they make numbers of `.` and `e5`. */
export function resolveScalar(text: string): Exclude<Value, string> | undefined {
  const first = text.charAt(0)
  if (first >= '0' && first <= '9') return resolveNumber(text)
  switch (first) {
    case '+':
    case '-':
      return words.has(text) ? words.get(text) : resolveNumber(text)
    case '.':
      if (words.has(text)) return words.get(text)
      return /^\.\d+([eE][-+]?\d+)?$/.test(text) ? new Float(Number(text)) : undefined
    default:
      return words.get(text)
  }
}

const words: ReadonlyMap<string, Exclude<Value, string>> = new Map([
  ...spellings(null, ['', '~', 'null', 'Null', 'NULL']),
  ...spellings(true, ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']),
  ...spellings(false, ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']),
  ...spellings(new Float(NaN), ['.nan', '.NaN', '.NAN']),
  ...spellings(new Float(Infinity), ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']),
  ...spellings(new Float(-Infinity), ['-.inf', '-.Inf', '-.INF']),
])

function spellings(value: Exclude<Value, string>, texts: readonly string[]) {
  return texts.map(text => [text, value] as const)
}

const INTEGER = /^([-+]?)(?:0([bBoOxX]?)([0-9a-fA-F]+)|(0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/

function resolveNumber(text: string): Exclude<Value, string> | undefined {
  const digits = text.replaceAll('_', '')
  const integer = resolveInteger(digits)
  if (integer !== undefined) return integer
  if (!FLOAT.test(digits)) return undefined
  const value = Number(digits)
  return Number.isFinite(value) ? new Float(value) : undefined
}

function resolveInteger(digits: string): number | bigint | Uint | undefined {
  const [, sign, base = '', based, decimal] = INTEGER.exec(digits) ?? []
  let magnitude: bigint
  try {
    // A zero alone before digits makes them octal; digits that the base has not make it no integer.
    magnitude = based === undefined ? BigInt(decimal ?? 'none') : BigInt(`0${base || 'o'}${based}`)
  } catch {
    return undefined
  }
  const value = sign === '-' ? -magnitude : magnitude
  if (BigInt.asIntN(64, value) === value) return int(value)
  return sign === '' && BigInt.asUintN(64, value) === value ? new Uint(value) : undefined
}

/** What some reader of YAML may take for a point in time, or for a number to base 60. */
const TIME = /^\d{4}-\d{1,2}-\d{1,2}([Tt\s].*)?$/
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/

/** Whether a text must be quoted, since plain it would be something else. */
export function looksLikeValue(text: string): boolean {
  return resolveScalar(text) !== undefined || TIME.test(text) || SEXAGESIMAL.test(text)
}
