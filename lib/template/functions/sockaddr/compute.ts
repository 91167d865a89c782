import type { Executing } from '../../function.ts'
import { parseInt64, parseUint64 } from '../../strconv.ts'
import type { InterfaceAddress } from './interface-address.ts'
import { IpAddress, maskOf } from './ip-address.ts'

/** An address moved by so many, a place in its network, or under another mask. Throws an Error with go-sockaddr's words. */
export function compute(operation: string, amount: string, address: InterfaceAddress, execution: Executing): IpAddress {
  const { ip } = address
  const name = execution.quoted(operation, 'q')
  switch (operation.toLowerCase()) {
    case 'address':
      return new IpAddress(ip.version, ip.address + signed(amount, ip, name, execution), ip.prefixLength)
    case 'network':
      return new IpAddress(ip.version, placeInNetwork(ip, signed(amount, ip, name, execution)), ip.prefixLength)
    case 'mask':
      return masked(ip, amount, name, execution)
    default:
      throw new Error(`unsupported math operation: ${name}`)
  }
}

function signed(amount: string, ip: IpAddress, name: string, execution: Executing): bigint {
  if (!/^\s*[+-]/.test(amount)) throw new Error(`sign (+/-) is required for operation ${name}`)
  const value = parseInt64(amount)
  const inRange = typeof value === 'bigint' && ip.version === 4 ? BigInt.asIntN(33, value) === value : true
  if (typeof value === 'bigint' && inRange) return value
  const problem = typeof value === 'string' ? value : 'value out of range'
  throw notAnInteger('ParseInt', amount, problem, name, execution)
}

function notAnInteger(parser: string, amount: string, problem: string, name: string, execution: Executing): Error {
  const shown = execution.quoted(amount, 'q')
  return new Error(
    `unable to convert ${shown} to int for operation ${name}: strconv.${parser}: parsing ${shown}: ${problem}`,
  )
}

/** From the front, or from the back where it is negative; round the corner of the network. */
function placeInNetwork(ip: IpAddress, place: bigint): bigint {
  const hosts = BigInt.asUintN(ip.bits, ~ip.mask)
  if (ip.version === 4) return ip.network + (BigInt.asUintN(32, place >= 0n ? place : 1n + place + hosts) & hosts)
  return place > 0n ? ip.network + (place & hosts) : ip.last - (BigInt.asUintN(128, -place - 1n) & hosts)
}

function masked(ip: IpAddress, amount: string, name: string, execution: Executing): IpAddress {
  const length = parseUint64(amount)
  if (typeof length === 'string' || length >= 2n ** 32n) {
    throw notAnInteger('ParseUint', amount, typeof length === 'string' ? length : 'value out of range', name, execution)
  }
  if (length > ip.bits) {
    const most = ip.version === 4 ? 32 : 64
    throw new Error(`parameter for operation ${name} on ipv${ip.version} addresses must be between 0 and ${most}`)
  }
  const prefixLength = Number(length)
  return new IpAddress(ip.version, ip.address & maskOf(ip.bits, prefixLength), Math.min(ip.prefixLength, prefixLength))
}
