import { writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Credential } from '../../lib/base/schema.ts'
import { Redactor, Secret } from '../../lib/base/secret.ts'
import type { HttpHookOptions } from '../../lib/bundle.ts'
import { createHook } from '../../lib/notify/hooks.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'
import { freePort, serve } from '../support/serve.ts'
import { hookErrorOf, hostOf, never, notice } from './fixtures.ts'

function hookOf(options: Partial<HttpHookOptions> & { readonly url: string }, redactor = new Redactor()) {
  const defaults = {
    kind: 'http',
    id: 'http-1',
    method: 'POST',
    headers: new Map(),
    timeoutMs: 5_000,
    expect: undefined,
  }
  return createHook({ ...defaults, ...options } as HttpHookOptions, hostOf({ redactor }))
}

interface Received {
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server that answers each request with `status` and `body`, and keeps what it received. */
async function application(status: number, body = '') {
  const received: Received[] = []
  const serving = await serve((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      received.push({ method: incoming.method, headers: incoming.headers, body: Buffer.concat(chunks).toString() })
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end(body)
    })
  })
  return { ...serving, received }
}

test('tells by a POST whose body is the notice', async () => {
  const { url, received } = await application(204)

  await hookOf({ url: `${url}/-/reload` }).tell(notice, never)

  expect(received).toHaveLength(1)
  expect(received[0]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
  expect(JSON.parse(received[0]?.body ?? '')).toEqual({
    bundle: 'web',
    generation: 42,
    digest: 'd1ge57',
    changed: ['app.conf', 'tls/key.pem'],
    directory: '/run/config/..g42',
  })
})

test('says on a rollback which generation is shown again', async () => {
  const { url, received } = await application(200)

  await hookOf({ url }).tell({ ...notice, restores: 40 }, never)

  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ generation: 42, restores: 40 })
})

test('sends the configured headers, which win over ours', async () => {
  const { url, received } = await application(200)
  const headers = new Map([
    ['Authorization', new Secret('Bearer hunter22')],
    ['Content-Type', new Secret('application/vnd.app+json')],
  ])

  await hookOf({ url, headers, method: 'PUT' }).tell(notice, never)

  expect(received[0]).toMatchObject({
    method: 'PUT',
    headers: { authorization: 'Bearer hunter22', 'content-type': 'application/vnd.app+json' },
  })
})

test('reads a header of a file anew for each try, and masks it in what comes back', async () => {
  const { url, received } = await application(500, 'who is hunter22?')
  const path = join(scratch(), 'token')
  const headers = new Map([['Authorization', new Credential({ path })]])
  const hook = hookOf({ url, headers })

  writeFileSync(path, 'Bearer hunter11\n')
  await hookErrorOf(hook.tell(notice, never))
  writeFileSync(path, 'Bearer hunter22')
  const error = await hookErrorOf(hook.tell(notice, never))

  expect(received.map(request => request.headers.authorization)).toEqual(['Bearer hunter11', 'Bearer hunter22'])
  expect(error.message).toMatch(/answered 500: who is \[secret\]\?$/)
})

test('names the header and the file that it cannot be read from, or that holds more than a line', async () => {
  const { url, received } = await application(200)
  const path = join(scratch(), 'token')
  const hook = hookOf({ url, headers: new Map([['X-Token', new Credential({ path })]]) })

  const missing = await hookErrorOf(hook.tell(notice, never))
  writeFileSync(path, 'hunter22\nhunter33\n')
  const long = await hookErrorOf(hook.tell(notice, never))

  expect(missing).toMatchObject({ code: 'failed', hint: expect.stringContaining('file:') })
  expect(missing.message).toContain(`the header X-Token: cannot read ${path}: ENOENT`)
  expect(long.message).toContain('the header "X-Token" cannot be sent')
  expect(long.message + long.hint).not.toMatch(/hunter/)
  expect(received).toEqual([])
})

test('sends no body with a GET', async () => {
  const { url, received } = await application(200)

  await hookOf({ url, method: 'GET' }).tell(notice, never)

  expect(received[0]).toMatchObject({ method: 'GET', body: '' })
  expect(received[0]?.headers['content-type']).toBeUndefined()
})

test('opens a connection for each try', async () => {
  const serving = await application(200)
  const hook = hookOf({ url: serving.url })

  await hook.tell(notice, never)
  await hook.tell(notice, never)

  expect(serving.connections()).toBe(2)
})

describe('an answer', () => {
  test.for([200, 201, 204, 299])('of %i means told', async status => {
    const { url } = await application(status)

    await expect(hookOf({ url }).tell(notice, never)).resolves.toBeUndefined()
  })

  test.for([302, 304, 400, 404, 500, 503])('of %i is a failure', async status => {
    const { url, port } = await application(status)

    const error = await hookErrorOf(hookOf({ url }).tell(notice, never))

    expect(error.code).toBe('failed')
    expect(error.message).toBe(`127.0.0.1:${port} answered ${status}`)
  })

  test.for([409, 422])('of %i is a refusal, in the application’s own words', async status => {
    const { url } = await application(status, '\u001b[31mport 0\u001b[0m\n  is not\u0007 allowed\r\n')

    const error = await hookErrorOf(hookOf({ url }).tell(notice, never))

    expect(error.code).toBe('refused')
    expect(error.message).toMatch(/answered \d+: port 0 is not allowed$/)
  })

  test('that is expected means told, and nothing else does', async () => {
    const expected = await application(409)
    const other = await application(200)

    await expect(hookOf({ url: expected.url, expect: [409] }).tell(notice, never)).resolves.toBeUndefined()
    expect((await hookErrorOf(hookOf({ url: other.url, expect: [409] }).tell(notice, never))).code).toBe('failed')
  })

  test('that is a long refusal is cut after 1,000 characters, and no secret survives the cut', async () => {
    const redactor = new Redactor()
    redactor.add('hunter22')
    const { url } = await application(409, `hunter22 ${'x'.repeat(985)}hunter22${'y'.repeat(100_000)}`)

    const { message } = await hookErrorOf(hookOf({ url }, redactor).tell(notice, never))

    const words = message.slice(message.indexOf(': ') + 2)
    expect(words).toHaveLength(1_000)
    expect(words).toMatch(/^\[secret\] x+\[sec.*…$/)
    expect(message).not.toContain('hunt')
  })

  test('that redirects is not followed, and the hint says so', async () => {
    const { url } = await application(302)

    expect((await hookErrorOf(hookOf({ url }).tell(notice, never))).hint).toContain('redirects')
  })
})

test('fails when nothing listens, and shows no path and no password', async () => {
  const port = await freePort()

  const error = await hookErrorOf(hookOf({ url: `http://u:hunter22@127.0.0.1:${port}/token` }).tell(notice, never))

  expect(error.code).toBe('failed')
  expect(error.message).toBe(`127.0.0.1:${port}: ECONNREFUSED`)
})

test('fails when the application does not answer in time', async () => {
  const { url } = await serve(() => {})

  const error = await hookErrorOf(hookOf({ url, timeoutMs: 80 }).tell(notice, never))

  expect(error.code).toBe('failed')
  expect(error.message).toContain('80ms')
})

test('ends the request when it is abandoned', async () => {
  const abort = new AbortController()
  let closed = false
  const { url, connections } = await serve(incoming => incoming.on('close', () => (closed = true)))
  const telling = hookOf({ url }).tell(notice, abort.signal)
  await eventually(() => expect(connections()).toBe(1))

  const reason = new Error('superseded')
  abort.abort(reason)

  await expect(telling).rejects.toBe(reason)
  await eventually(() => expect(closed).toBe(true))
})
