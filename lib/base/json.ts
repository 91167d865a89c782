import { Float, int, Uint, type Value } from './value.ts'

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)
const MAX_UINT64 = 2n ** 64n - 1n

/** What a JSON text holds. Integers stay integers, however big (beyond 64 bits they are floats), so that none is rounded or
 *  printed with an exponent; a number with a point or an exponent is a float. Throws an Error that says where the text is no
 *  JSON, and nothing of what is in it. */
export function parseJson(text: string): Value {
  try {
    return fromJson(JSON.parse(text, needsSpelling(text) ? (exactly as Reviver) : undefined))
  } catch (error) {
    throw problemOf(error, text)
  }
}

/** What looks like a number that JSON.parse alone does not give as ours: with a point or an exponent, too long to be exact, or the
 *  negative zero. */
const SPELLED = /\d[.eE]|\d{16}|-0/

/** Strings look like such numbers, too: times, versions, ids. */
const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"/gs
/** Longer texts are not looked through for their strings. */
const STRINGS_LENGTH_MAX = 64 * 1024

/** Whether a text may have such a number. Then V8 is asked for each of its values, which takes eight times as long. */
export function needsSpelling(text: string): boolean {
  if (!SPELLED.test(text)) return false
  return text.length > STRINGS_LENGTH_MAX || SPELLED.test(text.replace(STRINGS, '""'))
}

/** Without its cause: V8's message quotes the text. */
function problemOf(error: unknown, text: string): Error {
  if (error instanceof NumberError) return error
  return error instanceof RangeError
    ? new Error('the JSON is nested too deeply')
    : new Error(`not valid JSON${placeOf(text)}`)
}

class NumberError extends Error {
  constructor() {
    super('the JSON has a number that is too large')
  }
}

/** The library's type does not know the third argument yet. */
type Reviver = (key: string, value: unknown) => unknown

/** Replaces numbers by ours while their spelling is at hand. */
function exactly(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  return typeof value === 'number' ? numberFrom(context.source ?? String(value), value) : value
}

function numberFrom(source: string, value: number): Value {
  if (!Number.isFinite(value)) throw new NumberError()
  if (/[.eE]/.test(source)) return new Float(value)
  if (Number.isSafeInteger(value)) return value + 0
  const exact = BigInt(source)
  if (exact >= MIN_INT64 && exact <= MAX_INT64) return int(exact)
  return exact >= 0n && exact <= MAX_UINT64 ? new Uint(exact) : new Float(value)
}

function fromJson(value: unknown): Value {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value !== 'object' || value === null) return value as Value
  if (Array.isArray(value)) return value.map(fromJson)
  if (value instanceof Float || value instanceof Uint) return value
  // A lone surrogate is no text, and would be taken for a byte, see `text.ts`.
  const map = new Map<string, Value>()
  for (const [key, item] of Object.entries(value)) map.set(key.toWellFormed(), fromJson(item))
  return map
}

/** V8 does not always say where. */
function placeOf(text: string): string {
  const at = faultOf(text)
  if (at >= text.trimEnd().length) return text.trim() === '' ? ': there is nothing in it' : ': it ends too early'
  const before = text.slice(0, at).split('\n')
  return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

const TOKEN = new RegExp(
  [
    String.raw`[ \t\r\n]*(?:([{}[\],:])`,
    String.raw`("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")`,
    String.raw`(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))`,
  ].join('|'),
  'y',
)

/** The offset of the first token that cannot stand where it is. */
function faultOf(text: string): number {
  const open: string[] = []
  let wanted: 'value' | 'key' | 'colon' | 'more' = 'value'
  let mayClose = false
  let at = 0
  for (;;) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    const start = at + (/^[ \t\r\n]*/.exec(text.slice(at, at + SPACE_MAX))?.[0].length ?? 0)
    if (match === null) return start
    const [whole, sign, quoted] = match
    const parent = open.at(-1)
    if ((sign === '}' || sign === ']') && (wanted === 'more' || mayClose) && parent === (sign === '}' ? '{' : '[')) {
      open.pop()
      wanted = 'more'
    } else if (wanted === 'value' && (sign === '{' || sign === '[')) {
      open.push(sign)
      wanted = sign === '{' ? 'key' : 'value'
    } else if (wanted === 'value' && sign === undefined) wanted = 'more'
    else if (wanted === 'key' && quoted !== undefined) wanted = 'colon'
    else if (wanted === 'colon' && sign === ':') wanted = 'value'
    else if (wanted === 'more' && sign === ',' && parent !== undefined) wanted = parent === '{' ? 'key' : 'value'
    else return start
    mayClose = sign === '{' || sign === '['
    at += whole.length
  }
}

/** Space before a faulty token is looked through only so far. */
const SPACE_MAX = 10_000
