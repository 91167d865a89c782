import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { shows } from './latency.ts'
import { median, ms, quantile, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace } from './place.ts'

/** What one change took, in milliseconds after the backend acknowledged the write: it tells of a change at about the same time. */
export interface Took {
  readonly visible: number[]
  readonly told: number[]
  /** Until a bare client's own watch was told. */
  readonly watched: number[]
}

/** A backend whose value at `v` is changed. */
export interface Remote {
  readonly provider: object
  write(value: string): Promise<unknown>
  /** A bare client's own watch of it. */
  watch(): Promise<{ next(): Promise<number>; close(): void }>
}

export interface RemoteChanges {
  readonly program: string
  /** Whether the volume and the state lie in memory. */
  readonly memory: boolean
  readonly changes: number
  /** From the end of one change to the next. */
  readonly pauseMs: number
}

/** Changes the value again and again, with settle 0. */
async function measureRemote(remote: Remote, options: RemoteChanges): Promise<Took> {
  const { program, memory, changes, pauseMs } = options
  const took: Took = { visible: [], told: [], watched: [] }
  let onHook = (_atMs: number) => {}
  const hooks = createServer((request, response) => {
    onHook(performance.now())
    request.resume()
    response.end()
  })
  await new Promise<void>(resolve => hooks.listen(0, '127.0.0.1', resolve))
  const hook = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}/reload`
  const place = makePlace({ memory, quiet: '0s', hook, provider: remote.provider })
  await remote.write('0')
  const child = spawn(process.execPath, [program, 'run', '-c', place.config], { env: bareEnvironment, stdio: 'ignore' })
  const watch = await remote.watch()
  try {
    await shows(place.volume, '0')
    await new Promise(resolve => setTimeout(resolve, 500))
    for (let i = 1; i <= changes; i++) {
      const told = new Promise<number>(resolve => (onHook = resolve))
      const watched = watch.next()
      // It looks from before the write: to set that up takes a part of what is measured.
      const visible = shows(place.volume, String(i))
      await remote.write(String(i))
      const acknowledged = performance.now()
      took.visible.push((await visible) - acknowledged)
      took.told.push((await told) - acknowledged)
      took.watched.push((await watched) - acknowledged)
      await new Promise(resolve => setTimeout(resolve, pauseMs))
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

/** The figures with everything of ours in memory, and on disk: what that costs is the price of durability. */
export async function measureOnBoth(
  remote: Remote,
  options: Omit<RemoteChanges, 'memory'>,
  goalMs: number,
): Promise<readonly Figure[]> {
  const inMemory = await measureRemote(remote, { ...options, memory: true })
  const onDisk = await measureRemote(remote, { ...options, memory: false })
  return [
    ...remoteFigures('tmpfs', inMemory, goalMs),
    ...remoteFigures('disk', onDisk),
    { what: 'the price of a disk: visible, median', value: ms(median(onDisk.visible) - median(inMemory.visible)) },
  ]
}

function remoteFigures(where: string, { visible, told, watched }: Took, goalMs?: number): readonly Figure[] {
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
