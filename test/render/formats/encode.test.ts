import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import { Struct, type Value } from '../../../lib/base/value.ts'
import { DIALECTS, FORMAT_NAMES, type OutputFormat } from '../../../lib/format.ts'
import { encode } from '../../../lib/render/formats/encode.ts'
import { ALL, encoded, encodedOrRefused, refused, valueOf } from './values.ts'

const raw = { name: 'raw' } as const

describe('raw', () => {
  test('is the text as it is, byte by byte', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(Buffer.from(encode(fromBytes(bytes), raw, ALL))).toEqual(Buffer.from(bytes))
  })

  test.each<[unknown, string]>([
    ['a\n', 'a\n'],
    ['', ''],
    [9007199254740993n, '9007199254740993'],
    [false, 'false'],
    [null, ''],
  ])('of %o is that', (input, text) => {
    expect(encoded(input, raw)).toBe(text)
  })

  test('has no form for structures', () => {
    expect(refused({ a: 1 }, raw)).toMatchObject({
      message: 'want a single value for raw, got a map',
      hint: 'take one of its values with #FIELD, or use format: json',
    })
    expect(refused([1], raw).message).toMatch(/got a list/)
  })
})

/** Every format with each of its dialects. */
const formats = FORMAT_NAMES.filter(name => name !== 'raw').flatMap((name): readonly OutputFormat[] => {
  const dialects = name in DIALECTS ? DIALECTS[name as keyof typeof DIALECTS] : [undefined]
  return dialects.map(dialect => ({ name, dialect, section: 's', root: 'r' }) as unknown as OutputFormat)
})

describe.each(formats)('$name $dialect', format => {
  test('does not depend on the order in which keys were read', () => {
    const one = encoded({ b: { d: '1', c: '2' }, a: '3' }, format)
    expect(encoded({ a: '3', b: { c: '2', d: '1' } }, format)).toBe(one)
  })

  test('takes the fields of a struct for keys', () => {
    const struct = new Struct('dependency.KeyPair', new Map([['Key', 'k']]))
    expect(encoded(struct, format)).toBe(encoded({ Key: 'k' }, format))
  })

  test('refuses what is too deep, and does not fail', () => {
    let deep: Value = 'a'
    for (let i = 0; i < 10_000; i++) deep = i % 2 === 0 ? [deep] : new Map([['a', deep]])
    expect(encodedOrRefused(new Map([['a', deep]]), format)).toBeUndefined()
  })

  test('shows no value in what it refuses, and what to do next', () => {
    const sentinel = '5entinel'
    const awkward = [
      '\0',
      '\r\n',
      `'"$\\`,
      ';#',
      ' x ',
      '\uffff',
      '\u{10000}',
      fromBytes(Buffer.from([0xff])),
      'x'.repeat(70_000),
    ]
    for (const text of awkward) {
      for (const input of [{ a: sentinel + text + sentinel }, { a: [{ 'b c': [sentinel + text, null] }] }]) {
        if (encodedOrRefused(valueOf(input), format) !== undefined) continue
        const { message, hint } = refused(input, format)
        expect(message).not.toContain(sentinel)
        expect(message).toMatch(/"a|"b c"/)
        expect(hint).toMatch(/except|format: |dialect: /)
      }
    }
  })
})

test('the page of formats names every format and dialect', () => {
  const page = readFileSync(new URL('../../../lib/render/formats/README.md', import.meta.url), 'utf8')
  const names = [...page.matchAll(/^\| `(\w+)`(?:, `(\w+)`)? \|/gm)].map(([, name, dialect]) => [name, dialect])
  const known = FORMAT_NAMES.flatMap(name => {
    const dialects = name in DIALECTS ? DIALECTS[name as keyof typeof DIALECTS] : [undefined]
    return dialects.map(dialect => [name, dialect])
  })
  expect(names).toEqual(known)
})
