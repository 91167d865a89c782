import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { runBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { serve } from '../support/serve.ts'
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
