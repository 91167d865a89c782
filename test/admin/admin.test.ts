import { request, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startAdmin, type Admin } from '../../lib/admin/admin.ts'
import { silentLog } from '../../lib/base/log.ts'
import { OperationalError } from '../../lib/errors.ts'
import type { Status } from '../../lib/status.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { bundleStatus, providerStatus, statusOf } from './statuses.ts'

describe('the health listener', () => {
  test('answers each question with 200 while all is well', async () => {
    const { port } = await start(() => statusOf())

    for (const path of ['/livez', '/readyz', '/startupz', '/readyz?verbose']) {
      expect(await ask(port, path)).toMatchObject({ code: 200 })
    }
  })

  test('answers 503 with the reason, a line each, as plain text that nobody keeps', async () => {
    const { port } = await start(() =>
      statusOf({ bundles: [bundleStatus({ generation: undefined, ready: false, summary: 'waiting for é' })] }),
    )

    const answer = await ask(port, '/readyz')

    expect(answer.code).toBe(503)
    expect(answer.body).toBe('not ready\nbundle web: not ready: waiting for é\nprovider local (file): ok: 2 watches\n')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': String(Buffer.byteLength(answer.body)),
      connection: 'close',
    })
    expect((await ask(port, '/startupz')).code).toBe(503)
    expect((await ask(port, '/livez')).code).toBe(200)
  })

  test('takes the age of the loop from its clock', async () => {
    const clock = new FakeClock()
    const admin = await startAdmin({ host: '127.0.0.1', port: 0, status: () => statusOf(), clock, log: silentLog })
    onTestFinished(() => admin.close())

    expect((await ask(admin.port, '/livez')).code).toBe(200)
    await clock.advance(30_001)
    expect((await ask(admin.port, '/livez')).code).toBe(503)
  })

  test('asks for the status anew each time', async () => {
    let ready = false
    const { port } = await start(() => statusOf({ bundles: [bundleStatus({ ready })] }))

    expect((await ask(port, '/readyz')).code).toBe(503)
    ready = true
    expect((await ask(port, '/readyz')).code).toBe(200)
  })

  test('answers HEAD like GET, without the body', async () => {
    const { port } = await start(() => statusOf())

    const get = await ask(port, '/readyz')
    const head = await ask(port, '/readyz', 'HEAD')

    expect(head).toMatchObject({ code: 200, body: '' })
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
  })

  test('knows no other path and no other method', async () => {
    const { port } = await start(() => statusOf())

    for (const path of ['/', '/readyz/', '/metrics', '//readyz', '/%72eadyz']) {
      expect(await ask(port, path)).toMatchObject({ code: 404 })
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect(await ask(port, '/readyz', method)).toMatchObject({ code: 405, headers: { allow: 'GET, HEAD' } })
    }
  })

  test('answers 500 when the status cannot be had, and goes on', async () => {
    let broken = true
    const { port } = await start(() => {
      if (broken) throw new TypeError('a bug')
      return statusOf()
    })

    const answer = await ask(port, '/livez')
    expect(answer.code).toBe(500)
    expect(answer.body).not.toContain('a bug')

    broken = false
    expect((await ask(port, '/livez')).code).toBe(200)
  })

  test('listens on the loopback interface of either family', async () => {
    const admin = await startAdmin({ ...options(), host: '::1' })
    onTestFinished(() => admin.close())

    expect((await ask(admin.port, '/livez', 'GET', '::1')).code).toBe(200)
  })
})

describe('a listener that cannot listen', () => {
  test('says that the port is taken and what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo

    const error = await failure(startAdmin({ ...options(), port }))

    expect(error).toMatchObject({ code: 'unavailable', hint: expect.stringContaining('admin.listen') })
    expect(error.message).toContain(`127.0.0.1:${port}`)
  })

  test('says that the address is not of this machine', async () => {
    const error = await failure(startAdmin({ ...options(), host: '192.0.2.1' }))

    expect(error).toMatchObject({ code: 'bad-config', message: expect.stringContaining('192.0.2.1:0') })
  })
})

