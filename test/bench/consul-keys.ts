import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import type { ConsulServer } from '../support/consul-server.ts'
import { median, ms, type Figure } from './measure.ts'
import { bareEnvironment } from './place.ts'

const KEYS = 10_000
const TEMPLATES = 1_000
const CHANGES = 50
const PAUSE_MS = 200
const WAIT_MS = 1_000
const STEADY_MS = 10_000
/** Clock ticks of /proc/PID/stat in a second, on every Linux that we run on. */
const TICKS = 100

/** What 10,000 keys under one prefix cost, in 1,000 templates of ten keys each. @param directory for everything, in memory */
export async function measureKeys(
  program: string,
  server: ConsulServer,
  directory: string,
): Promise<readonly Figure[]> {
  for (let i = 0; i < KEYS; i += 50) {
    const keys = Array.from({ length: 50 }, (_, j) => [`bench/${i + j}`, '0'] as const)
    await server.client.putAll(Object.fromEntries(keys))
  }
  const counting = await countRequests(server.port)
  const config = writeConfig(directory, counting.port)
  const startMs = performance.now()
  const child = spawn(process.execPath, [program, 'run', '-c', config], { env: bareEnvironment, stdio: 'ignore' })
  const pid = child.pid ?? 0
  const shown = (template: number) => readFileSync(join(directory, 'volume', `${template}.conf`), 'utf8')
  try {
    await eventually(() => shown(TEMPLATES - 1), { withinMs: 60_000 })
    const startedMs = performance.now() - startMs
    await new Promise(resolve => setTimeout(resolve, 2_000))
    const before = counting.count()
    const idleMs = cpuMs(pid)
    await new Promise(resolve => setTimeout(resolve, STEADY_MS))
    const requests = counting.count() - before
    const steadyMs = cpuMs(pid) - idleMs

    const visible: number[] = []
    const changingMs = cpuMs(pid)
    for (let i = 1; i <= CHANGES; i++) {
      await server.client.put(`bench/${i * 10}`, `changed ${i}`)
      const acknowledged = performance.now()
      await eventually(() => check(shown(i).includes(`changed ${i}`)), { everyMs: 1 })
      visible.push(performance.now() - acknowledged)
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
    }
    const perChangeMs = (cpuMs(pid) - changingMs) / CHANGES
    return [
      { what: `${KEYS} keys, ${TEMPLATES} templates: first generation`, value: ms(startedMs) },
      { what: '  requests for each wait, steady', value: (requests / (STEADY_MS / WAIT_MS)).toFixed(2) },
      { what: '  processor time for each wait, steady', value: ms(steadyMs / (STEADY_MS / WAIT_MS)) },
      { what: '  one change: visible, median', value: ms(median(visible)) },
      { what: '  one change: processor time', value: ms(perChangeMs) },
      { what: '  resident memory', value: `${Math.round(residentKib(pid) / 1024)} MiB` },
    ]
  } finally {
    await new Promise(resolve => {
      child.once('exit', resolve)
      child.kill()
    })
    counting.close()
  }
}

/** Without what is kept for a restart: to write 10,000 records would be measured with it. */
function writeConfig(directory: string, port: number): string {
  const config = join(directory, 'outrigger.yaml')
  mkdirSync(directory, { recursive: true })
  const template = (i: number) => Array.from({ length: 10 }, (_, j) => `{{ key "bench/${i * 10 + j}" }}\n`).join('')
  const files = Array.from({ length: TEMPLATES }, (_, i) => ({ path: `${i}.conf`, content: template(i) }))
  writeFileSync(
    config,
    JSON.stringify({
      providers: {
        consul: { type: 'consul', address: `http://127.0.0.1:${port}`, wait: `${WAIT_MS}ms`, seal: 'none' },
      },
      bundles: { web: { volume: join(directory, 'volume'), files, settle: { quiet: '0s', longest: '1s' } } },
      state: join(directory, 'state'),
    }),
  )
  return config
}

/** A proxy that counts what is asked through it. */
async function countRequests(target: number) {
  let requests = 0
  const server = createServer((incoming, outgoing) => {
    requests++
    const { url = '/', headers } = incoming
    const sent = request({ host: '127.0.0.1', port: target, path: url, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    sent.on('error', () => outgoing.destroy())
    sent.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    count: () => requests,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1_000
}

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN)
}

function check(isTrue: boolean): void {
  if (!isTrue) throw new Error('not yet')
}
