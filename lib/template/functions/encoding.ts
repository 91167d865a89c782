import { messageOf } from '../../base/errors.ts'
import { needsSpelling, parseJson } from '../../base/json.ts'
import { parseYaml } from '../../base/parse-yaml.ts'
import { printYaml } from '../../base/print-yaml.ts'
import { parseToml } from '../../base/toml.ts'
import type { Value } from '../../base/value.ts'
import { excessOf } from '../execution.ts'
import { checkExtent } from '../extent.ts'
import type { Executing, TemplateFunction } from '../function.ts'
import { spellingOf } from '../instance.ts'
import { trimSpace } from '../letters.ts'
import { FORMAT_TIMES, laborious } from './cost.ts'
import { printJson } from './print-json.ts'
import { printToml } from './print-toml.ts'

/** What the making of a parser for YAML counts, and what it counts for each token: some microseconds, however short they are. */
const PARSER_STEPS = 200
const YAML_TOKEN_WEIGHT = 3_200
/** What each date or time of TOML counts, some microseconds as well. */
const DATE_WEIGHT = 1_000

/** What each character counts besides, of a JSON text with numbers whose spelling matters. */
const SPELLED_TIMES = 40

/** The functions that read and write formats. An empty text is an empty map, as in consul-template. */
export const encodingFunctions: readonly TemplateFunction<unknown>[] = [
  parsing('parseJSON', parseJson, (text, execution) => {
    if (needsSpelling(text)) execution.weigh(SPELLED_TIMES * text.length)
  }),
  {
    ...parsing('parseYAML', parseYaml, (text, execution) =>
      execution.weigh(YAML_TOKEN_WEIGHT * countOf(YAML_INDICATORS, text)),
    ),
    steps: () => PARSER_STEPS,
  },
  parsing('parseTOML', parseToml, (text, execution) => execution.weigh(DATE_WEIGHT * countOf(DATE_MARKS, text))),
  printing('toJSON', value => printJson(value, { isPretty: false, escapesHtml: true })),
  printing('toJSONPretty', value => printJson(value, { isPretty: true, escapesHtml: true })),
  printing('toUnescapedJSON', value => printJson(value, { isPretty: false, escapesHtml: false })),
  printing('toUnescapedJSONPretty', value => printJson(value, { isPretty: true, escapesHtml: false })),
  printing('toYAML', value => trimSpace(printYaml(value, spellingOf))),
  printing('toTOML', value => trimSpace(printToml(value))),
].map(each => laborious(FORMAT_TIMES, each))

function countOf(characters: ReadonlySet<number>, text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (characters.has(text.charCodeAt(i))) count++
  return count
}

/** Each date or time has one of them. */
const DATE_MARKS = new Set(Array.from('-:', each => each.charCodeAt(0)))
/** The characters by which YAML means something. */
const YAML_INDICATORS = new Set(Array.from('[]{},:-?&*!|>\'"#%@`\n', each => each.charCodeAt(0)))

function parsing(
  name: string,
  parse: (text: string) => Value,
  weigh: (text: string, execution: Executing) => void = () => {},
): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} TEXT`,
    parameters: ['string'],
    call(_, [given], execution) {
      const text = given as string
      weigh(text, execution)
      return text === '' ? new Map() : parse(text)
    },
  }
}

function printing(name: string, print: (value: Value) => string): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} VALUE`,
    parameters: ['any'],
    call(_, [value = null]) {
      checkExtent(value)
      try {
        return print(value)
      } catch (error) {
        if (excessOf(error) !== undefined) throw error
        // What Go's runtime says has no name before it.
        const message = messageOf(error)
        throw new Error(message.startsWith('reflect: ') ? message : `${name}: ${message}`, { cause: error })
      }
    },
  }
}
