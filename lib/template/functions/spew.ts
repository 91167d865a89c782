import { byteLength } from '../../base/text.ts'
import { Float, Struct, Uint, type Value } from '../../base/value.ts'
import { checkExtent } from '../extent.ts'
import { formatFloat } from '../float.ts'
import type { TemplateFunction } from '../function.ts'
import { Instance } from '../instance.ts'
import { isList, isMap, sortedKeys, typeName } from '../operand.ts'
import { joined } from '../print.ts'
import { Formatter, type Printer } from '../printer.ts'
import { printf } from '../printf.ts'
import { quote } from '../quote.ts'
import { show } from '../show.ts'
import { defineVariadic } from './sprig/define.ts'

/** What looks into values, for who writes a template (go-spew's). Two of them print to the standard output there; here they only give
 *  nothing, since values may be secrets. */
export const spewFunctions: readonly TemplateFunction<unknown>[] = [
  defineVariadic('spew_sdump VALUES…', [], 'any', (...values) => dump(values)),
  defineVariadic('spew_sprintf FORMAT VALUES…', ['string'], 'any', sprintf),
  defineVariadic('spew_dump VALUES…', [], 'any', () => ''),
  defineVariadic('spew_printf FORMAT VALUES…', ['string'], 'any', () => ''),
]

function dump(values: readonly Value[]): string {
  for (const value of values) checkExtent(value)
  return joined(values.map(value => `${value === null ? '(interface {}) <nil>' : dumped(value, 0)}\n`).join(''))
}

/** A value on lines of its own, with types and sizes; a blank for each level. */
function dumped(value: Value, depth: number): string {
  if (value === null) return '(interface {}) <nil>'
  return `(${typeName(value)})${sizeOf(value)} ${dumpedContent(value, depth)}`
}

function dumpedContent(value: Value, depth: number): string {
  const margin = ' '.repeat(depth)
  const inner = `${margin} `
  if (typeof value === 'string') return quote(value)
  if (isList(value)) {
    return block(
      value.map(item => inner + dumped(item, depth + 1)),
      margin,
    )
  }
  if (isMap(value)) {
    const keys = sortedKeys(value)
    return block(
      keys.map(key => `${inner}${dumped(key, 0)}: ${dumped(value.get(key) ?? null, depth + 1)}`),
      margin,
    )
  }
  if (value instanceof Struct) {
    if (value instanceof Instance && value.text !== undefined) return value.text()
    return block(
      [...value.fields].map(([name, field]) => `${inner}${name}: ${dumped(field, depth + 1)}`),
      margin,
    )
  }
  return scalar(value)
}

function block(lines: readonly string[], margin: string): string {
  return `{\n${lines.join(',\n')}${lines.length > 0 ? '\n' : ''}${margin}}`
}

function sizeOf(value: Value): string {
  if (typeof value === 'string') return value === '' ? '' : ` (len=${byteLength(value)})`
  if (isMap(value)) return value.size === 0 ? '' : ` (len=${value.size})`
  // How much room a list has is nothing that ours know: as much as they need.
  return isList(value) && value.length > 0 ? ` (len=${value.length} cap=${value.length})` : ''
}

function scalar(value: Value): string {
  if (value instanceof Float) return formatFloat(value.value, 'g', -1)
  return value instanceof Uint ? String(value.value) : show(value)
}

/** Go's `Sprintf`, where `%v` is spew's own, and `%#v` tells types. */
function sprintf(format: string, ...values: readonly Value[]): string {
  return printf(
    format,
    values.map(value => new FormatState(value)),
  )
}

class FormatState extends Formatter {
  readonly #value: Value
  constructor(value: Value) {
    super('*spew.formatState', new Map())
    this.#value = value
  }

  format(printer: Printer, verb: string): void {
    if (verb !== 'v') printer.print(this.#value, verb)
    else {
      checkExtent(this.#value)
      printer.write(inline(this.#value, printer.flags.sharpV))
    }
  }
}

/** A value on one line. */
function inline(value: Value, showsTypes: boolean): string {
  if (value === null) return showsTypes ? '(interface {})<nil>' : '<nil>'
  return (showsTypes ? `(${typeName(value)})` : '') + inlineContent(value, showsTypes)
}

function inlineContent(value: Value, showsTypes: boolean): string {
  if (typeof value === 'string') return value
  if (isList(value)) return `[${value.map(item => inline(item, showsTypes)).join(' ')}]`
  if (isMap(value)) {
    return `map[${sortedKeys(value)
      .map(key => `${key}:${inline(value.get(key) ?? null, showsTypes)}`)
      .join(' ')}]`
  }
  if (!(value instanceof Struct)) return scalar(value)
  if (value instanceof Instance && value.text !== undefined) return value.text()
  const fields = [...value.fields].map(([name, field]) => (showsTypes ? `${name}:` : '') + inline(field, showsTypes))
  return `{${fields.join(' ')}}`
}
