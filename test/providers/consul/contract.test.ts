import { describe } from 'vitest'
import { consulContract } from '../../support/consul-contract.ts'
import { ConsulDouble } from '../../support/consul-double.ts'
import { onConsul, whyNoConsul } from '../../support/consul-server.ts'
import { startConsul } from './harness.ts'

describe(`what Consul answers ${onConsul}`, { skip: whyNoConsul !== undefined, timeout: 60_000 }, () => {
  consulContract(async () => (await startConsul()).url)
})

describe('what the double answers', { timeout: 60_000 }, () => {
  consulContract(async () => (await ConsulDouble.start()).url)
})
