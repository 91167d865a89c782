/** An address of the Internet with the network that it is in. Both versions are numbers here, of 32 and of 128 bits. */
export class IpAddress {
  readonly version: 4 | 6
  readonly address: bigint
  /** How many bits name the network. */
  readonly prefixLength: number

  constructor(version: 4 | 6, address: bigint, prefixLength = version === 4 ? 32 : 128) {
    this.version = version
    this.address = BigInt.asUintN(version === 4 ? 32 : 128, address)
    this.prefixLength = prefixLength
  }

  get bits(): 32 | 128 {
    return this.version === 4 ? 32 : 128
  }

  get mask(): bigint {
    return maskOf(this.bits, this.prefixLength)
  }

  get network(): bigint {
    return this.address & this.mask
  }

  /** The last one in the network. */
  get last(): bigint {
    return this.network | BigInt.asUintN(this.bits, ~this.mask)
  }

  contains(other: IpAddress): boolean {
    return this.version === other.version && this.network <= other.network && this.last >= other.last
  }

  /** With the length of the prefix, but of a whole address. */
  toString(): string {
    const text = textOf(this.version, this.address)
    return this.prefixLength === this.bits ? text : `${text}/${this.prefixLength}`
  }
}

export function maskOf(bits: 32 | 128, prefixLength: number): bigint {
  return BigInt.asUintN(bits, -1n << BigInt(bits - prefixLength))
}

/** `10.1.2.3`, `10.0.0.0/8`, `fd00::1`, `fd00::/8`; undefined when it is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const [, address = '', prefix] = /^([0-9a-fA-F:.]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? []
  const version = address.includes(':') ? 6 : 4
  const value = version === 4 ? parse4(address) : parse6(address)
  const length = prefix === undefined ? undefined : Number(prefix)
  if (value === undefined || (length !== undefined && length > (version === 4 ? 32 : 128))) return undefined
  return new IpAddress(version, value, length)
}

function parse4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined
  }
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n)
}

function parse6(text: string): bigint | undefined {
  const last = text.slice(text.lastIndexOf(':') + 1)
  const tail = last.includes('.') ? parse4(last) : undefined
  if (last.includes('.') && tail === undefined) return undefined
  const whole =
    tail === undefined
      ? text
      : `${text.slice(0, -last.length)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`
  const halves = whole.split('::')
  const [head = [], rest = []] = halves.map(half => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - rest.length
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...rest]
  if (!groups.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** As Go writes it: the longest run of zeros short (RFC 5952), a mapped IPv4 address as one. */
export function textOf(version: 4 | 6, address: bigint): string {
  if (version === 4) return octetsOf(4, address).join('.')
  if (address >> 32n === 0xffffn) return octetsOf(4, address & 0xffffffffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn))
  const { start, length } = longestZeros(groups)
  const hex = groups.map(group => group.toString(16))
  if (length < 2) return hex.join(':')
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let i = 0, length = 0; i < groups.length; i++) {
    length = groups[i] === 0 ? length + 1 : 0
    if (length > best.length) best = { start: i - length + 1, length }
  }
  return best
}

export function octetsOf(version: 4 | 6, address: bigint): readonly number[] {
  const count = version === 4 ? 4 : 16
  return Array.from({ length: count }, (_, i) => Number((address >> BigInt(8 * (count - 1 - i))) & 0xffn))
}
