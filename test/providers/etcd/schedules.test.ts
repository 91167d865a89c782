import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { onEtcd, whyNoEtcd, type EtcdServer } from '../../support/etcd-server.ts'
import { scratch } from '../../support/scratch.ts'
import { startEtcd } from './harness.ts'
import { playSchedules, type Backend, type Change } from './schedules.ts'

/** How many are played on a real server; `ETCD_SCHEDULES=1000` plays as many as the README speaks of, and takes some minutes. */
const SCHEDULES = Number(process.env['ETCD_SCHEDULES'] ?? 40)
const PATIENCE = { withinMs: 60_000 }

/** A real server, which is killed and started again for all who use it. */
class RealBackend implements Backend {
  readonly port: number
  readonly #server: EtcdServer
  #restarting: Promise<void> | undefined

  constructor(server: EtcdServer) {
    this.port = server.port
    this.#server = server
  }

  async write({ put, remove }: Change): Promise<void> {
    const success = [
      ...Object.entries(put).map(([key, value]) => ({ request_put: { key: base64(key), value: base64(value) } })),
      ...remove.map(key => ({ request_delete_range: { key: base64(key) } })),
    ]
    await eventually(() => this.#server.client.request('/v3/kv/txn', { success }), PATIENCE)
  }

  async compact(): Promise<void> {
    await eventually(async () => {
      const revision = await this.#server.client.put('elsewhere', 'x')
      // Another schedule may have compacted more.
      await this.#server.client.compact(revision).catch((error: unknown) => {
        if (!(error instanceof Error && error.message.includes('compacted'))) throw error
      })
    }, PATIENCE)
  }

  restart(): Promise<void> {
    return (this.#restarting ??= this.#restart().finally(() => (this.#restarting = undefined)))
  }

  async #restart(): Promise<void> {
    await this.#server.kill()
    await this.#server.resume()
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

test.skipIf(whyNoEtcd !== undefined)(
  `no final state is missed and nothing is read that never was, in ${SCHEDULES} random schedules ${onEtcd}`,
  async () => {
    const seeds = Array.from({ length: SCHEDULES }, (_, i) => i + 1)
    const played = await playSchedules(new RealBackend(await startEtcd()), seeds, scratch())
    process.stdout.write(`etcd schedules: ${JSON.stringify(played)}\n`)
    expect(played.schedules).toBe(SCHEDULES)
    expect(played.readings).toBeGreaterThan(SCHEDULES)
  },
  60_000 + SCHEDULES * 10_000,
)
