import { describe, expect, test } from 'vitest'
import { onConsul, whyNoPeers } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { ConsulBench, startConsul } from './harness.ts'

const PEERINGS = '{{ range peerings }}{{ .Name }} {{ .PeeringState }} {{ .Meta.env }},{{ end }}'
/** Two clusters have to find each other, with a second between two tries of theirs. */
const PATIENCE = { withinMs: 60_000 }

describe(`other clusters, ${whyNoPeers ?? onConsul}`, { skip: whyNoPeers !== undefined, timeout: 120_000 }, () => {
  test('a peering is there as soon as it is made, and changes when the other cluster has taken it up', async () => {
    const [server, other] = await Promise.all([startConsul(), startConsul()])
    const bench = await ConsulBench.open({ address: server.url })
    expect(await bench.rendered(`{{ len peerings }}`)).toBe('0')
    const peering = JSON.stringify({ PeerName: 'other', Meta: { env: 'test' } })
    const { PeeringToken } = await server.client.must('POST', 'peering/token', peering)
    await eventually(() => expect(bench.render(PEERINGS)).toBe('other PENDING test,'))

    await other.client.must('POST', 'peering/establish', JSON.stringify({ PeerName: 'one', PeeringToken }))
    await eventually(() => expect(bench.render(PEERINGS)).toBe('other ACTIVE test,'), PATIENCE)
  })

  test('the services that a peer exports are asked for by its name, and seen as they come and go', async () => {
    const [server, other] = await Promise.all([startConsul(), startConsul()])
    const { PeeringToken } = await server.client.must('POST', 'peering/token', JSON.stringify({ PeerName: 'other' }))
    await other.client.must('POST', 'peering/establish', JSON.stringify({ PeerName: 'one', PeeringToken }))
    const services = [{ Name: 'web', Consumers: [{ Peer: 'one' }] }]
    const exported = JSON.stringify({ Kind: 'exported-services', Name: 'default', Services: services })
    await other.client.must('PUT', 'config', exported)
    const bench = await ConsulBench.open({ address: server.url })
    const shown = () => bench.render('{{ range service "web?peer=other" }}{{ .Name }}:{{ .Port }} {{ end }}')

    await other.client.register({ Name: 'web', Port: 80 })
    await eventually(() => expect(shown()).toBe('web:80 '), PATIENCE)
    expect(await bench.rendered('{{ range service "web" }}{{ .Name }}{{ end }}')).toBe('')
    await other.client.register({ Name: 'web', Port: 81 })
    await eventually(() => expect(shown()).toBe('web:81 '), PATIENCE)
    await other.client.must('PUT', 'agent/service/deregister/web')
    await eventually(() => expect(shown()).toBe(''), PATIENCE)
  })
})
