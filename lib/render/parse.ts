import type { Value } from '../base/value.ts'
import { toValue } from '../base/value.ts'

export function parseByExtension(path: string, text: string): Value {
  return path === '' ? text : toValue(JSON.parse(text))
}
