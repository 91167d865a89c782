/** Bytes as strings and back, without loss. Go's strings are bytes; ours are UTF-16. A byte that is not part of valid UTF-8
 *  becomes a lone surrogate U+DC80…U+DCFF (as Python's `surrogateescape`, PEP 383), which no valid text contains, and
 *  `toBytes` turns it into that byte again. So one string type carries text and binary values alike. */

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ESCAPE_BASE = 0xdc00

/** The bytes as a string; any bytes are allowed. */
export function fromBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    return escapeInvalid(bytes)
  }
}

/** The bytes of a string: UTF-8, with escaped bytes as they were. Other lone surrogates become U+FFFD, as everywhere. */
export function toBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8')
  // As long as it gets if each of them becomes U+FFFD: in one piece, because what is binary has no two that belong together.
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(text, 'utf8'))
  let length = 0
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (isPair(text, i)) i++
    else if (isEscaped(unit)) {
      if (start < i) length += bytes.write(text.slice(start, i), length, 'utf8')
      bytes[length++] = unit - ESCAPE_BASE
      start = i + 1
    }
  }
  length += bytes.write(text.slice(start), length, 'utf8')
  return bytes.subarray(0, length)
}

/** How many bytes `toBytes` would give. */
export function byteLength(text: string): number {
  let length = Buffer.byteLength(text, 'utf8')
  if (text.isWellFormed()) return length
  for (let i = 0; i < text.length; i++) {
    if (isPair(text, i)) i++
    else if (isEscaped(text.charCodeAt(i))) length -= REPLACEMENT_BYTES - 1
  }
  return length
}

/** How many bytes U+FFFD has, which stands in UTF-8 for a lone surrogate. */
const REPLACEMENT_BYTES = 3

function isEscaped(unit: number): boolean {
  return unit >= ESCAPE_BASE + 0x80 && unit <= ESCAPE_BASE + 0xff
}

function isPair(text: string, i: number): boolean {
  const unit = text.charCodeAt(i)
  return unit >= 0xd800 && unit < ESCAPE_BASE && isLowSurrogate(text.charCodeAt(i + 1))
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

function escapeInvalid(bytes: Uint8Array): string {
  // In one piece, as in `toBytes`. No sequence has more units than bytes.
  const units = Buffer.allocUnsafe(2 * bytes.length)
  let end = 0
  for (let i = 0; i < bytes.length;) {
    const length = sequenceLength(bytes, i)
    if (length === 0) {
      end = units.writeUInt16LE(ESCAPE_BASE + (bytes[i] as number), end)
      i++
      continue
    }
    const point = codePointAt(bytes, i, length)
    if (point <= 0xffff) end = units.writeUInt16LE(point, end)
    else {
      end = units.writeUInt16LE(0xd7c0 + (point >> 10), end)
      end = units.writeUInt16LE(0xdc00 + (point & 0x3ff), end)
    }
    i += length
  }
  return units.toString('utf16le', 0, end)
}

/** What a well-formed sequence stands for. */
function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] as number
  if (length === 1) return first
  let point = first & (0xff >> (length + 1))
  for (let i = at + 1; i < at + length; i++) point = (point << 6) | ((bytes[i] as number) & 0x3f)
  return point
}

/** The length of the well-formed UTF-8 sequence at `at` (RFC 3629, Unicode table 3-7), or 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return 1
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0
  if (length === 0) return 0
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  const second = bytes[at + 1]
  if (second === undefined || second < low || second > high) return 0
  for (let i = 2; i < length; i++) {
    const next = bytes[at + i]
    if (next === undefined || next < 0x80 || next > 0xbf) return 0
  }
  return length
}
