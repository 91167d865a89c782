import { describe } from 'vitest'
import { consulContract, peersContract } from '../../support/consul-contract.ts'
import { ConsulDouble } from '../../support/consul-double.ts'
import { onConsul, whyNoConsul, whyNoPeers } from '../../support/consul-server.ts'
import { startConsul } from './harness.ts'

describe(`what Consul answers ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 60_000 }, () => {
  consulContract(async () => (await startConsul()).url)
})

describe(
  `what it answers of its peers, ${whyNoPeers ?? onConsul}`,
  { skip: whyNoPeers !== undefined, timeout: 60_000 },
  () => {
    peersContract(async () => (await startConsul()).url)
  },
)

describe('what the double answers', { timeout: 60_000 }, () => {
  const start = async () => (await ConsulDouble.start()).url
  consulContract(start)
  peersContract(start)
})
