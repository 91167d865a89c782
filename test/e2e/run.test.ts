import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { GitRepository } from '../support/git-repository.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { freePort, serve } from '../support/serve.ts'

interface Config {
  readonly providers?: Record<string, unknown>
  readonly bundle: Record<string, unknown>
  readonly admin?: unknown
}

function write(root: string, { providers, bundle, admin }: Config): string {
  const file = join(root, 'outrigger.yaml')
  const config = {
    providers: { local: { type: 'file', path: './values' }, ...providers },
    bundles: { web: { settle: { quiet: '20ms', longest: '200ms' }, ...bundle } },
    state: './state',
    ...(admin === undefined ? {} : { admin }),
  }
  writeFileSync(file, JSON.stringify(config, undefined, 2))
  return file
}

function place(): string {
  const root = scratch()
  mkdirSync(join(root, 'values'))
  writeFileSync(join(root, 'values', 'v'), 'one')
  return root
}

const VOLUME = { volume: './volume', files: [{ path: 'app.conf', content: '{{ ref "local://v" }}' }] }

async function shows(root: string, text: string): Promise<void> {
  await eventually(() => expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe(text))
}

/** An application that writes down each SIGHUP, and its process id. */
function startApplication(root: string): string {
  const log = join(root, 'signals')
  const script = `
    const { appendFileSync, writeFileSync } = require('node:fs')
    process.on('SIGHUP', () => appendFileSync(${JSON.stringify(log)}, 'hup\\n'))
    writeFileSync(${JSON.stringify(join(root, 'app.pid'))}, String(process.pid))
    setInterval(() => {}, 1e6)
  `
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  onTestFinished(async () => {
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  })
  return log
}

test('changes in a directory and in a Git repository are published together, and told by SIGHUP, HTTP and a command', async () => {
  const root = place()
  const repository = await GitRepository.make()
  await repository.commit({
    'values.yaml': 'port: 8080\n',
    'conf.d/a.conf': 'a1',
    'conf.d/deep/b.conf': { executable: 'b1' },
  })
  const signals = startApplication(root)
  await eventually(() => expect(existsSync(join(root, 'app.pid'))).toBe(true))
  const notices: Record<string, unknown>[] = []
  const { url } = await serve((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      notices.push(JSON.parse(body) as Record<string, unknown>)
      response.end()
    })
  })
  const told = join(root, 'told')
  const config = write(root, {
    providers: { repo: { type: 'git', url: repository.url, ref: 'main', poll: '100ms' } },
    bundle: {
      volume: './volume',
      files: [
        { path: 'app.conf', content: '{{ ref "local://v" }}:{{ (data "repo://values.yaml").port }}', mode: '0644' },
        { path: 'conf.d', tree: 'repo://conf.d' },
      ],
      checks: [{ command: ['grep', '-q', ':', '{staged}/app.conf'] }],
      hooks: [
        { signal: 'SIGHUP', pidFile: join(root, 'app.pid') },
        { http: `${url}/reload` },
        { command: ['sh', '-c', `echo "$OUTRIGGER_GENERATION $OUTRIGGER_CHANGED" >> ${told}`] },
      ],
    },
  })
  startBuilt(['run', '-c', config])
  await shows(root, 'one:8080')
  await eventually(() => expect(readFileSync(told, 'utf8')).toContain('1 '))

  await repository.commit({ 'values.yaml': 'port: 9090\n', 'conf.d/a.conf': 'a2' })
  await shows(root, 'one:9090')
  await eventually(() => expect(notices).toHaveLength(2))
  writeFileSync(join(root, 'values', 'v'), 'two')
  await shows(root, 'two:9090')
  await eventually(() => expect(notices).toHaveLength(3))
  await eventually(() => expect(readFileSync(signals, 'utf8')).toBe('hup\nhup\nhup\n'))

  expect(readFileSync(join(root, 'volume', 'conf.d', 'a.conf'), 'utf8')).toBe('a2')
  expect(readFileSync(join(root, 'volume', 'conf.d', 'deep', 'b.conf'), 'utf8')).toBe('b1')
  expect(notices).toMatchObject([
    { bundle: 'web', generation: 1, changed: ['app.conf', 'conf.d/a.conf', 'conf.d/deep/b.conf'] },
    { generation: 2, changed: ['app.conf', 'conf.d/a.conf'], directory: join(root, 'volume', '..g2') },
    { generation: 3, changed: ['app.conf'] },
  ])
  expect(readFileSync(told, 'utf8').split('\n').slice(-2)).toEqual(['3 app.conf', ''])
})

