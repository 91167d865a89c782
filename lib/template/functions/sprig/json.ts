import { parseJson } from '../../../base/json.ts'
import type { Value } from '../../../base/value.ts'
import { excessOf } from '../../execution.ts'
import type { TemplateFunction } from '../../function.ts'
import { FORMAT_TIMES, laborious } from '../cost.ts'
import { printJson, type JsonStyle } from '../print-json.ts'
import { alsoAs, define } from './define.ts'

/** The functions that read and write JSON. What it writes as an integer stays one, unlike in sprig, which has but floats. */
export const jsonFunctions: readonly TemplateFunction<unknown>[] = [
  define('fromJson TEXT', ['string'], text => orElse(null, () => parseJson(text))),
  define('mustFromJson TEXT', ['string'], parseJson),
  define('toJson VALUE', ['any'], value => orElse('', () => printJson(value, COMPACT))),
  define('mustToJson VALUE', ['any'], value => printJson(value, COMPACT)),
  define('toPrettyJson VALUE', ['any'], value => orElse('', () => printJson(value, PRETTY))),
  define('mustToPrettyJson VALUE', ['any'], value => printJson(value, PRETTY)),
  ...alsoAs(
    define('toRawJson VALUE', ['any'], value => printJson(value, RAW)),
    'mustToRawJson',
  ),
].map(each => laborious(FORMAT_TIMES, each))

const COMPACT: JsonStyle = { isPretty: false, escapesHtml: true }
const PRETTY: JsonStyle = { isPretty: true, escapesHtml: true }
const RAW: JsonStyle = { isPretty: false, escapesHtml: false }

/** Sprig's functions without `must` give nothing where those give an error. */
function orElse(nothing: Value, make: () => Value): Value {
  try {
    return make()
  } catch (error) {
    if (excessOf(error) !== undefined) throw error
    return nothing
  }
}
