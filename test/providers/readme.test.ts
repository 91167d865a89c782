import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { plugins } from '../../providers/index.ts'

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

const readme = read('../../providers/README.md')

test('the check list of the README is the conformance suite, in its order', () => {
  const [, list = ''] = /^## The check list\n(.*?)^## /ms.exec(readme) ?? []
  const lines = [...list.matchAll(/^\| (.+?) \|/gm)].map(([, name]) => name).slice(2)
  const tests = [...read('conformance.ts').matchAll(/^ {2}test(?:\.runIf\(\w+\))?\(\s*'(.+?)'/gm)].map(
    ([, name]) => name,
  )
  expect(lines).toEqual(tests)
})

test('the README has each built-in type and each code of a ProviderError', () => {
  for (const type of plugins.keys()) expect(readme).toContain(`### \`${type}\``)
  const [, union = ''] = /type ProviderErrorCode =(.*?)\n\n/s.exec(read('../../lib/errors.ts')) ?? []
  const codes = [...union.matchAll(/'(.+?)'/g)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(5)
  for (const code of codes) expect(readme).toContain(`| \`${code}\` |`)
})
