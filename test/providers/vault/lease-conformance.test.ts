import type { VaultOptions } from '../../../providers/vault/options.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { call, must, vaultServers } from '../../support/vault-server.ts'
import { leaseConformance, type LeaseFixture } from '../lease-conformance.ts'
import { Leasing } from './leasing.ts'

for (const [name, start] of vaultServers()) {
  const make = async (): Promise<LeaseFixture<VaultOptions>> => {
    const server = await start()
    const leasing = await Leasing.on(server)
    const options = { address: server.url, auth: leasing.auth }
    return {
      plugin: vault,
      options,
      elsewhere: { ...options, namespace: 'another' },
      dependency: vault.reference.ask('mine', ['rabbit/creds/app', 'username']),
      durationMs: 3_600_000,
      made: () => leasing.rabbit.made,
      alive: async () => leasing.rabbit.users.size,
      endAll: async () => {
        for (const lease of await leasing.leases()) {
          await must(server, 'POST', 'sys/leases/revoke', { lease_id: `rabbit/creds/app/${lease}` })
        }
      },
      breakBackend: async () => void (await must(server, 'POST', 'sys/seal')),
      mendBackend: async () => void (await call(server, 'POST', 'sys/unseal', { key: server.unsealKey })),
      close: () => server.close(),
    }
  }
  leaseConformance(`vault (${name})`, make, { notes: true })
}
