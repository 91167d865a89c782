import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { exampleDot, exampleWorld } from '../../../lib/template/functions/documentation/example.ts'
import { documentationPage, refusals, sections } from '../../../lib/template/functions/documentation/page.ts'
import { standardFunctions, type Environment } from '../../../lib/template/functions/standard.ts'
import { parseTemplate } from '../../../lib/template/template.ts'

const functions = standardFunctions<Environment>()
const documented = sections.flatMap(section => section.functions)

describe('the page about functions', () => {
  test.each(documented.map(({ names, template, output }) => [names[0], template, output]))(
    'has an example for %s that gives what it says: %s',
    (name, text, output) => {
      expect(text).toMatch(new RegExp(`\\b${name}\\b`))
      expect(parseTemplate({ name: 't', text, functions }).execute(exampleDot, exampleWorld)).toBe(output)
    },
  )

  test('has every function once, and no other', () => {
    const names = [...documented.flatMap(each => each.names), ...refusals(functions).keys()]
    const expected = [...functions.values()]
      // Under its other name, a function of sprig needs mention only where that one is another's.
      .filter(
        each => !each.name.startsWith('sprig_') || functions.get(each.name.slice('sprig_'.length))?.call !== each.call,
      )
      .map(({ name }) => name)

    expect(names.toSorted()).toEqual(expected.filter(name => name !== 'sprig_env').toSorted())
  })

  test('calls names the same only where they are', () => {
    const text = (name: string) => functions.get(name)?.signature.replace(/^\w+/, '')

    for (const { names } of documented) expect(new Set(names.map(text)).size).toBe(1)
  })

  test('is current', () => {
    const page = readFileSync(new URL('../../../lib/template/functions/README.md', import.meta.url), 'utf8')

    expect(page === documentationPage(), 'run: node cmd/build/functions.ts').toBe(true)
  })
})
