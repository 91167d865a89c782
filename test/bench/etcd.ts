import { mkdtempSync, rmSync } from 'node:fs'
import { EtcdServer, whyNoEtcd } from '../support/etcd-server.ts'
import type { Figure } from './measure.ts'
import { sharedMemory } from './place.ts'
import { measureOnBoth } from './remote-change.ts'

const CHANGES = 500
const GOAL_MS = 3
/** Between two changes, so that what follows the telling of one (what is confirmed, what is removed) is not measured with the next. */
const PAUSE_MS = 20

/** From a changed key to the new generation being visible, and to an HTTP hook being told. */
export async function measureEtcd(program: string): Promise<readonly Figure[]> {
  if (whyNoEtcd !== undefined) return [{ what: 'skipped', value: whyNoEtcd }]
  // The server's data is in memory both times: what is measured is the price of our own disk.
  const directory = mkdtempSync(sharedMemory('outrigger-bench-etcd-'))
  const server = await EtcdServer.start(directory)
  const remote = {
    provider: { type: 'etcd', endpoints: server.url, prefix: 'bench/' },
    write: (value: string) => server.client.put('bench/v', value),
    watch: () => server.client.watch('bench/v'),
  }
  try {
    return await measureOnBoth(remote, { program, changes: CHANGES, pauseMs: PAUSE_MS }, GOAL_MS)
  } finally {
    await server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}
