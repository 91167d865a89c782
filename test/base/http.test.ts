import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:https'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { OperationalError } from '../../lib/base/errors.ts'
import { HttpClient, type HttpClientOptions, type HttpRequest } from '../../lib/base/http.ts'
import { Secret } from '../../lib/base/secret.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { scratch } from '../support/scratch.ts'
import { freePort, serve } from '../support/serve.ts'

const never = new AbortController().signal

function clientOf(options: HttpClientOptions = {}): HttpClient {
  const client = new HttpClient(options)
  onTestFinished(() => client.close())
  return client
}

function request(options: Partial<HttpRequest> & { readonly url: string }, signal = never, client = clientOf()) {
  return client.request({ timeoutMs: 10_000, ...options }, systemClock, signal)
}

/** A server that speaks whatever `onConnection` makes it. */
async function listenRaw(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    sockets.forEach(socket => socket.destroy())
    await new Promise(resolve => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

async function failureOf(promise: Promise<unknown>): Promise<OperationalError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(OperationalError)
  return error as OperationalError
}

describe('a request', () => {
  test('carries its method, path, headers and body, and gives status, headers and body', async () => {
    const { url } = await serve((incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        response.setHeader('X-Index', '7')
        response.setHeader('X-Twice', ['a', 'b'])
        response.statusCode = 207
        const { method, url: path, headers } = incoming
        response.end(JSON.stringify({ method, path, headers, body: Buffer.concat(chunks).toString() }))
      })
    })
    const headers = new Map<string, string | Secret>([
      ['X-Token', new Secret('hunter22')],
      ['x-plain', 'yes'],
    ])

    const response = await request({ url: `${url}/a%20b?c=d#e`, method: 'PUT', headers, body: 'grüß' })

    expect(response.status).toBe(207)
    expect(response.headers.get('x-index')).toBe('7')
    expect(response.headers.get('x-twice')).toBe('a, b')
    const got = JSON.parse(response.body.toString())
    expect(got).toMatchObject({ method: 'PUT', path: '/a%20b?c=d', body: 'grüß' })
    expect(got.headers).toMatchObject({ 'x-token': 'hunter22', 'x-plain': 'yes', 'content-length': '6' })
  })

  test('sends the user and password of its URL as Basic authorization', async () => {
    const { port } = await serve((incoming, response) => response.end(incoming.headers.authorization))

    const { body } = await request({ url: `http://me:p%40ss@127.0.0.1:${port}/` })

    expect(body.toString()).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  })

  test('follows no redirect', async () => {
    const seen: string[] = []
    const { url } = await serve((incoming, response) => {
      seen.push(incoming.url ?? '')
      response.writeHead(302, { location: '/elsewhere' }).end()
    })

    const { status } = await request({ url: `${url}/here` })

    expect(status).toBe(302)
    expect(seen).toEqual(['/here'])
  })

  test('goes through a Unix socket', async () => {
    const path = join(scratch(), 'http.sock')
    await serve((_, response) => response.end('from the socket'), { path })

    const { body } = await request({ url: 'http://app/status', socketPath: path })

    expect(body.toString()).toBe('from the socket')
  })

  test('reaches an IPv6 address', async () => {
    const { port } = await serve((_, response) => response.end('six'), { host: '::1' })

    const { body } = await request({ url: `http://[::1]:${port}/` })

    expect(body.toString()).toBe('six')
  })

  test('uses no proxy unless asked', async () => {
    const proxied: string[] = []
    const proxy = await serve((incoming, response) => {
      proxied.push(incoming.url ?? '')
      response.end('proxy')
    })
    const target = await serve((_, response) => response.end('target'))
    process.env['http_proxy'] = proxy.url
    onTestFinished(() => void delete process.env['http_proxy'])

    const direct = await request({ url: target.url })
    const asked = await request({ url: target.url }, never, clientOf({ proxyEnvironment: { http_proxy: proxy.url } }))

    expect([direct.body.toString(), asked.body.toString()]).toEqual(['target', 'proxy'])
    expect(proxied).toHaveLength(1)
  })
})

