import { spawn } from 'node:child_process'
import { existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Mailbox } from '../../lib/base/mailbox.ts'
import { median, ms, quantile, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace } from './place.ts'

const CHANGES = 200
const CHANGES_SETTLED = 30
const GIVE_UP_MS = 10_000
const LOOK_MS = 50

/** From a changed value file to the new generation being visible, and to an HTTP hook being told. */
export async function measureLatency(program: string): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const [where, memory, quiet, changes] of [
    ['tmpfs, settle 0', true, '0s', CHANGES],
    ['disk, settle 0', false, '0s', CHANGES],
    ['tmpfs, settle 200ms', true, '200ms', CHANGES_SETTLED],
  ] as const) {
    const { visible, told } = await measure(program, memory, quiet, changes)
    const goalMs = (quiet === '0s' ? 0 : 200) + 20
    const met = median(visible) <= goalMs
    figures.push(
      { what: `${where}: visible, median`, value: ms(median(visible)), goal: { text: `<= settle + 20 ms`, met } },
      { what: `${where}: visible, p99`, value: ms(quantile(visible, 0.99)) },
      { what: `${where}: told, median`, value: ms(median(told)) },
      { what: `${where}: told, p99`, value: ms(quantile(told, 0.99)) },
    )
  }
  return figures
}

async function measure(program: string, memory: boolean, quiet: string, changes: number) {
  const { createServer } = process.getBuiltinModule('node:http')
  let onHook = () => {}
  const server = createServer((request, response) => {
    request.resume()
    response.end()
    onHook()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const place = makePlace({ memory, quiet, hook: `http://127.0.0.1:${port}/reload` })
  const child = spawn(process.execPath, [program, 'run', '-c', place.config], { env: bareEnvironment, stdio: 'ignore' })
  const visible: number[] = []
  const told: number[] = []
  try {
    await shows(place.volume, '0')
    await new Promise(resolve => setTimeout(resolve, 500))
    for (let i = 1; i <= changes; i++) {
      const hook = new Promise<number>(resolve => (onHook = () => resolve(performance.now())))
      writeFileSync(`${place.value}.next`, String(i))
      const start = performance.now()
      renameSync(`${place.value}.next`, place.value)
      visible.push((await shows(place.volume, String(i))) - start)
      told.push((await hook) - start)
    }
  } finally {
    await new Promise(resolve => {
      child.once('exit', resolve)
      child.kill()
    })
    server.closeAllConnections()
    server.close()
    removePlace(place)
  }
  return { visible, told }
}

/** Waits until the volume shows this value; gives the moment. The system says when to look, since who looks all the time takes
 *  a processor away from what is measured. */
export async function shows(volume: string, value: string, withinMs = GIVE_UP_MS): Promise<number> {
  const giveUpAt = performance.now() + withinMs
  const bell = new Mailbox<true>()
  const watcher = existsSync(volume) ? watch(volume, () => bell.put(true)) : undefined
  try {
    for (;;) {
      if (isShown(volume, value)) return performance.now()
      if (performance.now() > giveUpAt)
        throw new Error(`the value ${value} did not become visible within ${withinMs} ms`)
      // A change between the look and the next event is seen by then.
      await bell.take(AbortSignal.timeout(LOOK_MS)).catch(() => {})
    }
  } finally {
    watcher?.close()
  }
}

function isShown(volume: string, value: string): boolean {
  try {
    return readFileSync(join(volume, 'app.conf'), 'utf8') === `value = ${value}\n`
  } catch {
    // Not there yet.
    return false
  }
}
