import { readdirSync, readFileSync } from 'node:fs'
import { expect, describe, test } from 'vitest'
import { fromBytes, toBytes } from '../../lib/base/text.ts'
import { Float, int, Uint, type Value } from '../../lib/base/value.ts'
import { standardFunctions, type Environment } from '../../lib/template/functions/standard.ts'
import type { NetworkAddress } from '../../lib/template/functions/sockaddr/sockaddr.ts'
import { parseTemplate, TemplateError } from '../../lib/template/template.ts'
import { healthService, keyPair } from './function-parity/structs.ts'

const FOLDER = new URL('./function-parity/', import.meta.url)
const ROWS = new URL('rows/', FOLDER)
const SHOWN_MAX = 20
/** Passwords and keys take long to derive and to make: that is what they are for. */
const TIMEOUT_MS = 300_000
const KINDS = ['output', 'parseError', 'execError'] as const
/** Fewer would mean that rows were lost, and that the comparison proves little. */
const ROWS_MIN = 10_000
const ROWS_PER_FUNCTION_MIN = 4
/** It is the same function under another name. */
const ROWS_PER_PREFIXED_MIN = 2
/** Names without a row that is an error; `tuple` has one. */
const NEVER_FAIL: readonly string[] = ['sprig_tuple']
/** When every template is executed; the recording program says the same. */
const NOW = Date.UTC(2024, 1, 29, 13, 7, 9, 123)
/** Functions whose messages are our own, see `DIFFERENCES.md`. */
const OWN_WORDS = /^(.*error calling (?:parseJSON|parseYAML|mustFromJson|sprig_mustFromJson): ).*$/s

/** A row of `function-parity/README.md`. */
interface Row extends Result {
  readonly row: string
  readonly uses: readonly string[]
  readonly text: Text
  readonly data: unknown
  readonly env?: readonly string[]
  /** What is expected instead, on purpose; the reason is a heading of `DIFFERENCES.md`. */
  readonly differs?: Result & { readonly reason: string }
}

/** One of the three. */
interface Result {
  readonly output?: Text
  readonly parseError?: Text
  readonly execError?: Text
}

type Text = string | { readonly $bytes: string }

interface Names {
  readonly consul: readonly string[]
  readonly sprig: readonly string[]
  readonly clashes: readonly string[]
}

/** The addresses of the machine that they were recorded on. */
const interfaces = JSON.parse(readFileSync(new URL('interfaces.json', FOLDER), 'utf8')) as readonly NetworkAddress[]
const names = JSON.parse(readFileSync(new URL('names.json', FOLDER), 'utf8')) as Names
const covered = new Set(JSON.parse(readFileSync(new URL('covered.json', FOLDER), 'utf8')) as readonly string[])
const files = readdirSync(ROWS)
  .filter(name => name.endsWith('.jsonl'))
  .toSorted()
const rowsOf = new Map(files.map(name => [name, readRows(name)]))
const rows = [...rowsOf.values()].flat()

