import { expect, test } from 'vitest'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Dependency } from '../../lib/dependency.ts'
import { Store } from '../../lib/store/store.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { AWAY, LeaseBackend } from '../support/lease-backend.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { sequence } from '../support/sequence.ts'

const MINUTE = 60_000
const STEPS = 40
const db: Dependency = { provider: 'one', kind: 'value', path: 'db', params: {} }

/** One backend and its clock, and the processes that come one after another on it. */
async function play(seed: number): Promise<void> {
  const random = sequence(seed)
  const clock = new FakeClock()
  const backend = new LeaseBackend(clock)
  const durationMs = Math.ceil(5 + random() * 115) * MINUTE
  const options = { durationMs, renewable: random() < 0.7, maxMs: random() < 0.5 ? durationMs * 3 : Infinity }

  const start = (before?: Store) => {
    const provider = new ScriptedProvider(clock)
    backend.serve(provider, 'db', options)
    const providers = new Map([['one', provider]])
    const store = new Store({ providers, clock, random, log: silentLog, redactor: new Redactor() })
    store.restore(undefined, before?.handOver() ?? [])
    const web = store.subscribe('web')
    web.want([db])
    return { store, web, provider }
  }
  let { store, web, provider } = start()
  await settled()
  for (let step = 0; step < STEPS; step++) {
    const dice = random()
    if (dice < 0.15) backend.outage = { renew: AWAY }
    else if (dice < 0.25) backend.outage = { revoke: AWAY }
    else if (dice < 0.5) backend.outage = {}
    else if (dice < 0.6) clock.leap((random() - 0.5) * 48 * 60 * MINUTE)
    else if (dice < 0.65) provider.breakAll(AWAY)
    else if (dice < 0.75) provider.mend()
    else if (dice < 0.85) {
      await store.close()
      ;({ store, web, provider } = start(store))
      await settled()
    }
    await clock.advance(random() * 30 * MINUTE)
    const value = web.get(db)?.value
    // 1. Never is a reading used after its end.
    expect(!(value instanceof Map) || backend.isAlive(String(value.get('user')))).toBe(true)
    web.confirmed(web.leases())
    // 2. Never is a lease made while another is good that could have been used: only in its last part.
    expect(madeTooEarly(backend)).toEqual([])
  }
  // 3. In the end every lease but the current one was revoked, or has ended.
  backend.outage = {}
  provider.mend()
  for (let i = 0; i < 6; i++) {
    web.confirmed(web.leases())
    await clock.advance(2 * MINUTE)
  }
  expect(backend.alive('db').length).toBeLessThanOrEqual(2)
  await store.close()
  expect(clock.sleeping).toBe(0)
}

/** The leases that another was made beside, before their last part. */
function madeTooEarly({ leases }: LeaseBackend): readonly string[] {
  return leases.flatMap(({ id, mintedAtMs, endsAtMs, revokedAtMs }, i) => {
    const next = leases[i + 1]
    if (next === undefined || revokedAtMs !== undefined) return []
    return endsAtMs - next.mintedAtMs > 0.21 * (endsAtMs - mintedAtMs) ? [id] : []
  })
}

test('whatever fails, leaps and restarts: none is used after its end, none made too early, none left behind', async () => {
  for (let seed = 1; seed <= 30; seed++) await play(seed)
}, 60_000)
