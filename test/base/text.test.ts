import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteLength, fromBytes, toBytes } from '../../lib/base/text.ts'

/** Bytes in which parts of UTF-8 sequences, whole ones and rubbish meet often. */
const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        0x00,
        0x41,
        0x7f,
        0x80,
        0xbf,
        0xc0,
        0xc1,
        0xc2,
        0xdf,
        0xe0,
        0x9f,
        0xa0,
        0xed,
        0xef,
        0xf0,
        0x8f,
        0x90,
        0xf4,
        0xf5,
        0xff,
      ),
      fc.nat(255),
    ),
    { maxLength: 40 },
  )
  .map(list => Uint8Array.from(list))

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isUtf8(of: Uint8Array): boolean {
  try {
    strict.decode(of)
    return true
  } catch {
    return false
  }
}

test('any bytes come back as they were', () => {
  fc.assert(
    fc.property(bytes, input => {
      expect(Buffer.from(toBytes(fromBytes(input))).equals(input)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test('any well-formed text comes back as it was, and its bytes are UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(fromBytes(toBytes(text))).toBe(text)
      expect(Buffer.from(toBytes(text)).equals(Buffer.from(text, 'utf8'))).toBe(true)
    }),
  )
})

test('the string is well-formed exactly when the bytes are UTF-8, and is then what everybody decodes', () => {
  fc.assert(
    fc.property(bytes, input => {
      const text = fromBytes(input)
      expect(text.isWellFormed()).toBe(isUtf8(input))
      expect(text.isWellFormed() ? text : '').toBe(isUtf8(input) ? strict.decode(input) : '')
    }),
    { numRuns: 2_000 },
  )
})

test('byteLength() is the length of the bytes', () => {
  fc.assert(
    fc.property(bytes, input => {
      expect(byteLength(fromBytes(input))).toBe(input.length)
    }),
  )
})

describe('a byte that is no UTF-8', () => {
  test.for([
    ['a lone continuation', [0x80], '\udc80'],
    ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['a cut sequence', [0x61, 0xe2, 0x82], 'a\udce2\udc82'],
    ['a sequence that another begins in', [0xe2, 0xc3, 0xa9], '\udce2é'],
    ['a UTF-16 surrogate', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  ] as const)('%s becomes a lone surrogate each', ([, input, text]) => {
    expect(fromBytes(Uint8Array.from(input))).toBe(text)
  })
})

test('a byte order mark is content like any other', () => {
  expect([...toBytes(fromBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)))]).toEqual([0xef, 0xbb, 0xbf, 0x41])
})

test('a lone surrogate that stands for no byte becomes U+FFFD', () => {
  const replaced = [0xef, 0xbf, 0xbd]

  expect([...toBytes('\ud800')]).toEqual(replaced)
  expect([...toBytes('\udc7f')]).toEqual(replaced)
  expect([...toBytes('\ude00x\udcff')]).toEqual([...replaced, 0x78, 0xff])
  expect(byteLength('\ud800')).toBe(3)
})

test('much that is no UTF-8 comes back, too', () => {
  const input = Buffer.alloc(1024 * 1024, 'a\xff\xfe\x80', 'latin1')
  const text = fromBytes(input)

  expect(Buffer.compare(toBytes(text), input)).toBe(0)
  expect(byteLength(text)).toBe(input.length)
})
