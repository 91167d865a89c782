import { int, type Value } from '../../../base/value.ts'
import { Instance } from '../../instance.ts'
import { quote } from '../../quote.ts'
import { octetsOf, textOf, type IpAddress } from './ip-address.ts'

/** An address of an interface, as templates see it. */
export class InterfaceAddress extends Instance {
  readonly interfaceName: string
  readonly ip: IpAddress
  /** As Go spells them: `up|broadcast|multicast`. */
  readonly flags: string
  readonly isDefault: boolean

  constructor(interfaceName: string, ip: IpAddress, flags: string, isDefault: boolean) {
    const fields = new Map<string, Value>([
      ['Name', interfaceName],
      ['Flags', flags],
    ])
    super('sockaddr.IfAddr', {}, { fields, text: () => `${ip} ${interfaceName}` })
    this.interfaceName = interfaceName
    this.ip = ip
    this.flags = flags
    this.isDefault = isDefault
  }

  /** The same interface with another address. */
  with(ip: IpAddress): InterfaceAddress {
    return new InterfaceAddress(this.interfaceName, ip, this.flags, this.isDefault)
  }

  /** Throws an Error when there is no attribute of that name. */
  attribute(name: string): string {
    const lower = name.toLowerCase()
    const value = lower === 'name' ? this.interfaceName : lower === 'flags' ? this.flags : ATTRIBUTES[lower]?.(this.ip)
    if (value === undefined || value === '') throw new Error(`unsupported attribute name ${quote(lower)}`)
    return value
  }
}

const ATTRIBUTES: Readonly<Record<string, (ip: IpAddress) => string | undefined>> = {
  address: ip => hostText(ip, ip.address),
  host: ip => hostText(ip, ip.address),
  binary: ip => ip.address.toString(2).padStart(ip.bits, '0'),
  hex: ip => ip.address.toString(16).padStart(ip.bits / 4, '0'),
  // In IPv4, the first and last address of a network are not for hosts, unless it has no others.
  first_usable: ip => hostText(ip, ip.network + (ip.version === 4 && ip.prefixLength < 31 ? 1n : 0n)),
  last_usable: ip => hostText(ip, ip.last - (ip.version === 4 && ip.prefixLength < 31 ? 1n : 0n)),
  mask_bits: ip => String(ip.prefixLength),
  netmask: ip => hostText(ip, ip.mask),
  network: ip => hostText(ip, ip.network),
  octets: ip => octetsOf(ip.version, ip.address).join(' '),
  port: () => '0',
  broadcast: ip => (ip.version === 4 ? hostText(ip, ip.last) : undefined),
  size: ip => String(1n << BigInt(ip.bits - ip.prefixLength)),
  uint32: ip => (ip.version === 4 ? String(int(ip.address)) : undefined),
  uint128: ip => (ip.version === 6 ? String(ip.address) : undefined),
  string: ip => ip.toString(),
  type: ip => `IPv${ip.version}`,
}

function hostText(ip: IpAddress, address: bigint): string {
  return textOf(ip.version, address)
}