test('SIGTERM ends it with 0, and leaves what is published', async () => {
  const root = place()
  const { child, ended } = startBuilt(['run', '-c', write(root, { bundle: VOLUME })])
  await shows(root, 'one')
  child.kill('SIGTERM')

  expect(await ended).toMatchObject({ code: 0 })
  expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe('one')
  expect(readdirSync(join(root, 'volume')).toSorted()).toEqual(['..data', '..g1', 'app.conf'])
})

test('SIGHUP loads the configuration again, and keeps the old one when it is wrong', async () => {
  const root = place()
  const config = write(root, { bundle: VOLUME })
  const { child, stderr } = startBuilt(['run', '-c', config])
  await shows(root, 'one')
  writeFileSync(config, 'bundles: { web: { nonsense: 1 } }\n')
  child.kill('SIGHUP')
  await eventually(() => expect(stderr()).toContain('the old one stays'))
  expect(stderr()).toContain('bundles.web.nonsense')
  writeFileSync(join(root, 'values', 'v'), 'two')
  await shows(root, 'two')

  write(root, { bundle: { ...VOLUME, files: [{ path: 'app.conf', content: 'new: {{ ref "local://v" }}' }] } })
  child.kill('SIGHUP')
  await shows(root, 'new: two')
})

test('a second writer on a volume does not start, and says who holds it', async () => {
  const root = place()
  const { child } = startBuilt(['run', '-c', write(root, { bundle: VOLUME })])
  await shows(root, 'one')
  const other = join(root, 'other.yaml')
  const config = JSON.parse(readFileSync(join(root, 'outrigger.yaml'), 'utf8')) as Record<string, unknown>
  writeFileSync(other, JSON.stringify({ ...config, state: './other-state' }))
  const { code, stderr } = await runBuilt(['once', '-c', other])

  expect(code).toBe(1)
  expect(stderr).toContain(join(root, 'volume'))
  expect(stderr).toContain(String(child.pid))
  expect(readlinkSync(join(root, 'volume', '..data'))).toBe('..g1')
})

test('the health listener says what is not ready, and why', async () => {
  const root = place()
  const port = await freePort()
  const config = write(root, {
    bundle: { ...VOLUME, files: [{ path: 'app.conf', content: '{{ ref "local://later" }}' }] },
    admin: { listen: `127.0.0.1:${port}` },
  })
  startBuilt(['run', '-c', config])
  await eventually(async () => expect(await ask(port, '/readyz')).toMatchObject({ status: 503 }))
  await eventually(async () => expect((await ask(port, '/readyz')).body).toContain('local://later'))
  expect(await ask(port, '/livez')).toMatchObject({ status: 200 })
  expect(await ask(port, '/startupz')).toMatchObject({ status: 503 })

  writeFileSync(join(root, 'values', 'later'), 'here')
  await eventually(async () => expect(await ask(port, '/readyz')).toMatchObject({ status: 200 }))
  expect(await ask(port, '/startupz')).toMatchObject({ status: 200 })
})

test('once --no-hooks publishes for an application that has not started, and run tells nobody afterwards', async () => {
  const root = place()
  const told = join(root, 'told')
  const config = write(root, { bundle: { ...VOLUME, hooks: [{ command: ['sh', '-c', `echo told >> ${told}`] }] } })
  expect(await runBuilt(['once', '-c', config, '--no-hooks'])).toMatchObject({ code: 0 })
  const { child, ended } = startBuilt(['run', '-c', config, '--log-level', 'debug'])
  await eventually(() => expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe('one'))
  writeFileSync(join(root, 'values', 'v'), 'two')
  await shows(root, 'two')
  await eventually(() => expect(existsSync(told)).toBe(true))
  child.kill('SIGTERM')
  await ended

  expect(readFileSync(told, 'utf8')).toBe('told\n')
})

function ask(port: number, path: string): Promise<{ status: number | undefined; body: string }> {
  const { get } = process.getBuiltinModule('node:http')
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, response => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode, body }))
    }).on('error', reject)
  })
}
