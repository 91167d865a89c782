import type { Executing } from '../../function.ts'
import { compareText } from '../../operand.ts'
import { isInRfc } from './blocks.ts'
import type { InterfaceAddress } from './interface-address.ts'

type Compare = (a: InterfaceAddress, b: InterfaceAddress) => number

export const byType: Compare = (a, b) => a.ip.version - b.ip.version
/** Larger networks first; networks of different versions do not compare. */
export const bySize: Compare = (a, b) => (a.ip.version === b.ip.version ? a.ip.prefixLength - b.ip.prefixLength : 0)
export const byDefault: Compare = (a, b) => Number(b.isDefault) - Number(a.isDefault)

const byAddress: Compare = (a, b) =>
  a.ip.version !== b.ip.version || a.ip.address === b.ip.address ? 0 : a.ip.address < b.ip.address ? -1 : 1

const byPrivate: Compare = (a, b) => {
  const [isPrivate, isOtherPrivate] = [isInRfc(6890, a.ip), isInRfc(6890, b.ip)]
  if (a.ip.version !== b.ip.version) return isPrivate ? -1 : 0
  return Number(isOtherPrivate) - Number(isPrivate)
}

const ORDERS: Readonly<Record<string, Compare>> = {
  address: byAddress,
  default: byDefault,
  name: (a, b) => compareText(a.interfaceName, b.interfaceName),
  port: () => 0,
  private: byPrivate,
  size: bySize,
  type: byType,
}

/** Sorts by clauses like `-size`, separated by commas. Throws an Error on one that is unknown. */
export function sortBy(clauses: string, addresses: readonly InterfaceAddress[], execution: Executing) {
  const compares = clauses.split(',').map(clause => {
    const [, sign, name = ''] = /^([+-]?)(.*)$/s.exec(clause.toLowerCase().trim()) ?? []
    const compare = Object.hasOwn(ORDERS, name) ? (ORDERS[name] as Compare) : undefined
    if (compare === undefined) throw new Error(`unknown sort type: ${execution.quoted(clause, 'q')}`)
    return sign === '-' ? (a: InterfaceAddress, b: InterfaceAddress) => -compare(a, b) : compare
  })
  return sorted(addresses, compares)
}

/** By insertion, as Go sorts what is short: addresses that do not compare stay where they are, and then the way matters. */
export function sorted(
  addresses: readonly InterfaceAddress[],
  compares: readonly Compare[],
): readonly InterfaceAddress[] {
  const out = [...addresses]
  for (let i = 1; i < out.length; i++) {
    for (let j = i; j > 0; j--) {
      const [before, after] = [out[j - 1] as InterfaceAddress, out[j] as InterfaceAddress]
      if (!isBefore(after, before, compares)) break
      out[j - 1] = after
      out[j] = before
    }
  }
  return out
}

function isBefore(a: InterfaceAddress, b: InterfaceAddress, compares: readonly Compare[]): boolean {
  for (const compare of compares) {
    const order = compare(a, b)
    if (order !== 0) return order < 0
  }
  return false
}
