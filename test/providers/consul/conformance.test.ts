import { describe } from 'vitest'
import { consul } from '../../../providers/consul/plugin.ts'
import { ConsulServer, onConsul, whyNoConsul } from '../../support/consul-server.ts'
import { scratch } from '../../support/scratch.ts'
import { providerConformance } from '../conformance.ts'

describe(`a whole provider ${onConsul}`, { skip: whyNoConsul !== undefined }, () => {
  providerConformance('consul', async () => {
    const server = await ConsulServer.start(scratch({ inMemory: true }))
    const held = new Map<string, Uint8Array>()
    return {
      plugin: consul,
      options: { address: server.url, wait: '2s', timeout: '1s' },
      async write(path, content) {
        held.set(path, content)
        await server.client.put(path, content)
      },
      async remove(path) {
        held.delete(path)
        await server.client.remove(path)
      },
      reference: path => [path],
      breakBackend: () => server.kill(),
      async mendBackend() {
        await server.resume()
        for (const [path, content] of held) await server.client.put(path, content)
      },
      close: () => server.kill(),
    }
  })
})
