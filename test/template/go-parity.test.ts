import { readdirSync, readFileSync } from 'node:fs'
import { expect, describe, test } from 'vitest'
import { fromBytes, toBytes } from '../../lib/base/text.ts'
import { Float, int, Struct, Uint, type Value } from '../../lib/base/value.ts'
import {
  parseTemplate,
  TemplateError,
  type FunctionTable,
  type ParameterKind,
  type TemplateFunction,
} from '../../lib/template/template.ts'

const ROWS = new URL('./go-parity/rows/', import.meta.url)
const SHOWN_MAX = 20
const KINDS = ['output', 'parseError', 'execError'] as const
/** More would mean that we are not Go's template language any more. */
const DIFFERENT_ROWS_MAX = 20
/** Fewer would mean that rows were lost, and that the comparison proves little. */
const ROWS_MIN = 3_000

/** A row of `go-parity/README.md`. */
interface Row extends Result {
  readonly row: string
  readonly name: string
  readonly text: Text
  readonly data: unknown
  readonly delims?: readonly [string, string]
  readonly missingkey?: 'default' | 'zero' | 'error'
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

const files = readdirSync(ROWS)
  .filter(name => name.endsWith('.jsonl'))
  .toSorted()
const rowsOf = new Map(files.map(name => [name, readRows(name)]))

describe('a template behaves as in Go', () => {
  test.each(files)('in every row of %s', name => {
    const rows = rowsOf.get(name) ?? []

    const differences = rows.map(differenceOf).filter(difference => difference !== undefined)

    expect(differences.slice(0, SHOWN_MAX).join('\n'), `${differences.length} of ${rows.length} rows differ`).toBe('')
  })

  test('in rows enough to mean something, each with its own name and one result', () => {
    const rows = [...rowsOf.values()].flat()

    expect(rows.length).toBeGreaterThan(ROWS_MIN)
    expect(new Set(rows.map(row => row.row)).size).toBe(rows.length)
    expect(rows.filter(row => KINDS.filter(kind => kind in row).length !== 1)).toEqual([])
    for (const kind of KINDS) expect(rows.filter(row => kind in row).length).toBeGreaterThan(ROWS_MIN / 10)
  })

  test('but in the few rows whose reason is given', () => {
    const different = [...rowsOf.values()]
      .flat()
      .flatMap(row => (row.differs === undefined ? [] : [{ row, ...row.differs }]))
    const reasons = readFileSync(new URL('../DIFFERENCES.md', ROWS), 'utf8').matchAll(/^## (\w+)/gm)

    expect(different.filter(({ row, ...ours }) => isSame(row, ours))).toEqual([])
    expect(new Set(different.map(({ reason }) => reason))).toEqual(new Set([...reasons].map(([, reason]) => reason)))
    expect(different.length).toBeLessThanOrEqual(DIFFERENT_ROWS_MAX)
  })
})

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
  if (isSame(got, want)) return undefined
  return [
    row.row,
    `  text ${JSON.stringify(row.text)}${row.missingkey === undefined ? '' : ` missingkey=${row.missingkey}`}`,
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

function run(row: Row): Result {
  let kind: (typeof KINDS)[number] = 'parseError'
  try {
    const template = parseTemplate({
      name: row.name,
      text: textOf(row.text),
      functions,
      delims: row.delims ?? ['{{', '}}'],
      missingKey: row.missingkey ?? 'default',
      showValues: true,
    })
    kind = 'execError'
    return { output: template.execute(valueOf(row.data), undefined) }
  } catch (error) {
    if (error instanceof TemplateError) return { [kind]: error.message }
    return { [kind]: `not a TemplateError: ${error instanceof Error ? error.stack : String(error)}` }
  }
}

/** As in `go-parity/record.go`. */
const functions: FunctionTable<undefined> = new Map(
  [
    declare('list', [], 'any', items => items),
    declare('echo', ['any'], undefined, ([item]) => item ?? null),
    declare('fail', ['string'], undefined, ([message]) => {
      throw new Error(message as string)
    }),
    declare('text', ['string'], undefined, ([text]) => text ?? null),
    declare('whole', ['int'], undefined, ([number]) => number ?? null),
    declare('real', ['float'], undefined, ([number]) => number ?? null),
    declare('truth', ['bool'], undefined, ([truth]) => truth ?? null),
    declare('items', ['list'], undefined, ([items]) => items ?? null),
    declare('entries', ['map'], undefined, ([entries]) => entries ?? null),
    declare('join', ['string'], 'string', ([separator, ...parts]) =>
      (parts as readonly string[]).join(separator as string),
    ),
    declare('wholes', [], 'int', numbers => numbers.length),
  ].map(declared => [declared.name, declared]),
)

function declare(
  name: string,
  parameters: readonly ParameterKind[],
  variadic: ParameterKind | undefined,
  call: (args: readonly Value[]) => Value,
): TemplateFunction<undefined> {
  const base = { name, signature: name, parameters, call: (_: undefined, args: readonly Value[]) => call(args) }
  return variadic === undefined ? base : { ...base, variadic }
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
  if (entries.length === 1 && tag.startsWith('$')) return taggedValue(tag, content)
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
    case '$struct': {
      const [name, fields] = content as [string, readonly (readonly [string, unknown])[]]
      return new Struct(`main.${name}`, new Map(fields.map(([field, value]) => [field, valueOf(value)])))
    }
    default:
      throw new Error(`no such tag: ${tag}`)
  }
}

function floatOf(text: string): number {
  if (text === '+Inf') return Infinity
  return text === '-Inf' ? -Infinity : Number(text)
}
