import type { TemplateFunction } from '../function.ts'

/** What `sockaddr` needs of the world. */
export interface Network {
  /** The addresses of all interfaces, in the order of the interfaces. */
  networkAddresses(): readonly NetworkAddress[]
}

/** One address of an interface. */
export interface NetworkAddress {
  readonly interfaceName: string
  /** With the length of the network's prefix: `10.1.2.3/16`, `fd00::1/64`. */
  readonly address: string
  /** As Go spells them: `up|broadcast|multicast`. */
  readonly flags: string
  /** Whether the interface is the one of the default route. */
  readonly isDefault: boolean
}

export const sockaddrFunctions: readonly TemplateFunction<Network>[] = []
