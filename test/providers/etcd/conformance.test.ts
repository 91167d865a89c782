import { describe } from 'vitest'
import { etcd } from '../../../providers/etcd/plugin.ts'
import { EtcdServer, onEtcd, whyNoEtcd } from '../../support/etcd-server.ts'
import { scratch } from '../../support/scratch.ts'
import { providerConformance } from '../conformance.ts'

describe(`a whole provider ${onEtcd}`, { skip: whyNoEtcd !== undefined }, () => {
  providerConformance('etcd', async () => {
    const server = await EtcdServer.start(scratch({ inMemory: true }))
    return {
      plugin: etcd,
      options: { endpoints: server.url, prefix: 'conformance/', heartbeat: '1s', timeout: '1s' },
      write: async (path, content) => void (await server.client.put(`conformance/${path}`, content)),
      remove: async path => void (await server.client.remove(`conformance/${path}`)),
      reference: path => [path],
      breakBackend: () => server.kill(),
      mendBackend: () => server.resume(),
      close: () => server.kill(),
    }
  })
})
