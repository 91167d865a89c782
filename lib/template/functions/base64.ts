import { toBytes } from '../../base/text.ts'

/** What may stand in base64. */
export const base64 = /[A-Za-z0-9+/]/
export const base64Url = /[A-Za-z0-9_-]/

const WHOLE = /^[A-Za-z0-9+/]*={0,2}$/
const WHOLE_URL = /^[A-Za-z0-9_-]*={0,2}$/

/** The bytes that a padded base64 text means, or where it is none: the offset in bytes that Go names. Line breaks do not count. */
export function decodeBase64(text: string, alphabet: RegExp): Uint8Array | number {
  const isWhole = text.length % 4 === 0 && (alphabet === base64 ? WHOLE : WHOLE_URL).test(text)
  const fault = isWhole ? undefined : faultOf(Buffer.from(toBytes(text)).toString('latin1'), alphabet)
  // Buffer takes both alphabets, and anything else in between.
  return fault ?? Buffer.from(text, 'base64')
}

/** The first offset where the text stops being base64. */
function faultOf(octets: string, alphabet: RegExp): number | undefined {
  let at = 0
  for (let inQuantum = 0; at < octets.length; at++) {
    const octet = octets.charAt(at)
    if (octet === '\n' || octet === '\r') continue
    if (alphabet.test(octet)) inQuantum = (inQuantum + 1) % 4
    else return octet === '=' ? faultOfPadding(octets, at, inQuantum) : at
  }
  // Go names the place where the last, incomplete group of four begins, as if no line break were in it.
  const count = octets.replaceAll(/[\r\n]/g, '').length % 4
  return count === 0 ? undefined : at - count
}

/** `at` is the first `=`. */
function faultOfPadding(octets: string, at: number, inQuantum: number): number | undefined {
  if (inQuantum < 2) return at
  let next = afterBreaks(octets, at + 1)
  if (inQuantum === 2) {
    if (next === octets.length) return octets.length
    if (octets.charAt(next) !== '=') return next - 1
    next = afterBreaks(octets, next + 1)
  }
  return next < octets.length ? next : undefined
}

function afterBreaks(octets: string, from: number): number {
  let at = from
  while (octets.charAt(at) === '\n' || octets.charAt(at) === '\r') at++
  return at
}
