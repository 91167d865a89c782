import { Float, Struct, Uint, type Value } from '../../base/value.ts'
import { Channel } from '../channel.ts'
import { checkExtent } from '../extent.ts'
import { formatFloat } from '../float.ts'
import { Instance } from '../instance.ts'
import { isMap, sortedKeys } from '../operand.ts'

export interface JsonStyle {
  /** Over several lines, two blanks deep. */
  readonly isPretty: boolean
  /** Whether `<`, `>` and `&` are escaped, so that it may stand in HTML. */
  readonly escapesHtml: boolean
}

/** A value as JSON, as Go's `encoding/json` writes it: keys sorted, integers exact. Throws an Error on a float that JSON has not. */
export function printJson(value: Value, style: JsonStyle): string {
  checkExtent(value)
  return print(value, style, style.isPretty ? '\n' : '')
}

/** `lineBreak` is what begins a line here: a line break and the margin, or nothing. */
function print(value: Value, style: JsonStyle, lineBreak: string): string {
  if (typeof value === 'string') return printText(value, style)
  if (value === null || typeof value !== 'object') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Float) return printFloat(value.value)
  if (value instanceof Channel) throw new Error(`json: unsupported type: ${value.typeName}`)
  if (value instanceof Instance && value.inJson !== undefined) return printText(value.inJson(), style)
  const inner = style.isPretty ? `${lineBreak}  ` : ''
  if (isMap(value) || value instanceof Struct) {
    const fields = value instanceof Struct ? value.fields : value
    const names = value instanceof Struct ? [...fields.keys()].filter(isExported) : sortedKeys(fields)
    const separator = style.isPretty ? ': ' : ':'
    const entries = names.map(
      name => printText(name, style) + separator + print(fields.get(name) as Value, style, inner),
    )
    return entries.length === 0 ? '{}' : `{${inner}${entries.join(`,${inner}`)}${lineBreak}}`
  }
  const items = value.map(item => print(item, style, inner))
  return items.length === 0 ? '[]' : `[${inner}${items.join(`,${inner}`)}${lineBreak}]`
}

/** Fields of small letters are not for others. */
function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name)
}

function printFloat(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`json: unsupported value: ${formatFloat(value, 'g', -1)}`)
  return Object.is(value, -0) ? '-0' : String(value)
}

function printText(text: string, { escapesHtml }: JsonStyle): string {
  const json = escapeInvalid(JSON.stringify(text)).replaceAll(/[\u2028\u2029]/g, escapeUnit)
  return escapesHtml ? json.replaceAll(/[<>&]/g, escapeUnit) : json
}

/** A byte that is no text stands as an escape, unlike the replacement character itself. */
function escapeInvalid(json: string): string {
  if (!json.includes('\\ud')) return json
  return json.replaceAll(/\\(?:ud[89a-f][0-9a-f]{2}|[^])/g, escape => (escape.startsWith('\\ud') ? '\\ufffd' : escape))
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
