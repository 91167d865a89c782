import { parseJson } from '../../../base/json.ts'
import { Float, Uint, type Value } from '../../../base/value.ts'
import type { TemplateFunction } from '../../function.ts'
import { isList, isMap } from '../../operand.ts'
import { printJson, type JsonStyle } from '../print-json.ts'
import { alsoAs, define } from './define.ts'

/** The functions that read and write JSON. */
export const jsonFunctions: readonly TemplateFunction<unknown>[] = [
  define('fromJson TEXT', ['string'], text => orElse(null, () => withFloats(parseJson(text)))),
  define('mustFromJson TEXT', ['string'], text => withFloats(parseJson(text))),
  define('toJson VALUE', ['any'], value => orElse('', () => printJson(value, COMPACT))),
  define('mustToJson VALUE', ['any'], value => printJson(value, COMPACT)),
  define('toPrettyJson VALUE', ['any'], value => orElse('', () => printJson(value, PRETTY))),
  define('mustToPrettyJson VALUE', ['any'], value => printJson(value, PRETTY)),
  ...alsoAs(
    define('toRawJson VALUE', ['any'], value => printJson(value, RAW)),
    'mustToRawJson',
  ),
]

const COMPACT: JsonStyle = { isPretty: false, escapesHtml: true }
const PRETTY: JsonStyle = { isPretty: true, escapesHtml: true }
const RAW: JsonStyle = { isPretty: false, escapesHtml: false }

/** Sprig's functions without `must` give nothing where those give an error. */
function orElse(nothing: Value, make: () => Value): Value {
  try {
    return make()
  } catch {
    return nothing
  }
}

/** Every number as a float: that is what sprig's users have learned to format. consul-template's `parseJSON` keeps integers. */
function withFloats(value: Value): Value {
  if (typeof value === 'number' || typeof value === 'bigint') return new Float(Number(value))
  if (value instanceof Uint) return new Float(Number(value.value))
  if (isList(value)) return value.map(withFloats)
  return isMap(value) ? new Map(Array.from(value, ([key, item]) => [key, withFloats(item)])) : value
}
