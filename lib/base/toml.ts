import { parse, TomlDate, TomlError } from 'smol-toml'
import { Float, int, type Value } from './value.ts'

/** What a TOML text holds. Throws an Error that says where the text is no TOML, and nothing of what is in it.
 *  @param dateOf makes the value of a date or time of its text, as it stands there; by default it is that text */
export function parseToml(text: string, dateOf: (text: string) => Value = same => same): Value {
  const dates = new Spellings(text)
  return valueOf(parsed(text), date => dateOf(dates.of(date)))
}

function parsed(text: string): unknown {
  try {
    return parse(text, { integersAsBigInt: true })
  } catch (error) {
    throw problemOf(error)
  }
}

/** Without its cause: the parser's message quotes the text. */
function problemOf(error: unknown): Error {
  if (!(error instanceof TomlError)) return new Error('the TOML is nested too deeply')
  return new Error(`not valid TOML at line ${error.line}, column ${error.column}`)
}

function valueOf(value: unknown, dateOf: (date: TomlDate) => Value): Value {
  if (typeof value === 'number') return new Float(value)
  if (typeof value === 'bigint') return int(value)
  if (typeof value !== 'object' || value === null) return value as Value
  if (value instanceof TomlDate) return dateOf(value)
  if (Array.isArray(value)) return value.map(item => valueOf(item, dateOf))
  return new Map(Object.entries(value).map(([key, item]) => [key, valueOf(item, dateOf)]))
}

const DATE_OR_TIME =
  /\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d(?::\d\d)?(?:\.\d+)?/g

/** How the dates and times of a text are spelled there. The parser gives milliseconds, with all their zeros, and takes the 30th of
 *  February for a day in March. */
class Spellings {
  readonly #text: string
  #found: ReadonlyMap<string, string> | undefined

  constructor(text: string) {
    this.#text = text
  }

  /** Throws an Error where there is no such day. */
  of(date: TomlDate): string {
    this.#found ??= spellingsIn(this.#text)
    const spelling = this.#found.get(date.toISOString())
    if (spelling === undefined) throw new Error('not valid TOML: a date is of a day that its month does not have')
    return spelling
  }
}

/** All that looks like a date or time, also in strings and comments, by what the parser makes of it. */
function spellingsIn(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const spelling of new Set(text.match(DATE_OR_TIME))) {
    const date = new TomlDate(spelling)
    if (!date.isValid()) continue
    const parsersOwn = date.toISOString()
    if (!date.isTime() && spelling.slice(0, DAY_END) !== parsersOwn.slice(0, DAY_END)) continue
    const other = found.get(parsersOwn)
    found.set(parsersOwn, other === undefined ? spelling : either(spelling, other, parsersOwn))
  }
  return found
}

/** Of two spellings the longer one, which older readers know. Two that differ in what is finer than milliseconds cannot be told apart:
 *  that is left out then, as TOML allows. */
function either(one: string, other: string, parsersOwn: string): string {
  if (fractionOf(one) !== fractionOf(other)) return parsersOwn
  return one.length > other.length ? one : other
}

const DAY_END = '0000-00-00'.length

function fractionOf(spelling: string): string {
  return /\.(\d*[1-9])/.exec(spelling)?.[1] ?? ''
}
