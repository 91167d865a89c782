import { messageOf } from '../../../base/errors.ts'
import type { Executing } from '../../function.ts'
import { parseUint64 } from '../../strconv.ts'
import { compile } from '../regexp.ts'
import { blocksOf, isInRfc, NOT_FORWARDABLE } from './blocks.ts'
import type { InterfaceAddress } from './interface-address.ts'
import { parseIpAddress, type IpAddress } from './ip-address.ts'

/** Addresses that match and those that do not. One that is looked at several times may be several times in either. */
export interface Selection {
  readonly matched: readonly InterfaceAddress[]
  readonly others: readonly InterfaceAddress[]
}

type Addresses = readonly InterfaceAddress[]

/** Divides addresses by what they are. Throws an Error when the criterion is none. */
export function select(
  selector: string,
  wanted: string,
  addresses: Addresses,
  execution: Executing,
): Selection | undefined {
  switch (selector.toLowerCase()) {
    case 'address':
      return byExpression('address', wanted, addresses, ({ ip }) => ip.toString(), execution)
    case 'name':
      return byName(wanted, addresses, execution)
    case 'port':
      return byExpression('port', wanted, addresses, () => '0', execution)
    case 'flag':
    case 'flags':
      return byFlag(wanted, addresses, execution)
    case 'network':
      return byNetwork(wanted, addresses, execution)
    case 'rfc':
    case 'rfcs':
      return byRfcs(wanted, addresses, execution)
    case 'size':
      return bySize(wanted, addresses, execution)
    case 'type':
      return byType(wanted, addresses, execution)
    default:
      return undefined
  }
}

function divide(addresses: Addresses, isMatch: (address: InterfaceAddress) => boolean): Selection {
  return { matched: addresses.filter(isMatch), others: addresses.filter(address => !isMatch(address)) }
}

export function byName(wanted: string, addresses: Addresses, execution: Executing): Selection {
  return byExpression('name', wanted, addresses, ({ interfaceName }) => interfaceName, execution)
}