describe('connections', () => {
  test('are kept for the next request', async () => {
    const serving = await serve((_, response) => response.end())
    const client = clientOf()

    for (let i = 0; i < 3; i++) await request({ url: serving.url }, never, client)

    expect(serving.connections()).toBe(1)
  })

  test('are new for each request when that is asked for', async () => {
    const serving = await serve((_, response) => response.end())
    const client = clientOf({ keepAlive: false })

    for (let i = 0; i < 3; i++) await request({ url: serving.url }, never, client)

    expect(serving.connections()).toBe(3)
  })

  /** Answers the first request of the first connection, then cuts that connection when it is used again. */
  async function listenAndCut(): Promise<{ readonly url: string; readonly connections: () => number }> {
    let connections = 0
    const port = await listenRaw(socket => {
      const isFirst = ++connections === 1
      let requests = 0
      socket.on('data', () => {
        if (isFirst && ++requests > 1) socket.resetAndDestroy()
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
      })
    })
    return { url: `http://127.0.0.1:${port}/`, connections: () => connections }
  }

  test('that the server was just closing do not fail a GET', async () => {
    const { url, connections } = await listenAndCut()
    const client = clientOf()
    await request({ url }, never, client)

    const { body } = await request({ url }, never, client)

    expect(body.toString()).toBe('ok')
    expect(connections()).toBe(2)
  })

  test('that the server was just closing fail a POST, which may have been seen', async () => {
    const { url, connections } = await listenAndCut()
    const client = clientOf()
    await request({ url }, never, client)

    const error = await failureOf(request({ url, method: 'POST' }, never, client))

    expect(error.code).toBe('unavailable')
    expect(connections()).toBe(1)
  })
})

describe('a response', () => {
  test('that is longer than its bound is an error', async () => {
    const { url, port } = await serve((_, response) => response.end(Buffer.alloc(11)))

    const fits = await request({ url, responseBytesMax: 11 })
    const error = await failureOf(request({ url, responseBytesMax: 10 }))

    expect(fits.body.length).toBe(11)
    expect(error.code).toBe('invalid-data')
    expect(error.message).toContain(`127.0.0.1:${port}`)
  })

  test('that is longer than its bound is cut there when that is asked for, though it never ends', async () => {
    let closed = false
    const { url } = await serve((_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(1_000, 'x')), 1)
      response.on('close', () => {
        clearInterval(timer)
        closed = true
      })
    })

    const { status, body } = await request({ url, responseBytesMax: 2_500, onExcess: 'cut' })

    expect([status, body.length]).toEqual([200, 2_500])
    await eventually(() => expect(closed).toBe(true))
  })

  test('has a bound without being asked', async () => {
    const { url } = await serve((_, response) => response.end(Buffer.alloc(64 * 1024 + 1)))

    expect((await failureOf(request({ url }))).code).toBe('invalid-data')
  })

  test('that ends early is an error', async () => {
    const port = await listenRaw(socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort'))

    expect((await failureOf(request({ url: `http://127.0.0.1:${port}` }))).code).toBe('unavailable')
  })

  test('that is not HTTP is an error', async () => {
    const port = await listenRaw(socket => socket.end('220 smtp.example.org ESMTP\r\n'))

    expect((await failureOf(request({ url: `http://127.0.0.1:${port}` }))).code).toBe('invalid-data')
  })
})

describe('the deadline', () => {
  const stallers: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['a server that accepts and says nothing', () => {}],
    ['a head that never ends', socket => socket.write('HTTP/1.1 200 OK\r\nx-slow: ')],
    ['a body that stops', socket => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')],
    [
      'a body that trickles',
      socket => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n')
        const timer = setInterval(() => socket.write('x'), 5)
        socket.on('close', () => clearInterval(timer))
      },
    ],
  ]
  for (const [name, stall] of stallers) {
    test(`ends ${name}`, async () => {
      let closed = false
      const port = await listenRaw(socket => {
        stall(socket)
        socket.on('close', () => (closed = true))
        socket.resume()
      })

      const error = await failureOf(request({ url: `http://127.0.0.1:${port}/secret-path`, timeoutMs: 100 }))

      expect(error.code).toBe('timeout')
      expect(error.message).toContain(`127.0.0.1:${port}`)
      expect(error.message).not.toContain('secret-path')
      await eventually(() => expect(closed).toBe(true))
    })
  }

  test('leaves no timer behind when the answer came in time', async () => {
    const { url } = await serve((_, response) => response.end())
    const clock = new FakeClock()

    await clientOf().request({ url, timeoutMs: 60_000 }, clock, never)

    expect(clock.sleeping).toBe(0)
  })
})

