/** DER (ITU-T X.690), as much as certificates need of it: how to write it, and how to find the way through it. */

const [INTEGER, BITS, OCTETS, OBJECT, UTF8, SEQUENCE, SET, UTC_TIME, TIME] = [2, 3, 4, 6, 12, 48, 49, 23, 24]

export function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([Uint8Array.of(tag), lengthBytes(length), ...contents])
}

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const bytes = bigEndian(BigInt(length))
  return Uint8Array.of(0x80 + bytes.length, ...bytes)
}

export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return tagged(SEQUENCE, ...contents)
}

export function setOf(content: Uint8Array): Buffer {
  return tagged(SET, content)
}

/** An integer of at least zero. */
export function integer(value: bigint): Buffer {
  const bytes = bigEndian(value)
  // A first bit that is set would make it negative.
  return tagged(INTEGER, (bytes[0] ?? 0) >= 0x80 ? Uint8Array.of(0, ...bytes) : bytes)
}

function bigEndian(value: bigint): Uint8Array {
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

/** `1.2.840.10045`. */
export function objectIdentifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return tagged(OBJECT, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): readonly number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

export function utf8(text: string): Buffer {
  return tagged(UTF8, Buffer.from(text, 'utf8'))
}

export function octets(content: Uint8Array): Buffer {
  return tagged(OCTETS, content)
}

/** Bits, of which the last `unused` in the last byte are none. */
export function bits(content: Uint8Array, unused = 0): Buffer {
  return tagged(BITS, Uint8Array.of(unused), content)
}

/** To the second; with two digits for the year for as long as there are enough of them. */
export function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  const year = date.getUTCFullYear()
  return year >= 1950 && year < 2050 ? tagged(UTC_TIME, Buffer.from(text.slice(2))) : tagged(TIME, Buffer.from(text))
}

/** One element of DER: its tag, its content, and all its bytes. */
export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** The elements that are in a content. Throws an Error where they do not fit in it. */
export function elementsIn(content: Uint8Array): readonly Element[] {
  const elements: Element[] = []
  for (let at = 0; at < content.length;) {
    const first = content[at + 1] ?? 0
    const count = first < 0x80 ? 0 : first - 0x80
    const start = at + 2 + count
    const length = count === 0 ? first : content.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0)
    const end = start + length
    if (end > content.length) throw new Error('asn1: syntax error: data truncated')
    elements.push({ tag: content[at] ?? 0, content: content.subarray(start, end), whole: content.subarray(at, end) })
    at = end
  }
  return elements
}

/** The integer in an element. */
export function integerIn({ content }: Element): bigint {
  return BigInt(`0x${Buffer.from(content).toString('hex')}`)
}
