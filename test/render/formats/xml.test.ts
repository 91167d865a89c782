import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import { javaReader, pythonReader } from './readers.ts'
import { encoded, encodedOrRefused, expectSurvival, namedMaps, refused } from './values.ts'

const elements = { name: 'xml', dialect: 'elements', root: 'configuration' } as const
const java = { name: 'xml', dialect: 'java', root: 'configuration' } as const
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

describe('elements', () => {
  test.each<[string, unknown, string]>([
    ['a key', { user: 'app' }, '  <user>app</user>\n'],
    ['nothing', { a: '', b: null }, '  <a></a>\n  <b></b>\n'],
    ['what XML knows', { a: `<b>&amp;"'` }, `  <a>&#60;b&#62;&#38;amp;"'</a>\n`],
    ['line breaks', { a: 'b\r\nc' }, '  <a>b&#13;\nc</a>\n'],
    ['what is no text', { a: 9007199254740993n, b: false }, '  <a>9007199254740993</a>\n  <b>false</b>\n'],
    ['a map', { a: { b: { c: 1 } } }, '  <a>\n    <b>\n      <c>1</c>\n    </b>\n  </a>\n'],
    ['a list', { a: [1, { b: 2 }], c: [] }, '  <a>1</a>\n  <a>\n    <b>2</b>\n  </a>\n'],
  ])('hold %s', (_what, input, inside) => {
    expect(encoded(input, elements)).toBe(`${HEAD}<configuration>\n${inside}</configuration>\n`)
  })

  test('have the root that is asked for', () => {
    expect(encoded({}, { ...elements, root: 'app' })).toBe(`${HEAD}<app>\n</app>\n`)
  })

  test.each<[string, unknown, RegExp, RegExp]>([
    ['a key that is no name', { 'a b': 1 }, /"a b" is no name of an element/, /except/],
    ['a name that XML keeps', { XmlA: 1 }, /"XmlA" is no name/, /except/],
    ['a list in a list', { a: [[1]] }, /the value of "a\[0\]" is a list in a list/, /json/],
    ['a control character', { a: { b: 'sentinel\u0001' } }, /the value of "a\.b" has a control character/, /raw/],
    ['a NUL', { a: '\0' }, /control character/, /raw/],
    ['bytes that are no text', { a: fromBytes(Buffer.from([0xff])) }, /or a byte/, /raw/],
    ['a list', [1], /want a map of keys for XML, got a list/, /#FIELD/],
  ])('refuse %s', (_what, input, message, hint) => {
    const refusal = refused(input, elements)
    expect(refusal.message).toMatch(message)
    expect(refusal.message).not.toContain('sentinel')
    expect(refusal.hint).toMatch(hint)
  })

  test('of any map are read by Python as it was, or refused', async context => {
    const read = await pythonReader('xml', context)
    // An element without others is its text.
    const inside = (map: ReadonlyMap<string, string>) => {
      return map.size === 0 ? '\n' : Object.fromEntries([...map].map(([key, text]) => [key, [text]]))
    }
    await expectSurvival(read, elements, { as: map => ({ configuration: inside(map) }) })
  }, 60_000)

  test('are refused only for characters that XML has not, and names', () => {
    fc.assert(
      fc.property(namedMaps, map => {
        const isUnfit = [...map].some(
          ([key, text]) => /(?![\t\n\r\u007f-\u009f])\p{Cc}|[\ufffe\uffff]/u.test(text) || /^xml/i.test(key),
        )
        expect(encodedOrRefused(map, elements) === undefined).toBe(isUnfit)
      }),
    )
  })
})

describe("Java's properties as XML", () => {
  test('are entries by key, structures as in a properties file', () => {
    expect(encoded({ 'a"\n': 'b', c: { d: ['<', '\r\n'] } }, java)).toBe(
      `${HEAD}<!DOCTYPE properties SYSTEM "http://java.sun.com/dtd/properties.dtd">
<properties>
<entry key="a&#34;&#10;">b</entry>
<entry key="c.d[0]">&#60;</entry>
<entry key="c.d[1]">&#13;
</entry>
</properties>
`,
    )
  })

  test('have no characters that the parser of the JDK does not know', () => {
    expect(refused({ a: '😀' }, java)).toMatchObject({
      message: 'the value of "a" has a character beyond U+FFFF, which Java cannot load from XML',
      hint: expect.stringContaining('format: properties') as string,
    })
  })

  test('of any map are loaded as it was, or refused', async context => {
    await expectSurvival(javaReader('xml', context), java)
  }, 60_000)
})
