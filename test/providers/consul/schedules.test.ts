import { expect, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { consul } from '../../../providers/consul/plugin.ts'
import { ConsulDouble } from '../../support/consul-double.ts'
import { onConsul, whyNoConsul, type ConsulServer } from '../../support/consul-server.ts'
import { eventually } from '../../support/eventually.ts'
import { providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { playFirst, restarting, type Backend, type Change, type Subject } from '../schedules.ts'
import { question, startConsul } from './harness.ts'

/** How many are played on a real server; `CONSUL_SCHEDULES=1000` plays more, and takes some minutes. */
const SCHEDULES = Number(process.env['CONSUL_SCHEDULES'] ?? 40)
/** How many are played on a double, which needs no time to start again. */
const SCHEDULES_ON_DOUBLE = Number(process.env['CONSUL_SCHEDULES'] ?? 60)
const PATIENCE = { withinMs: 60_000 }
/** Faults are noticed fast. */
const IMPATIENT = { wait: '400ms', timeout: '400ms' }

/** A real server, which is killed and started again for all who use it. */
class RealBackend implements Backend {
  readonly port: number
  readonly #server: ConsulServer
  readonly restart: () => Promise<void>

  constructor(server: ConsulServer) {
    this.port = server.port
    this.#server = server
    this.restart = restarting(server)
  }

  async write({ put, remove }: Change): Promise<void> {
    const operations = [
      ...Object.entries(put).map(([Key, value]) => ({
        Verb: 'set',
        Key,
        Value: Buffer.from(value).toString('base64'),
      })),
      ...remove.map(Key => ({ Verb: 'delete', Key })),
    ]
    const body = JSON.stringify(operations.map(KV => ({ KV })))
    await eventually(() => this.#server.client.must('PUT', 'txn', body), PATIENCE)
  }

  /** A change elsewhere, which raises the index. */
  async compact(): Promise<void> {
    await eventually(() => this.#server.client.put('elsewhere', String(Math.random())), PATIENCE)
  }
}

/** The double, which loses its connections and its index when it starts again, and keeps its keys. */
class DoubleBackend implements Backend {
  readonly port: number
  readonly #double: ConsulDouble

  constructor(double: ConsulDouble) {
    this.port = double.port
    this.#double = double
  }

  async write({ put, remove }: Change): Promise<void> {
    this.#double.change(put, remove)
  }

  async compact(): Promise<void> {
    this.#double.put('elsewhere', 'x')
  }

  async restart(): Promise<void> {
    this.#double.restart()
  }
}

function subject(directory: string): Subject {
  return {
    open: port => {
      const options = v.parse(consul.options, { address: `http://127.0.0.1:${port}`, ...IMPATIENT })
      return consul.open(options, providerHost(directory).host)
    },
    tree: path => question('tree').ask('mine', [path]),
  }
}

const MISSES_NOTHING = 'no final state is missed and nothing is read that never was'

test.skipIf(whyNoConsul !== undefined)(
  `${MISSES_NOTHING}, in ${SCHEDULES} random schedules ${onConsul}`,
  async () => {
    const played = await playFirst(
      'consul',
      new RealBackend(await startConsul({ persistent: true })),
      subject(scratch()),
      SCHEDULES,
    )
    expect(played.schedules).toBe(SCHEDULES)
    expect(played.readings).toBeGreaterThan(SCHEDULES)
  },
  60_000 + SCHEDULES * 10_000,
)

test(
  `${MISSES_NOTHING}, in ${SCHEDULES_ON_DOUBLE} random schedules on a double`,
  async () => {
    const played = await playFirst(
      'consul',
      new DoubleBackend(await ConsulDouble.start()),
      subject(scratch()),
      SCHEDULES_ON_DOUBLE,
    )
    expect(played.schedules).toBe(SCHEDULES_ON_DOUBLE)
    expect(played.readings).toBeGreaterThan(SCHEDULES_ON_DOUBLE)
  },
  60_000 + SCHEDULES_ON_DOUBLE * 10_000,
)
