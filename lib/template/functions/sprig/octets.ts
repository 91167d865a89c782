import { fromBytes, toBytes } from '../../../base/text.ts'
import { isAscii } from '../../letters.ts'

/** A text as its bytes, each a character of its own: Go's strings are bytes, and sprig cuts them where it likes. */
export function octetsOf(text: string): string {
  return isAscii(text) ? text : Buffer.from(toBytes(text)).toString('latin1')
}

/** The text that such bytes are. */
export function fromOctets(octets: string): string {
  return isAscii(octets) ? octets : fromBytes(Buffer.from(octets, 'latin1'))
}

/** The bytes from `start` up to but not including `end`. Throws Go's error where these are not in it. */
export function sliceOctets(text: string, start: number | bigint, end: number | bigint | undefined): string {
  const octets = octetsOf(text)
  const { length } = octets
  const last = end ?? length
  if (end !== undefined && (end < 0 || end > length)) {
    const range = start === 0 || end > length ? `:${end}` : `${start}:${end}`
    throw new Error(`runtime error: slice bounds out of range [${range}]${end < 0 ? '' : ` with length ${length}`}`)
  }
  if (start > last) throw new Error(`runtime error: slice bounds out of range [${start}:${end ?? length}]`)
  return fromOctets(octets.slice(Number(start), Number(last)))
}
