import { octetsOf } from './octets.ts'

/** Base 32 (RFC 4648): letters of five bits each, in groups of eight. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const BITS = 5
const GROUP_LENGTH = 8

/** With padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let out = ''
  let held = 0
  let heldBits = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff
    heldBits += 8
    for (; heldBits >= BITS; heldBits -= BITS) out += ALPHABET.charAt((held >> (heldBits - BITS)) & 31)
  }
  if (heldBits > 0) out += ALPHABET.charAt((held << (BITS - heldBits)) & 31)
  return out.padEnd(Math.ceil(out.length / GROUP_LENGTH) * GROUP_LENGTH, '=')
}

/** The bytes that a padded text means, or where it is none: the offset that Go names. Line breaks do not count. */
export function decodeBase32(text: string): Uint8Array | number {
  const octets = octetsOf(text).replaceAll(/[\r\n]/g, '')
  const fault = faultOf(octets)
  if (fault !== undefined) return fault
  const [letters = ''] = octets.split('=')
  const bytes = new Uint8Array(Math.floor((letters.length * BITS) / 8))
  let held = 0
  let heldBits = 0
  let at = 0
  for (const letter of letters) {
    held = ((held << BITS) | ALPHABET.indexOf(letter)) & 0xffff
    heldBits += BITS
    if (heldBits >= 8) bytes[at++] = (held >> (heldBits -= 8)) & 0xff
  }
  return bytes
}

function faultOf(octets: string): number | undefined {
  for (let at = 0; at < octets.length; at++) {
    const letter = octets.charAt(at)
    if (ALPHABET.includes(letter)) continue
    const inGroup = at % GROUP_LENGTH
    const rest = octets.length - at - 1
    if (letter !== '=' || inGroup < 2 || rest >= GROUP_LENGTH) return at
    if (rest + inGroup < GROUP_LENGTH - 1) return octets.length
    // What comes after the last group is passed over.
    const other = octets.slice(at + 1, at + GROUP_LENGTH - inGroup).search(/[^=]/)
    if (other >= 0) return at + other
    // Three letters, or six, are no whole number of bytes.
    return inGroup === 3 || inGroup === 6 ? at : undefined
  }
  const missing = octets.length % GROUP_LENGTH
  return missing === 0 ? undefined : octets.length - missing
}
