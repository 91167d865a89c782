import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ProviderErrorCode } from '../../../lib/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { GitHttpServer } from '../../support/git-http-server.ts'
import { GitRepository } from '../../support/git-repository.ts'
import { scratch } from '../../support/scratch.ts'
import { countingGit, GitBench, processesWith } from './harness.ts'

const PASSWORD = 'SENTINEL-5f0c hunter:2'
const TOKEN = Buffer.from(`bot:${PASSWORD}`).toString('base64')

async function served(): Promise<{ repository: GitRepository; server: GitHttpServer; url: string }> {
  const repository = await GitRepository.make()
  const server = await GitHttpServer.start(dirname(repository.path))
  onTestFinished(() => server.close())
  return { repository, server, url: `${server.url}/repository.git` }
}

describe('over HTTP', () => {
  test('reads, and asks with two requests when nothing changed', async () => {
    const { repository, server, url } = await served()
    await repository.commit({ a: '1' })
    const bench = await GitBench.open({ url })
    expect(await bench.files()).toEqual({ a: '1' })
    await repository.commit({ a: '2' })
    expect(await bench.files()).toEqual({ a: '2' })
    server.requests.length = 0
    await bench.read()
    expect(server.requests).toHaveLength(2)
  })

  test('proves who it is at the first request, with a password that may change', async () => {
    const { repository, server, url } = await served()
    await repository.commit({ a: '1' })
    server.credentials = `bot:${PASSWORD}`
    const file = join(scratch(), 'password')
    await writeFile(file, `${PASSWORD}\n`)
    const bench = await GitBench.open({ url, auth: { username: 'bot', password: `file:${file}` } })
    expect(await bench.files()).toEqual({ a: '1' })
    server.requests.length = 0
    await bench.read()
    expect(server.requests).toHaveLength(2)
    server.credentials = 'bot:rotated'
    const failure = await bench.failure()
    expect(failure.code).toBe('unauthenticated')
    expect(failure.hint).toContain('expired')
    expect(failure.message).not.toContain('prompt')
    await writeFile(file, 'rotated')
    expect(await bench.files()).toEqual({ a: '1' })
  })

  test('takes the credentials of the URL and shows them nowhere', async () => {
    const { repository, server, url } = await served()
    await repository.commit({ a: '1' })
    server.credentials = `bot:${PASSWORD}`
    const { environment, calls } = countingGit()
    const full = url.replace('http://', `http://bot:${encodeURIComponent(PASSWORD)}@`)
    const bench = await GitBench.open({ url: full }, { environment })
    expect(await bench.files()).toEqual({ a: '1' })
    server.credentials = 'bot:other'
    const failure = await bench.failure()
    server.credentials = `bot:${PASSWORD}`
    const health = await bench.provider.check?.(new AbortController().signal)
    const shown = [
      failure.message,
      failure.hint,
      health?.message,
      ...bench.logged,
      ...calls(),
      await contentsOf(bench.directory),
    ]
    expect(health?.ok).toBe(true)
    for (const text of ['SENTINEL', encodeURIComponent(PASSWORD), TOKEN]) expect(shown.join('\n')).not.toContain(text)
  })

  test('holds no credential in the arguments of any process while it fetches', async () => {
    const { repository, server, url } = await served()
    await repository.commit(Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`f${i}`, `${i}`.repeat(500)])))
    server.credentials = `bot:${PASSWORD}`
    const bench = await GitBench.open({ url, auth: { username: 'bot', password: PASSWORD } })
    const state = { reading: true }
    const read = bench.files().finally(() => (state.reading = false))
    const leaks = new Set<string>()
    let sightings = 0
    while (state.reading) {
      sightings += processesWith(url, 'cmdline').length
      for (const text of ['SENTINEL', TOKEN]) if (processesWith(text, 'cmdline').length > 0) leaks.add(text)
      await new Promise(resolve => setImmediate(resolve))
    }
    expect(Object.keys(await read)).toHaveLength(400)
    expect(sightings).toBeGreaterThan(0)
    expect([...leaks]).toEqual([])
  })

  test('sends the credentials to nobody else: redirects are not followed', async () => {
    const { url, server } = await served()
    const other = await served()
    await other.repository.commit({ a: '1' })
    server.status = 302
    server.headers = { location: `${other.url}/info/refs?service=git-upload-pack` }
    const bench = await GitBench.open({ url, auth: { username: 'bot', password: PASSWORD } })
    expect((await bench.failure()).code).toBe('invalid-data')
    expect(other.server.requests).toEqual([])
  })

  test('warns once when a password goes over plain HTTP', async () => {
    const { url } = await served()
    const bench = await GitBench.open({ url, auth: { username: 'bot', password: PASSWORD } })
    expect(bench.logged.filter(line => line.includes('without encryption'))).toHaveLength(1)
    expect(bench.logged.join('')).not.toContain('SENTINEL')
  })

  test.each<[number, ProviderErrorCode]>([
    [401, 'unauthenticated'],
    [403, 'forbidden'],
    [404, 'invalid-data'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('a status of %d is %s, and the next read succeeds', async (status, code) => {
    const { repository, server, url } = await served()
    await repository.commit({ a: '1' })
    server.status = status
    const bench = await GitBench.open({ url })
    const failure = await bench.failure()
    expect(failure.code).toBe(code)
    expect(failure.message).toContain(url)
    server.status = undefined
    expect(await bench.files()).toEqual({ a: '1' })
  })

  test('a repository that is not there is told apart from a server that is not', async () => {
    const { server, url } = await served()
    const other = url.replace('repository', 'other')
    expect((await (await GitBench.open({ url: other })).failure()).code).toBe('invalid-data')
    await server.close()
    expect((await (await GitBench.open({ url: other })).failure()).code).toBe('unavailable')
    expect((await (await GitBench.open({ url: 'http://host.invalid/x.git' })).failure()).code).toBe('unavailable')
  })

  test('a password file that is not there is a bad configuration that names it', async () => {
    const { url } = await served()
    const bench = await GitBench.open({ url, auth: { username: 'bot', password: 'file:missing' } })
    const failure = await bench.failure()
    expect(failure.code).toBe('bad-config')
    expect(failure.message).toContain('missing')
  })
})

describe('over HTTPS', () => {
  test('reads from a server whose authority our environment names, and from no other', async () => {
    const directory = scratch()
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const made = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test'
    const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]
    await promisify(execFile)('openssl', [...made.split(' '), ...names])
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const tls = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
    const server = await GitHttpServer.start(dirname(repository.path), tls)
    onTestFinished(() => server.close())
    server.credentials = `bot:${PASSWORD}`
    const options = { url: `${server.url}/repository.git`, auth: { username: 'bot', password: PASSWORD } }
    const failure = await (await GitBench.open(options)).failure()
    expect(failure.code).toBe('unavailable')
    expect(failure.hint).toContain('GIT_SSL_CAINFO')
    expect(server.requests).toEqual([])
    const bench = await GitBench.open(options, { environment: { GIT_SSL_CAINFO: cert } })
    expect(await bench.files()).toEqual({ a: '1' })
    expect(bench.logged).toEqual([])
  })
})