describe('the signal', () => {
  test('ends a request under way, which rejects with its reason', async () => {
    const abort = new AbortController()
    let closed = false
    const { url, connections } = await serve(incoming => incoming.on('close', () => (closed = true)))
    const pending = request({ url }, abort.signal)
    await eventually(() => expect(connections()).toBe(1))

    const reason = new Error('enough')
    abort.abort(reason)

    await expect(pending).rejects.toBe(reason)
    await eventually(() => expect(closed).toBe(true))
  })

  test('is not needed to end a request: close() does, too', async () => {
    const client = clientOf()
    const { url, connections } = await serve(() => {})
    const pending = failureOf(request({ url }, never, client))
    await eventually(() => expect(connections()).toBe(1))

    client.close()

    expect((await pending).code).toBe('unavailable')
  })

  test('keeps a request from being sent when it has aborted before', async () => {
    const { url, connections } = await serve((_, response) => response.end())
    const reason = new Error('enough')

    await expect(request({ url }, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(connections()).toBe(0)
  })
})

describe('an error', () => {
  test('names the address and the system’s word when nothing listens', async () => {
    const port = await freePort()

    const error = await failureOf(request({ url: `http://me:hunter22@127.0.0.1:${port}/path?token=hunter22` }))

    expect(error.code).toBe('unavailable')
    expect(error.message).toBe(`127.0.0.1:${port}: ECONNREFUSED`)
    expect(error.hint).toBeDefined()
  })

  test('is unavailable when a name cannot be found', async () => {
    const error = await failureOf(request({ url: 'http://no-such-host.invalid/' }))

    expect(error.code).toBe('unavailable')
    expect(error.message).toMatch(/^no-such-host\.invalid:80: (ENOTFOUND|EAI_AGAIN)$/)
  })

  test('is about the configuration when a header cannot be sent, and does not show it', async () => {
    const headers = new Map([['x-token', new Secret('hunter22\nhunter23')]])

    const error = await failureOf(request({ url: 'http://127.0.0.1:1/', headers }))

    expect(error.code).toBe('bad-config')
    expect(error.message).toContain('x-token')
    expect(error.message).not.toContain('hunter')
  })

  test('is about the configuration when the method cannot be sent', async () => {
    expect((await failureOf(request({ url: 'http://127.0.0.1:1/', method: 'GET /' }))).code).toBe('bad-config')
  })

  test.for(['ftp://example.org/', 'http://me:hunter22@', '/path', ''])(
    'is about the configuration for %j',
    async url => {
      const error = await failureOf(request({ url }))

      expect(error.code).toBe('bad-config')
      expect(error.message).not.toContain('hunter22')
    },
  )
})

describe('https', () => {
  async function serveTls(options: { readonly requestCert?: boolean } = {}) {
    const directory = scratch()
    const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        ...subject,
      ].concat(['-keyout', keyFile, '-out', certFile]),
      { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '' } },
    )
    const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')]
    const server = createTlsServer({ key, cert, ca: cert, rejectUnauthorized: true, ...options }, (_, response) => {
      response.end('over TLS')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    })
    return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, key, cert }
  }

  test('trusts the CA that is given', async () => {
    const { url, cert } = await serveTls()

    const { body } = await request({ url }, never, clientOf({ tls: { ca: cert } }))

    expect(body.toString()).toBe('over TLS')
  })

  test('fails on a certificate that nobody vouches for', async () => {
    const { url } = await serveTls()

    const error = await failureOf(request({ url }))

    expect(error.code).toBe('unavailable')
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(error.hint).toBeDefined()
  })

  test('fails on a certificate of ours that is none', async () => {
    const { url, cert } = await serveTls()

    const error = await failureOf(
      request({ url }, never, clientOf({ tls: { ca: cert, cert: 'hunter22', key: 'hunter22' } })),
    )

    expect(error.code).toBe('bad-config')
    expect(error.message).not.toContain('hunter22')
  })

  test('shows our certificate to a server that asks for one', async () => {
    const { url, key, cert } = await serveTls({ requestCert: true })

    const { status } = await request({ url }, never, clientOf({ tls: { ca: cert, cert, key } }))

    expect(status).toBe(200)
    expect((await failureOf(request({ url }, never, clientOf({ tls: { ca: cert } })))).code).toBe('unavailable')
  })
})

test('a client of http: loads neither TLS nor undici', async () => {
  const { url } = await serve((_, response) => response.end())
  const script = join(scratch(), 'client.ts')
  const lib = join(import.meta.dirname, '../../lib/base')
  writeFileSync(
    script,
    `import { HttpClient } from '${lib}/http.ts'
     import { systemClock } from '${lib}/clock.ts'
     const client = new HttpClient()
     await client.request({ url: process.argv[2], timeoutMs: 5_000 }, systemClock, new AbortController().signal)
     console.log(process.moduleLoadList.filter(name => /undici|NativeModule (tls|https)$/.test(name)).join())`,
  )

  const { stdout } = await promisify(execFile)(process.execPath, [script, url], { env: {} })

  // That the process ended by itself shows that a kept connection does not keep it alive.
  expect(stdout).toBe('\n')
})
