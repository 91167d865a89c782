import { parseJson } from '../base/json.ts'
import { parseYaml } from '../base/parse-yaml.ts'
import { parseToml } from '../base/toml.ts'
import type { Value } from '../base/value.ts'
import { TomlTime } from './formats/plain.ts'

type Parsers = Readonly<Record<string, (text: string) => Value>>

const PARSERS: Parsers = {
  json: parseJson,
  yaml: parseYaml,
  yml: parseYaml,
  toml: text => parseToml(text),
}

/** The value in a text, by the extension of its path. Throws an Error for the template's author, which shows nothing of the text. */
export function parseByExtension(path: string, text: string): Value {
  return parseWith(PARSERS, path, text)
}

/** As `parseByExtension`, with dates and times for those who write TOML again. */
export function parseWithDates(path: string, text: string): Value {
  return parseWith({ ...PARSERS, toml: source => parseToml(source, each => new TomlTime(each)) }, path, text)
}

function parseWith(parsers: Parsers, path: string, text: string): Value {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  const parse = Object.hasOwn(parsers, extension) ? parsers[extension] : undefined
  if (parse === undefined) {
    const known = Object.keys(parsers).map(name => `.${name}`)
    throw new Error(
      `cannot tell how to parse "${path}"; it ends in none of ${known.join(', ')}: use ref and a parse function, or publish it with format: raw`,
    )
  }
  return parse(text)
}