test('a local repository that is not there is an error that says so', async () => {
  const failure = await (await GitBench.open({ url: join(scratch(), 'none.git') })).failure()
  expect(failure.code).toBe('invalid-data')
})

describe('a server that never answers', () => {
  test('is cut off at the deadline, and no process is left', async () => {
    const { port, connections } = await hangingServer()
    const bench = await GitBench.open({ url: `http://127.0.0.1:${port}/hang.git`, timeout: '1s' })
    const start = performance.now()
    const reading = bench.failure()
    await eventually(() => expect(connections()).toBe(1))
    expect(processesWith(`127.0.0.1:${port}/hang.git`, 'cmdline').length).toBeGreaterThan(1)
    expect((await reading).code).toBe('timeout')
    expect(performance.now() - start).toBeLessThan(3_500)
    expect(processesWith(`127.0.0.1:${port}/hang.git`, 'cmdline')).toEqual([])
  })

  test('is left at once when the watch is aborted', async () => {
    const { port, connections } = await hangingServer()
    const bench = await GitBench.open({ url: `http://127.0.0.1:${port}/hang.git` })
    const controller = new AbortController()
    const reading = bench.read(controller.signal)
    await eventually(() => expect(connections()).toBe(1))
    const start = performance.now()
    controller.abort(new Error('over'))
    await expect(reading).rejects.toThrow('over')
    expect(performance.now() - start).toBeLessThan(2_000)
    expect(processesWith(`127.0.0.1:${port}/hang.git`, 'cmdline')).toEqual([])
  })

  test('holds up no other provider, and a read that waits behind one can be aborted', async () => {
    const { port } = await hangingServer()
    const repository = await GitRepository.make()
    await repository.commit({ a: '1' })
    const hanging = await GitBench.open({ url: `http://127.0.0.1:${port}/hang.git`, timeout: '2s' })
    const first = hanging.failure()
    const controller = new AbortController()
    const second = hanging.read(controller.signal)
    expect(await (await GitBench.open({ url: repository.url })).files()).toEqual({ a: '1' })
    controller.abort(new Error('over'))
    await expect(second).rejects.toThrow('over')
    expect((await first).code).toBe('timeout')
  })
})

async function hangingServer(): Promise<{ port: number; connections: () => number }> {
  const server: Server = createServer(socket => {
    count++
    socket.on('error', () => {})
    socket.resume()
  })
  let count = 0
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>(resolve => server.close(() => resolve())))
  return { port: (server.address() as AddressInfo).port, connections: () => count }
}

async function contentsOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  const contents = await Promise.all(files.map(entry => readFile(join(entry.parentPath, entry.name), 'latin1')))
  return contents.join('\n')
}
