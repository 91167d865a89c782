import { assert, property, string } from 'fast-check'
import { crc32 as zlibCrc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { crc32 } from '../../lib/state/crc32.ts'

test('the CRC-32 of a text is that of zlib', () => {
  expect(crc32('123456789')).toBe(0xcbf43926)
  assert(property(string({ unit: 'grapheme' }), text => crc32(text) === zlibCrc32(text)))
})
