import { afterAll, beforeAll } from 'vitest'
import { fromBytes } from '../../../lib/base/text.ts'
import type { VaultOptions } from '../../../providers/vault/options.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { call, must, vaultServers, type VaultServer } from '../../support/vault-server.ts'
import { providerConformance, type ConformanceFixture } from '../conformance.ts'

let count = 0

for (const [name, start] of vaultServers()) {
  let server: VaultServer
  beforeAll(async () => void (server = await start()))
  afterAll(async () => await server?.close())

  for (const version of ['1', '2']) {
    const make = async (): Promise<ConformanceFixture<VaultOptions>> => {
      const mount = `conformance-${count++}`
      await must(server, 'POST', `sys/mounts/${mount}`, { type: 'kv', options: { version } })
      const path = (name: string, part: string) => (version === '2' ? `${mount}/${part}/${name}` : `${mount}/${name}`)
      const client = await token(server, mount)
      return {
        plugin: vault,
        options: { address: server.url, auth: { method: 'token', token: client }, poll: '100ms', reread: '100ms' },
        write: async (name, content) => {
          const data = { value: fromBytes(content) }
          // A mount of version 2 prepares itself for a moment after it was made.
          await retried(() => must(server, 'POST', path(name, 'data'), version === '2' ? { data } : data))
        },
        remove: async name => void (await must(server, 'DELETE', path(name, 'metadata'))),
        reference: name => [`${mount}/${name.replaceAll('%', '%25')}`, 'value'],
        credentials: [client],
        breakBackend: async () => void (await must(server, 'POST', 'sys/seal')),
        mendBackend: async () => void (await call(server, 'POST', 'sys/unseal', { key: server.unsealKey })),
        close: async () => void (await call(server, 'DELETE', `sys/mounts/${mount}`)),
      }
    }
    // Values are JSON texts, which hold no bytes that are not UTF-8.
    providerConformance(`vault (KV v${version} of ${name})`, make, { binary: false })
  }
}

async function token(server: VaultServer, mount: string): Promise<string> {
  const policy = JSON.stringify({ path: { [`${mount}/*`]: { capabilities: ['read', 'list'] } } })
  await must(server, 'POST', `sys/policies/acl/${mount}`, { policy })
  const { auth } = await must(server, 'POST', 'auth/token/create', { policies: [mount], ttl: '1h' })
  return auth.client_token
}

async function retried(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      await attempt()
      return
    } catch (error) {
      if (left === 0) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
