import { mkdtempSync, rmSync } from 'node:fs'
import { ConsulServer, whyNoConsul } from '../support/consul-server.ts'
import { measureKeys } from './consul-keys.ts'
import type { Figure } from './measure.ts'
import { sharedMemory } from './place.ts'
import { measureOnBoth } from './remote-change.ts'

const CHANGES = 500
/** Beyond ten at once, the provider asks ten times a second: what is measured is a change after quiet, not the floor. */
const PAUSE_MS = 110
const GOAL_MS = 3

/** From a changed key to the new generation being visible, and to an HTTP hook being told; then what many keys cost. */
export async function measureConsul(program: string): Promise<readonly Figure[]> {
  if (whyNoConsul !== undefined) return [{ what: 'skipped', value: whyNoConsul }]
  // The server's data is in memory both times: what is measured is the price of our own disk.
  const directory = mkdtempSync(sharedMemory('outrigger-bench-consul-'))
  const server = await ConsulServer.start(directory)
  const remote = {
    provider: { type: 'consul', address: server.url },
    write: (value: string) => server.client.put('v', value),
    watch: () => server.client.watch('v'),
  }
  try {
    return [
      ...(await measureOnBoth(remote, { program, changes: CHANGES, pauseMs: PAUSE_MS }, GOAL_MS)),
      ...(await measureKeys(program, server, directory)),
    ]
  } finally {
    await server.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}
