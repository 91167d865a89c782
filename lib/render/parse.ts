import { parseJson } from '../base/json.ts'
import { parseYaml } from '../base/parse-yaml.ts'
import { parseToml } from '../base/toml.ts'
import type { Value } from '../base/value.ts'

const PARSERS: Readonly<Record<string, (text: string) => Value>> = {
  json: parseJson,
  yaml: parseYaml,
  yml: parseYaml,
  toml: parseToml,
}

/** The value in a text, by the extension of its path. Throws an Error for the template's author, which shows nothing of the text. */
export function parseByExtension(path: string, text: string): Value {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  const parse = Object.hasOwn(PARSERS, extension) ? PARSERS[extension] : undefined
  if (parse === undefined) {
    const known = Object.keys(PARSERS).map(name => `.${name}`)
    throw new Error(
      `cannot tell how to parse "${path}"; it ends in none of ${known.join(', ')}: use ref and a parse function, or publish it with format: raw`,
    )
  }
  return parse(text)
}
