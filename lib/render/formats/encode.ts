import { toBytes } from '../../base/text.ts'
import type { Value } from '../../base/value.ts'
import type { KeyOptions, OutputFormat } from '../../format.ts'
import { encodeDotenv } from './dotenv.ts'
import { encodeIni } from './ini.ts'
import { encodeJson } from './json.ts'
import { chooseKeys } from './keys.ts'
import { isList, isMap, plainOf, textOf, type Plain } from './plain.ts'
import { encodeProperties } from './properties.ts'
import { Refusal } from './refusal.ts'
import { encodeToml } from './toml.ts'
import { encodeXml } from './xml.ts'
import { encodeYaml } from './yaml.ts'

/** The bytes of a file that holds the chosen keys of a value. Throws a Refusal when the format cannot hold them as they are. */
export function encode(value: Value, format: OutputFormat, keys: KeyOptions): Uint8Array {
  return toBytes(textIn(format, chooseKeys(plainOf(value), keys)))
}

function textIn(format: OutputFormat, value: Plain): string {
  switch (format.name) {
    case 'dotenv':
      return encodeDotenv(value, format.dialect)
    case 'json':
      return encodeJson(value)
    case 'yaml':
      return encodeYaml(value)
    case 'toml':
      return encodeToml(value)
    case 'properties':
      return encodeProperties(value)
    case 'ini':
      return encodeIni(value, format)
    case 'xml':
      return encodeXml(value, format)
    case 'raw':
      return rawText(value)
  }
}

/** A text as it is, byte by byte: nothing is added, not even a line break. */
function rawText(value: Plain): string {
  if (!isMap(value) && !isList(value)) return textOf(value)
  const got = isMap(value) ? 'a map' : 'a list'
  throw new Refusal(
    `want a single value for raw, got ${got}`,
    'take one of its values with #FIELD, or use format: json',
  )
}
