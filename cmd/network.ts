import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { NetworkAddress } from '../lib/template/functions/sockaddr/sockaddr.ts'

/** The addresses of this machine. */
export function networkAddresses(): readonly NetworkAddress[] {
  const byDefault = defaultInterface()
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, netmask, cidr, internal }) => ({
      interfaceName: name,
      address: cidr ?? `${address}/${netmask}`,
      // Node lists only what is up, and does not tell the other flags.
      flags: internal ? 'up|loopback|running' : 'up|broadcast|multicast|running',
      isDefault: name === byDefault,
    })),
  )
}

/** The interface of the default route, where the system tells (Linux does). */
function defaultInterface(): string | undefined {
  let routes: string
  try {
    routes = readFileSync('/proc/net/route', 'utf8')
  } catch {
    return undefined
  }
  const rows = routes.split('\n').map(line => line.split('\t'))
  return rows.find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0]
}