function byExpression(
  what: string,
  wanted: string,
  addresses: Addresses,
  textOf: (address: InterfaceAddress) => string,
  execution: Executing,
): Selection {
  let expression
  try {
    expression = compile(wanted, execution)
  } catch (error) {
    throw new Error(`Unable to compile ${what} regexp ${execution.quoted(wanted, 'q')}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return divide(addresses, address => expression.test(textOf(address)))
}

/** What an interface is, by Go's name for the flag. */
const FLAGS: Readonly<Record<string, string>> = {
  broadcast: 'broadcast',
  loopback: 'loopback',
  multicast: 'multicast',
  'point-to-point': 'pointtopoint',
  up: 'up',
}

/** What an address is. */
const KINDS: Readonly<Record<string, (ip: IpAddress) => boolean>> = {
  forwardable: ip => !isInRfc(NOT_FORWARDABLE, ip),
  'global unicast': ip => !['0.0.0.0/32', '255.255.255.255/32', '::/128', ...SPECIAL].some(block => isIn(block, ip)),
  'interface-local multicast': ip => isInMulticastScope(ip, 1n),
  'link-local multicast': ip => isIn('224.0.0.0/24', ip) || isInMulticastScope(ip, 2n),
  'link-local unicast': ip => isIn('169.254.0.0/16', ip) || isIn('fe80::/10', ip),
  loopback: ip => isIn('127.0.0.0/8', ip) || isIn('::1/128', ip),
  multicast: ip => isIn('224.0.0.0/4', ip) || isIn('ff00::/8', ip),
  unspecified: ip => isIn('0.0.0.0/32', ip) || isIn('::/128', ip),
}

const SPECIAL = ['127.0.0.0/8', '::1/128', '224.0.0.0/4', 'ff00::/8', '169.254.0.0/16', 'fe80::/10']

function isIn(block: string, ip: IpAddress): boolean {
  const { version, network, last } = parseIpAddress(block) as IpAddress
  return ip.version === version && ip.address >= network && ip.address <= last
}

function isInMulticastScope(ip: IpAddress, scope: bigint): boolean {
  return ip.version === 6 && ip.address >> 120n === 0xffn && ((ip.address >> 112n) & 0xfn) === scope
}

/** All flags of interfaces together, or any of the kinds of addresses. */
export function byFlag(wanted: string, addresses: Addresses, execution: Executing): Selection {
  const names = wanted.toLowerCase().split('|')
  for (const name of names) {
    if (name !== 'down' && !Object.hasOwn(FLAGS, name) && !Object.hasOwn(KINDS, name)) {
      throw new Error(`Unknown interface flag: ${execution.quoted(name, 'q')}`)
    }
  }
  const ofInterface = names.filter(name => name === 'down' || Object.hasOwn(FLAGS, name))
  let flags: readonly string[] = []
  // Being down is to have no demand that it be up.
  for (const name of ofInterface) {
    flags = name === 'down' ? flags.filter(flag => flag !== 'up') : [...flags, FLAGS[name] as string]
  }
  const kinds = names.flatMap(name => (Object.hasOwn(KINDS, name) ? [KINDS[name] as (ip: IpAddress) => boolean] : []))
  return divide(addresses, address => {
    const has = address.flags.split('|')
    if (ofInterface.length > 0 && flags.every(flag => has.includes(flag))) return true
    return kinds.some(isKind => isKind(address.ip))
  })
}

function byNetwork(wanted: string, addresses: Addresses, execution: Executing): Selection {
  return union(
    wanted.split('|').map(text => {
      const network = parseIpAddress(text)
      if (network !== undefined) return divide(addresses, ({ ip }) => network.contains(ip))
      const shown = execution.quoted(text, 'q')
      throw new Error(`unable to create an IP address from ${shown}: invalid IPAddr ${execution.quoted(text)}`)
    }),
  )
}

function byRfcs(wanted: string, addresses: Addresses, execution: Executing): Selection {
  return union(
    wanted.split('|').map(text => {
      const problem = (words: string) =>
        new Error(`unable to lookup RFC number ${execution.quoted(text, 'q')}: ${words}`)
      const number = parseUint64(text)
      if (typeof number === 'string') {
        const shown = execution.quoted(text, 'q')
        throw problem(`unable to parse RFC number ${shown}: strconv.ParseUint: parsing ${shown}: ${number}`)
      }
      const selection = byRfc(Number(number), addresses)
      if (selection === undefined) throw problem(`unsupported RFC ${number}`)
      return selection
    }),
  )
}

/** Undefined when the RFC is not known. */
export function byRfc(rfc: number, addresses: Addresses): Selection | undefined {
  return blocksOf(rfc) === undefined ? undefined : divide(addresses, ({ ip }) => isInRfc(rfc, ip))
}

function bySize(wanted: string, addresses: Addresses, execution: Executing): Selection {
  const size = parseUint64(wanted)
  if (typeof size === 'string') {
    const shown = execution.quoted(wanted, 'q')
    throw new Error(`invalid exclude size argument (${shown}): strconv.ParseUint: parsing ${shown}: ${size}`)
  }
  return divide(addresses, ({ ip }) => {
    if (size <= ip.bits) return ip.prefixLength === Number(size)
    throw new Error(`mask size out of bounds for IPv${ip.version} address: ${size}`)
  })
}

function byType(wanted: string, addresses: Addresses, execution: Executing): Selection {
  const types = wanted.toLowerCase().split('|')
  for (const type of types) {
    if (['ip', 'ipv4', 'ipv6', 'unix'].includes(type)) continue
    throw new Error(`unsupported type ${execution.quoted(type, 'q')} ${execution.quoted(wanted, 'q')}`)
  }
  const looks = addresses.flatMap(address =>
    types.map(type => ({ address, isMatch: type === 'ip' || type === `ipv${address.ip.version}` })),
  )
  return {
    matched: looks.filter(({ isMatch }) => isMatch).map(({ address }) => address),
    others: looks.filter(({ isMatch }) => !isMatch).map(({ address }) => address),
  }
}

function union(selections: readonly Selection[]): Selection {
  return {
    matched: selections.flatMap(({ matched }) => matched),
    others: selections.flatMap(({ others }) => others),
  }
}
