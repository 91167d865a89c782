import { createHash } from 'node:crypto'
import { fromBytes, toBytes } from '../../../base/text.ts'
import type { TemplateFunction } from '../../function.ts'
import { base64, decodeBase64 } from '../base64.ts'
import { decodeBase32, encodeBase32 } from './base32.ts'
import { define } from './define.ts'

/** The functions that encode texts, and hash them. Bytes that are no text survive. */
export const encodingFunctions: readonly TemplateFunction<unknown>[] = [
  define('b64enc TEXT', ['string'], text => Buffer.from(toBytes(text)).toString('base64')),
  define('b64dec TEXT', ['string'], text => decoded(decodeBase64(text, base64), 'base64')),
  define('b32enc TEXT', ['string'], text => encodeBase32(toBytes(text))),
  define('b32dec TEXT', ['string'], text => decoded(decodeBase32(text), 'base32')),
  define('sha1sum TEXT', ['string'], text => hash('sha1', text)),
  define('sha256sum TEXT', ['string'], text => hash('sha256', text)),
  define('sha512sum TEXT', ['string'], text => hash('sha512', text)),
  define('adler32sum TEXT', ['string'], text => String(adler32(toBytes(text)))),
]

/** Sprig gives the complaint as the result. */
function decoded(bytes: Uint8Array | number, name: string): string {
  return typeof bytes === 'number' ? `illegal ${name} data at input byte ${bytes}` : fromBytes(bytes)
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(toBytes(text)).digest('hex')
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % ADLER_PRIME
    b = (b + a) % ADLER_PRIME
  }
  return b * 0x10000 + a
}

const ADLER_PRIME = 65_521
