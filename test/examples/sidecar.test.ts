import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { HttpClient } from '../../lib/base/http.ts'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { freePort, serve } from '../support/serve.ts'
import { readExample, rehome } from './example.ts'

const environment = { POD_NAME: 'web-0' }

test('the configuration of the sidecar is valid', async () => {
  const directory = scratch()
  const path = rehome('sidecar', directory, {})

  const { code, stderr } = await runBuilt(['validate', '-c', path], { environment })

  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('is valid') })
})

test('the sidecar publishes what nginx reads, tells it by SIGHUP, and sees it well', async () => {
  const directory = scratch()
  const nginx = `nginx-${randomUUID().slice(0, 8)}`
  const told = join(directory, 'told')
  await startApplication(nginx, told)
  const { port } = await serve((request, response) => response.writeHead(request.url === '/healthz' ? 200 : 404).end())
  mkdirSync(join(directory, 'values'))
  writeFileSync(join(directory, 'values', 'site.yaml'), readExample('sidecar', 'site.yaml'))
  const path = rehome('sidecar', directory, {
    'path: /values': `path: ${join(directory, 'values')}`,
    'volume: /config': `volume: ${join(directory, 'config')}`,
    'state: /var/lib/outrigger': `state: ${join(directory, 'state')}`,
    'process: nginx': `process: ${nginx}`,
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'for: 10s': 'for: 1s, every: 100ms',
  })

  const { code, stderr } = await runBuilt(['once', '-c', path, '--timeout', '30s'], { environment })

  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(existsSync(told)).toBe(true)
  const shown = readFileSync(join(directory, 'config', 'default.conf'), 'utf8')
  expect(shown).toContain('# Made by Outrigger for web-0.')
  expect(shown).toContain('return 200 "Hello from the first generation\\n";')
  expect(shown).toContain('location = /docs { return 302 https://docs.example.org/; }')
})

test('the sidecar refuses what was cut off', async () => {
  const directory = scratch()
  mkdirSync(join(directory, 'values'))
  writeFileSync(join(directory, 'values', 'site.yaml'), readExample('sidecar', 'site.yaml'))
  const path = rehome('sidecar', directory, {
    'path: /values': `path: ${join(directory, 'values')}`,
    'volume: /config': `volume: ${join(directory, 'config')}`,
    'state: /var/lib/outrigger': `state: ${join(directory, 'state')}`,
  })
  const template = join(directory, 'default.conf.tmpl')
  writeFileSync(template, readExample('sidecar', 'default.conf.tmpl').replace(/\n\}\n$/, '\n'))

  const { code } = await runBuilt(['once', '-c', path, '--no-hooks', '--timeout', '30s'], { environment })

  expect(code).toBe(4)
  expect(existsSync(join(directory, 'config', 'default.conf'))).toBe(false)
})

test('the sidecar lets nginx start on a first generation, follows the ConfigMap, and ends when it is told to', async () => {
  const directory = scratch()
  const nginx = `nginx-${randomUUID().slice(0, 8)}`
  const told = join(directory, 'told')
  const health = `http://127.0.0.1:${await freePort()}`
  const { port } = await serve((request, response) => response.writeHead(request.url === '/healthz' ? 200 : 404).end())
  const values = join(directory, 'values')
  mkdirSync(values)
  const path = rehome('sidecar', directory, {
    'path: /values': `path: ${values}`,
    'volume: /config': `volume: ${join(directory, 'config')}`,
    'state: /var/lib/outrigger': `state: ${join(directory, 'state')}`,
    'process: nginx': `process: ${nginx}`,
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'for: 10s': 'for: 500ms, every: 100ms',
    '0.0.0.0:9102': health.replace('http://', ''),
  })
  const sidecar = startBuilt(['run', '-c', path], { environment })
  const shown = () => readFileSync(join(directory, 'config', 'default.conf'), 'utf8')

  // The ConfigMap is not there yet: the kubelet asks in vain, and is told why.
  const why = { status: 503, body: expect.stringContaining('values://site.yaml') }
  await eventually(async () => expect(await ask(`${health}/startupz`)).toMatchObject(why))
  expect(await ask(`${health}/livez`)).toMatchObject({ status: 200 })

  // Now it is: there is a generation, which is not ready before nginx was told.
  project(values, 1, readExample('sidecar', 'site.yaml'))
  await eventually(async () => expect(await ask(`${health}/startupz`)).toMatchObject({ status: 200 }))
  expect(shown()).toContain('Hello from the first generation')
  expect(await ask(`${health}/readyz`)).toMatchObject({ status: 503 })
  await startApplication(nginx, told)
  await eventually(async () => expect(await ask(`${health}/readyz`)).toMatchObject({ status: 200 }))
  expect(readFileSync(told, 'utf8')).toBe('told')

  // It is edited: nginx is told again.
  rmSync(told)
  project(values, 2, 'greeting: changed\nredirects: {}\n')
  await eventually(() => expect(existsSync(told)).toBe(true))
  expect(shown()).toContain('return 200 "changed";')

  sidecar.child.kill('SIGTERM')
  expect(await sidecar.ended).toMatchObject({ code: 0 })
  expect(shown()).toContain('return 200 "changed";')
})

/** Shows values as the kubelet shows a ConfigMap: a link flips from one directory to the next. */
function project(directory: string, number: number, site: string): void {
  const next = `..${number}`
  mkdirSync(join(directory, next))
  writeFileSync(join(directory, next, 'site.yaml'), site)
  symlinkSync(next, join(directory, '..data_tmp'))
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
  if (number === 1) symlinkSync('..data/site.yaml', join(directory, 'site.yaml'))
  else rmSync(join(directory, `..${number - 1}`), { recursive: true })
}

async function ask(url: string): Promise<{ status: number; body: string }> {
  const client = new HttpClient({ keepAlive: false })
  const request = { url, timeoutMs: 5_000 }
  const { status, body } = await client.request(request, systemClock, new AbortController().signal)
  return { status, body: body.toString('utf8') }
}

/** Starts something that goes by a name and writes down when it gets SIGHUP, as nginx would reload. */
async function startApplication(name: string, told: string): Promise<void> {
  const script = `
    const { writeFileSync } = require('node:fs')
    process.on('SIGHUP', () => writeFileSync(process.argv[1], 'told'))
    setInterval(() => {}, 1000)
    process.stdout.write('ready')`
  const child = spawn(process.execPath, ['-e', script, told], { argv0: name, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')))
  await eventually(() => expect(output).toBe('ready'))
}
