import { expect, test } from 'vitest'
import { marked, problemsOf } from './load.ts'

/** A name, a configuration with a ▶ before each expected problem, and for each of them its path, words of its message, and words
 *  of its hint. */
export type Row = readonly [string, string, ...(readonly [path: string, message: RegExp, hint?: RegExp])[]]

export const files = 'files: [{ path: a, content: x }]'
/** The least that a bundle can be. */
export const inVolume = `volume: /run/config, ${files}`

/** A configuration whose only bundle has these entries, in the flow style. */
export function bundle(entries: string): string {
  return `bundles: { web: { ${entries} } }\n`
}

export function withFiles(entries: string): string {
  return bundle(`volume: /run/config, files: [${entries}]`)
}

export function withHooks(entries: string): string {
  return bundle(`${inVolume}, hooks: [${entries}]`)
}

export function withProvider(entries: string): string {
  return `providers: { p: ${entries} }\n${bundle(inVolume)}`
}

/** One test for each row. */
export function table(subject: string, rows: readonly Row[]): void {
  for (const row of rows) test(`${subject}: ${row[0]}`, () => check(row))
}

async function check([, input, ...expected]: Row): Promise<void> {
  const { text, places } = marked(input)
  const problems = await problemsOf(text, { environment: { PORT: '80', EMPTY: '' } })

  expect(problems.map(({ line, column, path }) => [line, column, path])).toEqual(
    places.map((place, i) => [...place, expected[i]?.[0]]),
  )
  expect(problems).toHaveLength(expected.length)
  for (const [i, [, message, hint = /^/]] of expected.entries()) {
    expect(problems[i]?.message).toMatch(message)
    expect(problems[i]?.hint ?? '').toMatch(hint)
  }
}
