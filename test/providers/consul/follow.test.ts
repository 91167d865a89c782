import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../lib/base/clock.ts'
import { v } from '../../../lib/base/schema.ts'
import { Api, type Answer } from '../../../providers/consul/api.ts'
import { follow, Places } from '../../../providers/consul/follow.ts'
import { Newest } from '../../../providers/consul/newest.ts'
import { consulOptions } from '../../../providers/consul/options.ts'
import { settingsOf } from '../../../providers/consul/settings.ts'
import { ConsulDouble } from '../../support/consul-double.ts'
import { onConsul, whyNoConsul } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { startConsul } from './harness.ts'

test('what is news has a moment to be published before the next query is sent, and what is none has not', async () => {
  const clock = new FakeClock()
  let asked = 0
  const get = async (): Promise<Answer> => {
    asked++
    const headers = new Map([['x-consul-index', String(10 + asked)]])
    // The second is no news.
    return { status: 200, headers, body: Buffer.from(`["${asked === 2 ? 1 : asked}"]`) }
  }
  const options = v.parse(consulOptions, {})
  const following = { ...options, api: { get }, places: new Places(1), newest: new Newest(), clock, random: () => 0.5 }
  const answers = follow(following, { path: 'kv/a', params: {} }, new AbortController().signal)

  await answers.next()
  const next = answers.next()
  await settled()
  const askedAtOnce = asked
  await clock.advance(5)

  expect((await next).value?.body.toString()).toBe('["3"]')
  expect([askedAtOnce, asked]).toEqual([1, 3])
})

describe('what blocks on a hash', { timeout: 60_000 }, () => {
  async function* answers(address: string, signal: AbortSignal): AsyncGenerator<Answer> {
    const { host } = providerHost(scratch())
    const options = v.parse(consulOptions, { address })
    const api = new Api(settingsOf(options, {}), options.timeoutMs, host)
    try {
      const following = {
        ...options,
        api,
        places: new Places(1),
        newest: new Newest(),
        clock: systemClock,
        random: Math.random,
      }
      yield* follow(following, { path: 'agent/service/web', params: {}, isOfAgent: true }, signal)
    } finally {
      api.close()
    }
  }

  test.skipIf(whyNoConsul !== undefined)(`is told of each change ${onConsul}`, async () => {
    const server = await startConsul()
    await server.client.register({ Name: 'web', Port: 80 })
    const controller = new AbortController()
    const ports: number[] = []
    const reading = (async () => {
      for await (const { body } of answers(server.url, controller.signal)) {
        ports.push((JSON.parse(body.toString()) as { readonly Port: number }).Port)
      }
    })().catch(() => {})
    await eventually(() => expect(ports).toEqual([80]))
    await server.client.register({ Name: 'web', Port: 81 })
    await eventually(() => expect(ports).toEqual([80, 81]))
    controller.abort()
    await reading
  })

  test('is asked with it', async () => {
    const double = await ConsulDouble.start()
    double.headers = { 'x-consul-index': '', 'x-consul-contenthash': 'abc' }
    double.set('agent/service/web', { Port: 80 })
    const controller = new AbortController()
    const reading = answers(double.url, controller.signal)
    await reading.next()
    const next = reading.next().catch(() => {})
    await eventually(() => expect(double.asked[1]).toMatch(/^agent\/service\/web\?hash=abc&wait=\d+ms$/))
    controller.abort()
    await next
  })
})
