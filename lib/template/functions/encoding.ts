import { messageOf } from '../../base/errors.ts'
import { parseJson } from '../../base/json.ts'
import { parseYaml } from '../../base/parse-yaml.ts'
import { printYaml } from '../../base/print-yaml.ts'
import { parseToml } from '../../base/toml.ts'
import type { Value } from '../../base/value.ts'
import { excessOf } from '../execution.ts'
import { checkExtent } from '../extent.ts'
import type { TemplateFunction } from '../function.ts'
import { spellingOf } from '../instance.ts'
import { trimSpace } from '../letters.ts'
import { printJson } from './print-json.ts'
import { printToml } from './print-toml.ts'

/** The functions that read and write formats. An empty text is an empty map, as in consul-template. */
export const encodingFunctions: readonly TemplateFunction<unknown>[] = [
  parsing('parseJSON', parseJson),
  parsing('parseYAML', parseYaml),
  parsing('parseTOML', parseToml),
  printing('toJSON', value => printJson(value, { isPretty: false, escapesHtml: true })),
  printing('toJSONPretty', value => printJson(value, { isPretty: true, escapesHtml: true })),
  printing('toUnescapedJSON', value => printJson(value, { isPretty: false, escapesHtml: false })),
  printing('toUnescapedJSONPretty', value => printJson(value, { isPretty: true, escapesHtml: false })),
  printing('toYAML', value => trimSpace(printYaml(value, spellingOf))),
  printing('toTOML', value => trimSpace(printToml(value))),
]

function parsing(name: string, parse: (text: string) => Value): TemplateFunction<unknown> {
  return {
    name,
    signature: `${name} TEXT`,
    parameters: ['string'],
    call: (_, [text]) => (text === '' ? new Map() : parse(text as string)),
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