describe('a function behaves as in consul-template and sprig', () => {
  test.each(files)(
    'in every row of %s',
    name => {
      const ours = (rowsOf.get(name) ?? []).filter(({ uses }) => uses.every(each => covered.has(each)))

      const differences = ours.map(differenceOf).filter(difference => difference !== undefined)

      expect(differences.slice(0, SHOWN_MAX).join('\n'), `${differences.length} of ${ours.length} rows differ`).toBe('')
    },
    TIMEOUT_MS,
  )

  test('in rows enough to mean something, each with its own name and one result', () => {
    expect(rows.length).toBeGreaterThan(ROWS_MIN)
    expect(new Set(rows.map(({ row }) => row)).size).toBe(rows.length)
    expect(rows.filter(row => KINDS.filter(kind => kind in row).length !== 1)).toEqual([])
  })

  test('in some rows for every function under each of its names, one of them an error', () => {
    const all = namesOf(names)
    const rowsWith = Map.groupBy(
      rows.flatMap(row => row.uses.map(name => ({ name, row }))),
      ({ name }) => name,
    )
    const isError = ({ row }: { readonly row: Row }) => row.output === undefined
    const scarce = all.filter(name => {
      const wanted = name.startsWith('sprig_') ? ROWS_PER_PREFIXED_MIN : ROWS_PER_FUNCTION_MIN
      return (rowsWith.get(name)?.length ?? 0) < wanted
    })
    const harmless = all.filter(name => rowsWith.get(name)?.some(isError) !== true)

    expect(scarce).toEqual([])
    // These take whatever they are given.
    expect(harmless).toEqual(NEVER_FAIL)
  })

  test('but in the rows whose reason is given', () => {
    const different = rows.flatMap(row => (row.differs === undefined ? [] : [{ row, ...row.differs }]))
    const reasons = readFileSync(new URL('DIFFERENCES.md', FOLDER), 'utf8').matchAll(/^## (?!words)(\w+)/gm)

    expect(different.filter(({ row, ...ours }) => isSame(row, ours))).toEqual([])
    expect(new Set(different.map(({ reason }) => reason))).toEqual(new Set([...reasons].map(([, reason]) => reason)))
  })

  test('and none is left out', () => {
    const all = [...names.consul, ...names.sprig, ...names.sprig.map(name => `sprig_${name}`)]

    expect(all.filter(name => !covered.has(name) && name !== 'slice')).toEqual([])
  })
})

function namesOf({ consul, sprig, clashes }: Names): readonly string[] {
  const free = sprig.filter(name => !clashes.includes(name))
  return [...consul, ...free, ...sprig.map(name => `sprig_${name}`)]
}

function readRows(name: string): readonly Row[] {
  const lines = readFileSync(new URL(name, ROWS), 'utf8').split('\n')
  let data: unknown = null
  return lines
    .filter(line => line !== '')
    .map(line => {
      const row = JSON.parse(line) as Row
      if ('data' in row) data = row.data
      return { ...row, data }
    })
}

/** What to tell of a row that came out otherwise, or undefined. */
function differenceOf(row: Row): string | undefined {
  const want = row.differs ?? row
  const got = run(row)
  if (isSame(inTheirWords(got), inTheirWords(want))) return undefined
  return [
    row.row,
    `  text ${JSON.stringify(row.text)}`,
    `  want ${JSON.stringify({ output: want.output, parseError: want.parseError, execError: want.execError })}`,
    `  got  ${JSON.stringify(got)}`,
  ].join('\n')
}

function isSame(a: Result, b: Result): boolean {
  return KINDS.every(kind => {
    const [one, other] = [a[kind], b[kind]]
    if (one === undefined || other === undefined) return one === other
    // Bytes are compared and not strings: an escaped byte and another lone surrogate must not pass for one another.
    return Buffer.compare(toBytes(textOf(one)), toBytes(textOf(other))) === 0
  })
}

/** Without the words that are our own. */
function inTheirWords({ execError, ...result }: Result): Result {
  return execError === undefined ? result : { execError: textOf(execError).replace(OWN_WORDS, '$1') }
}

function run(row: Row): Result {
  let kind: (typeof KINDS)[number] = 'parseError'
  try {
    const template = parseTemplate({
      name: 't',
      text: textOf(row.text),
      functions: standardFunctions<Environment>(),
      missingKey: 'zero',
      showValues: true,
    })
    kind = 'execError'
    return { output: template.execute(valueOf(row.data), contextOf(row)) }
  } catch (error) {
    if (error instanceof TemplateError) return { [kind]: error.message }
    return { [kind]: `not a TemplateError: ${error instanceof Error ? error.stack : String(error)}` }
  }
}

function contextOf({ env = [] }: Row): Environment {
  // Of two variables of one name, the first counts.
  const environment = Object.fromEntries(
    env.toReversed().map(each => [each.slice(0, each.indexOf('=')), each.replace(/^.*?=/, '')]),
  )
  return { environment, now: () => NOW, networkAddresses: () => interfaces }
}

function textOf(text: Text): string {
  return typeof text === 'string' ? text : fromBytes(Buffer.from(text.$bytes, 'base64'))
}

/** A value from its typed JSON. */
function valueOf(data: unknown): Value {
  if (Array.isArray(data)) return data.map(valueOf)
  if (typeof data !== 'object' || data === null) return data as Value
  const entries = Object.entries(data)
  const [tag = '', content] = entries[0] ?? []
  if (entries.length === 1 && tag.startsWith('$') && tag !== '$') return taggedValue(tag, content)
  return new Map(entries.map(([key, value]) => [key, valueOf(value)]))
}

function taggedValue(tag: string, content: unknown): Value {
  switch (tag) {
    case '$float':
      return new Float(floatOf(content as string))
    case '$uint':
      return new Uint(BigInt(content as string))
    case '$int':
      return int(BigInt(content as string))
    case '$bytes':
      return textOf({ $bytes: content as string })
    case '$keypairs':
      return (content as readonly (readonly [string, string, string])[]).map(words => keyPair(...words))
    case '$services':
      return (content as readonly Record<string, unknown>[]).map(given => healthService(given, valueOf))
    default:
      throw new Error(`no such tag: ${tag}`)
  }
}

function floatOf(text: string): number {
  if (text === '+Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
