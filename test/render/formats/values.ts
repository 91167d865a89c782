import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Value } from '../../../lib/base/value.ts'
import type { KeyOptions, OutputFormat } from '../../../lib/format.ts'
import { encode } from '../../../lib/render/formats/encode.ts'
import { Refusal } from '../../../lib/render/formats/refusal.ts'

export const ALL: KeyOptions = { only: undefined, except: [], prefix: '', upper: false }

/** A JavaScript object as a value. */
export function valueOf(input: unknown): Value {
  if (Array.isArray(input)) return input.map(valueOf)
  if (typeof input !== 'object' || input === null || Object.getPrototypeOf(input) !== Object.prototype) {
    return input as Value
  }
  return new Map(Object.entries(input).map(([key, item]) => [key, valueOf(item)]))
}

/** The text of a file; bytes that are no UTF-8 are lost. */
export function encoded(input: unknown, format: OutputFormat): string {
  return Buffer.from(encode(valueOf(input), format, ALL)).toString()
}

/** The refusal that encoding ends in. */
export function refused(input: unknown, format: OutputFormat): Refusal {
  try {
    encoded(input, format)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('it was encoded')
}

/** The bytes, or undefined where a value is refused. */
export function encodedOrRefused(input: Value, format: OutputFormat): Uint8Array | undefined {
  try {
    return encode(input, format, ALL)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** What formats and their readers stumble over. */
const pieces = fc.oneof(
  fc.constantFrom(...Array.from(' \t\n\r\0\'"`$\\;#%=:&<>!{}[]()|*?~,.-_@/^+')),
  fc.constantFrom('\r\n', '\\n', '\\', '${A}', '$(b)', '%(a)s', '%%', ']]>', '<![CDATA[', '-->', '&amp;', '#{', ' #'),
  fc.constantFrom(
    '"""',
    "'''",
    '\u0001',
    '\u001b',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\u2028',
    '\ufeff',
    '\uffff',
    'é',
    '😀',
  ),
  fc.constantFrom('a', 'B', '0', '1e3', '0x1', 'null', 'true', 'yes', '~', '---', '...', 'export ', 'end', '\ud7ff'),
)

/** Any text: words, what is special, and both together. */
export const texts = fc.oneof(
  fc.array(pieces, { maxLength: 6 }).map(parts => parts.join('')),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).map(text => text.toWellFormed()),
  fc.constantFrom(
    's3cr3t',
    'postgres://user:pa%24s@db:5432/app?sslmode=off',
    'line one\nline two\n',
    'a'.repeat(200),
    'one two  three '.repeat(20),
  ),
)

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,7}$/)

/** Any map of texts, most keys of which are names. */
const maps = fc
  .array(fc.tuple(fc.oneof({ weight: 9, arbitrary: names }, { weight: 1, arbitrary: texts }), texts), { maxLength: 6 })
  .map(entries => new Map(entries))

/** Maps of texts whose keys are names. */
export const namedMaps = fc.array(fc.tuple(names, texts), { maxLength: 6 }).map(entries => new Map(entries))

/** A map as readers give it. */
function record(map: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries(map)
}

interface Survival {
  /** What the reader gives for a map. @default its entries */
  readonly as?: (map: ReadonlyMap<string, string>) => unknown
  /** @default 300 */
  readonly runs?: number
}

/** Of how many maps one must have been read for a test to say something. */
const READ_SHARE = 20

/** Any map is read as it was, or refused. */
export async function expectSurvival(
  read: (bytes: Uint8Array) => unknown,
  format: OutputFormat,
  { as = record, runs = 300 }: Survival = {},
): Promise<void> {
  let survivors = 0
  await fc.assert(
    fc.asyncProperty(maps, async map => {
      const bytes = encodedOrRefused(map, format)
      if (bytes === undefined) return
      expect(await read(bytes)).toEqual(as(map))
      survivors++
    }),
    { numRuns: runs },
  )
  expect(survivors).toBeGreaterThan(runs / READ_SHARE)
}