describe('a client that means ill', () => {
  test('cannot keep a probe out by holding connections open: the oldest are closed', async () => {
    const { port } = await start(() => statusOf())
    const held = await Promise.all(Array.from({ length: 100 }, () => connected(port)))
    for (const socket of held) socket.write('GET /livez HTTP/1.1\r\nHost: a\r\nX-Slow: ')

    expect((await ask(port, '/livez')).code).toBe(200)
    await eventually(() => expect(held.filter(socket => !socket.destroyed).length).toBeLessThanOrEqual(32))
  })

  test('is cut off when a request does not end, and when none begins', { timeout: 30_000 }, async () => {
    const { port } = await start(() => statusOf())
    const silent = await connected(port)
    const slow = await connected(port)
    slow.write('GET /livez HTTP/1.1\r\n')
    const drip = setInterval(() => slow.write('x'), 500)
    onTestFinished(() => clearInterval(drip))

    await eventually(() => expect([silent.destroyed, slow.destroyed]).toEqual([true, true]), { withinMs: 12_000 })
  })

  test('cannot send headers or a body without end', async () => {
    const { port } = await start(() => statusOf())
    const headers = await connected(port)
    const body = await connected(port)

    headers.write(`GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(64 * 1024)}`)
    body.write('POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nxxxx')

    await eventually(() => expect([headers.destroyed, body.destroyed]).toEqual([true, true]))
    expect((await ask(port, '/livez')).code).toBe(200)
  })

  test('is answered with an error for what is not HTTP', async () => {
    const { port } = await start(() => statusOf())
    const socket = await connected(port)
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))

    socket.write('\x16\x03\x01 hello\r\n\r\n')

    await eventually(() => expect(socket.destroyed).toBe(true))
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  })
})

test('close() closes every connection and frees the port', async () => {
  const admin = await startAdmin(options())
  const held = await connected(admin.port)

  await admin.close()

  await eventually(() => expect(held.destroyed).toBe(true))
  const again = await startAdmin({ ...options(), port: admin.port })
  await again.close()
})

test('says each thing on a line of bounded length, and masks before it cuts', async () => {
  const secret = 'two  spaces and a\ttab'
  const bundles = [bundleStatus({ name: 'a', ready: false, summary: `one ${secret}\ntwo\r\nbundle b: ready\x1b[31m` })]
  const providers = [providerStatus({ error: 'x'.repeat(1_000_000) })]
  const redact = (line: string) => line.replaceAll(secret, '[secret]')
  const admin = await startAdmin({ ...options(), status: () => statusOf({ bundles, providers }), redact })
  onTestFinished(() => admin.close())

  const lines = (await ask(admin.port, '/readyz')).body.trimEnd().split(/[\r\n]/)
  expect(lines).toHaveLength(3)
  expect(lines[1]).toBe('bundle a: not ready: one [secret] two bundle b: ready')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(2_000)
})

test('masks what must not be seen, wherever it comes from', async () => {
  const bundles = [bundleStatus({ ready: false, summary: 'check said: bad password hunter22' })]
  const redact = (line: string) => line.replaceAll('hunter22', '[secret]')
  const admin = await startAdmin({ ...options(), status: () => statusOf({ bundles }), redact })
  onTestFinished(() => admin.close())

  const { body } = await ask(admin.port, '/readyz')

  expect(body).toContain('bad password [secret]')
  expect(body).not.toContain('hunter22')
})

function options() {
  return { host: '127.0.0.1', port: 0, status: () => statusOf(), clock: new FakeClock(), log: silentLog }
}

async function start(status: () => Status): Promise<Admin> {
  const admin = await startAdmin({ ...options(), status })
  onTestFinished(() => admin.close())
  return admin
}

interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(port: number, path: string, method = 'GET', host = '127.0.0.1'): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        resolve({ code: response.statusCode ?? 0, headers: response.headers, body })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** A connection that sends nothing yet, and is closed when the test is over. */
async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

async function failure(promise: Promise<unknown>): Promise<OperationalError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(OperationalError)
  return error as OperationalError
}
