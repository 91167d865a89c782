import { expect, onTestFinished, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { etcd } from '../../../providers/etcd/plugin.ts'
import { EtcdDouble } from '../../support/etcd-double.ts'
import { eventually } from '../../support/eventually.ts'
import { onEtcd, whyNoEtcd, type EtcdServer } from '../../support/etcd-server.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { playFirst, restarting, type Backend, type Change, type Subject } from '../schedules.ts'
import { question, startEtcd } from './harness.ts'

/** How many are played on a real server; `ETCD_SCHEDULES=1000` plays as many as the README speaks of, and takes some minutes. */
const SCHEDULES = Number(process.env['ETCD_SCHEDULES'] ?? 40)
/** How many are played on a double, which needs no time to start again. */
const SCHEDULES_ON_DOUBLE = Number(process.env['ETCD_SCHEDULES'] ?? 60)
const PATIENCE = { withinMs: 60_000 }

/** A real server, which is killed and started again for all who use it. */
class RealBackend implements Backend {
  readonly port: number
  readonly #server: EtcdServer
  readonly restart: () => Promise<void>

  constructor(server: EtcdServer) {
    this.port = server.port
    this.#server = server
    this.restart = restarting(server)
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
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Faults are noticed fast, and nothing is found by the slow look. */
const IMPATIENT = { heartbeat: '400ms', timeout: '400ms', poll: '1h' }

function subject(directory: string): Subject {
  return {
    open: port => {
      const options = v.parse(etcd.options, { endpoints: `http://127.0.0.1:${port}`, ...IMPATIENT })
      return etcd.open(options, providerHost(directory).host)
    },
    tree: path => question('etcdTree').ask('mine', [path]),
  }
}

const MISSES_NOTHING = 'no final state is missed and nothing is read that never was'

test.skipIf(whyNoEtcd !== undefined)(
  `${MISSES_NOTHING}, in ${SCHEDULES} random schedules ${onEtcd}`,
  async () => {
    const played = await playFirst('etcd', new RealBackend(await startEtcd()), subject(scratch()), SCHEDULES)
    expect(played.schedules).toBe(SCHEDULES)
    expect(played.readings).toBeGreaterThan(SCHEDULES)
  },
  60_000 + SCHEDULES * 10_000,
)

test(
  `${MISSES_NOTHING}, in ${SCHEDULES_ON_DOUBLE} random schedules on a double`,
  async () => {
    const double = await EtcdDouble.start()
    onTestFinished(() => double.close())
    const played = await playFirst('etcd', double, subject(scratch()), SCHEDULES_ON_DOUBLE)
    expect(played.schedules).toBe(SCHEDULES_ON_DOUBLE)
    expect(played.readings).toBeGreaterThan(SCHEDULES_ON_DOUBLE)
  },
  60_000 + SCHEDULES_ON_DOUBLE * 10_000,
)
