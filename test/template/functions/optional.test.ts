import { expect, test } from 'vitest'
import { toValue } from '../../../lib/base/value.ts'
import { parseTemplate } from '../../../lib/template/template.ts'
import { functions, nowhere } from './run.ts'

const dot = toValue({ set: 'a', deep: { set: 'b' } })

/** Ways to ask for a key that may be absent; the page of functions lists them. */
test.each([
  ['{{index . "none" | default "x"}}', 'error', 'x'],
  ['{{get . "none" | default "x"}}', 'error', 'x'],
  ['{{dig "deep" "none" "x" .}}', 'error', 'x'],
  ['{{if hasKey . "none"}}{{.none}}{{else}}x{{end}}', 'error', 'x'],
  ['{{with index . "none"}}{{.}}{{else}}x{{end}}', 'error', 'x'],
  ['{{.none | default "x"}}', 'default', 'x'],
] as const)('%s, with missingKey: %s, gives %s where there is no such key', (text, missingKey, output) => {
  expect(parseTemplate({ name: 't', text, functions, missingKey }).execute(dot, nowhere)).toBe(output)
})
