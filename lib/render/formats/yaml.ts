import { printYaml } from '../../base/print-yaml.ts'
import { checkText } from './refusal.ts'
import { eachPlace, isMap, type Plain } from './plain.ts'

/** A value as YAML. Bytes that are no text are `!!binary`; only keys must be text. */
export function encodeYaml(value: Plain): string {
  eachPlace(value, (place, item) => {
    if (isMap(item))
      for (const key of item.keys()) checkText(place === '' ? key : `${place}.${key}`, key, 'a key of YAML')
  })
  return `${printYaml(value, undefined, isReadDifferently)}\n`
}

/** YAML 1.1 and 1.2 differ on what breaks a line, and some readers know a special value. Go writes such texts without quotes. */
function isReadDifferently(text: string): boolean {
  return text === '=' || /[\r\u0085\u2028\u2029]/.test(text)
}
