import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { EtcdServer, whyNoEtcd } from '../support/etcd-server.ts'
import { shows } from './latency.ts'
import { median, ms, quantile, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace, sharedMemory } from './place.ts'

const CHANGES = 500
const GOAL_MS = 3
/** Between two changes, so that what follows the telling of one (what is confirmed, what is removed) is not measured with the next. */
const PAUSE_MS = 20

/** What one change took, in milliseconds after etcd acknowledged the write: it tells of a change at about the same time. */
interface Took {
  readonly visible: number[]
  readonly told: number[]
  /** Until a bare client's own watch was told. */
  readonly watched: number[]
}

/** From a changed key to the new generation being visible, and to an HTTP hook being told, with settle 0. */
export async function measureEtcd(program: string): Promise<readonly Figure[]> {
  if (whyNoEtcd !== undefined) return [{ what: 'skipped', value: whyNoEtcd }]
  // The server's data is in memory both times: what is measured is the price of our own disk.
  const directory = mkdtempSync(sharedMemory('outrigger-bench-etcd-'))
  const server = await EtcdServer.start(directory)
  try {
    const inMemory = await measure(program, true, server)
    const onDisk = await measure(program, false, server)
    const priceMs = median(onDisk.visible) - median(inMemory.visible)
    return [
      ...figuresOf('tmpfs', inMemory, GOAL_MS),
      ...figuresOf('disk', onDisk),
      { what: 'the price of a disk: visible, median', value: ms(priceMs) },
    ]
  } finally {
    await server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

function figuresOf(where: string, { visible, told, watched }: Took, goalMs?: number): readonly Figure[] {
  const met = goalMs !== undefined && median(visible) <= goalMs
  return [
    { what: `${where}: a bare client's watch, median`, value: ms(median(watched)) },
    { what: `${where}: a bare client's watch, p99`, value: ms(quantile(watched, 0.99)) },
    {
      what: `${where}: visible, median`,
      value: ms(median(visible)),
      ...(goalMs === undefined ? {} : { goal: { text: `<= ${goalMs} ms`, met } }),
    },
    { what: `${where}: visible, p99`, value: ms(quantile(visible, 0.99)) },
    { what: `${where}: told, median`, value: ms(median(told)) },
    { what: `${where}: told, p99`, value: ms(quantile(told, 0.99)) },
  ]
}

async function measure(program: string, memory: boolean, server: EtcdServer): Promise<Took> {
  const took: Took = { visible: [], told: [], watched: [] }
  let onHook = (_atMs: number) => {}
  const hooks = createServer((request, response) => {
    onHook(performance.now())
    request.resume()
    response.end()
  })
  await new Promise<void>(resolve => hooks.listen(0, '127.0.0.1', resolve))
  const hook = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/reload`
  const provider = { type: 'etcd', endpoints: server.url, prefix: 'bench/' }
  const place = makePlace({ memory, quiet: '0s', hook, provider })
  await server.client.put('bench/v', '0')
  const child = spawn(process.execPath, [program, 'run', '-c', place.config], { env: bareEnvironment, stdio: 'ignore' })
  const watch = await server.client.watch('bench/v')
  try {
    await shows(place.volume, '0')
    await sleep(500)
    for (let i = 1; i <= CHANGES; i++) {
      const told = new Promise<number>(resolve => (onHook = resolve))
      const watched = watch.next()
      await server.client.put('bench/v', String(i))
      const acknowledged = performance.now()
      took.visible.push((await shows(place.volume, String(i))) - acknowledged)
      took.told.push((await told) - acknowledged)
      took.watched.push((await watched) - acknowledged)
      await sleep(PAUSE_MS)
    }
  } finally {
    watch.close()
    await new Promise(resolve => {
      child.once('exit', resolve)
      child.kill()
    })
    hooks.closeAllConnections()
    hooks.close()
    removePlace(place)
  }
  return took
}
