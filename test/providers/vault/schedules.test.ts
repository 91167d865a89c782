/** Tokens and leases by true time, whatever fails, leaps and restarts: random schedules on a simulated server and the real provider,
 *  session, store and lease keeper. */
import { expect, test } from 'vitest'
import { silentLog } from '../../../lib/base/log.ts'
import { v } from '../../../lib/base/schema.ts'
import { Redactor } from '../../../lib/base/secret.ts'
import { ProviderError } from '../../../lib/errors.ts'
import type { KeptLease } from '../../../lib/reading.ts'
import { Store } from '../../../lib/store/store.ts'
import { vaultOptions } from '../../../providers/vault/options.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { VaultProvider } from '../../../providers/vault/provider.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { noteIn, providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { sequence } from '../../support/sequence.ts'
import { SimulatedVault } from '../../support/simulated-vault.ts'

const MINUTE = 60_000
const STEPS = 60
const AWAY = new ProviderError('unavailable', 'connection refused')
const db = vault.reference.ask('mine', ['db/creds/app', 'username'])
const kv = vault.reference.ask('mine', ['kv/app', 'v'])

/** One server and its clock, and the processes that come one after another on it. */
async function play(seed: number, directory: string): Promise<void> {
  const random = sequence(seed)
  const minutes = (least: number, most: number) => Math.ceil(least + random() * (most - least)) * MINUTE
  const clock = new FakeClock()
  // A lease ends with its token or before it: each in every other schedule.
  const [shortMs, longMs] = [minutes(5, 40), minutes(45, 240)]
  const [tokenMs, leaseMs] = seed % 2 === 0 ? [shortMs, longMs] : [longMs, shortMs]
  const leap = () => clock.leap((random() - 0.5) * 48 * 60 * MINUTE)
  const server = new SimulatedVault(clock, {
    tokenMs,
    tokenMaxMs: random() < 0.5 ? minutes(240, 900) : Infinity,
    leaseMs,
    leaseMaxMs: random() < 0.5 ? leaseMs * 3 : Infinity,
    leaseRenewable: random() < 0.7,
    answerMs: () => random() * 200,
  })
  const note = noteIn(new Map())
  const start = async (leases: readonly KeptLease[]) => {
    const { host } = providerHost(directory, { clock, random, note })
    const options = v.parse(vaultOptions, { address: 'http://127.0.0.1:1', auth: { method: 'approle', roleId: 'web' } })
    const provider = await VaultProvider.open(options, host, server.connect)
    const providers = new Map([['mine', provider]])
    const store = new Store({ providers, clock, random, log: silentLog, redactor: new Redactor() })
    store.restore(undefined, leases)
    const web = store.subscribe('web')
    web.want([db, kv])
    return { store, web, provider }
  }
  const stop = async ({ store, provider }: Awaited<ReturnType<typeof start>>) => {
    await store.close()
    await provider.close()
    return store.handOver()
  }
  let running = await start([])
  /** For how long what is given out is good, or until when to look again where there is nothing. */
  const shownForMs = () => {
    const reading = running.web.get(db)
    if (reading === undefined) return MINUTE
    return server.leftMs(vault.reference.answer(reading, ['', 'username']) as string)
  }
  for (let step = 0; step < STEPS; step++) {
    const dice = random()
    if (dice < 0.15) server.outage = AWAY
    else if (dice < 0.2) server.isBusy = () => true
    else if (dice < 0.5) [server.outage, server.isBusy] = [undefined, () => false]
    else if (dice < 0.6) leap()
    else if (dice < 0.63) server.revokeTokens()
    else if (dice < 0.66) server.revokeLeases()
    else if (dice < 0.78) {
      const kept = await stop(running)
      if (random() < 0.3) leap()
      running = await start(kept)
    }
    // What the token of before a restart may not, another is got for, and leases hang on both.
    else if (dice < 0.83) server.permit(false)
    // 1. Nothing is given out after the end of its lease, or of the token that this hangs on: it is looked at right then.
    const untilMs = clock.monotonicMs() + random() * 32 * MINUTE
    while (clock.monotonicMs() < untilMs) {
      await clock.advance(Math.min(untilMs - clock.monotonicMs(), shownForMs()))
      expect({ seed, step, isGood: shownForMs() > 0 }).toEqual({ seed, step, isGood: true })
    }
    // 2. No token is used after its end.
    expect(server.wrongs).toEqual([])
    running.web.confirmed(running.web.leases())
  }
  // 3. In the end it works again, and what was made and is not needed has ended or was revoked.
  ;[server.outage, server.isBusy] = [undefined, () => false]
  server.change()
  server.permit(true)
  for (let i = 0; i < 6; i++) {
    await clock.advance(2 * MINUTE)
    running.web.confirmed(running.web.leases())
  }
  expect([running.web.get(db), running.web.get(kv)]).not.toContain(undefined)
  await stop(running)
  await settled()
  expect(clock.sleeping).toBe(0)
}

test(
  'no token and no credential is used after its end, whatever fails, leaps and restarts',
  { timeout: 120_000 },
  async () => {
    const directory = scratch()
    for (let seed = 1; seed <= 10; seed++) await play(seed, directory)
  },
)
