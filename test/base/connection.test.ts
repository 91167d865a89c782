import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Connection, type ConnectionOptions } from '../../lib/base/connection.ts'
import { proxyEnvironmentOf } from '../../lib/base/connection-options.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { scratch } from '../support/scratch.ts'
import { serve } from '../support/serve.ts'
import { issue, newAuthority } from '../support/vault-double-pki.ts'

const authority = newAuthority('authority')

/** A server that wants a certificate and answers with its name. */
async function serveMutual() {
  const { certificate, key } = issued('server')
  const server = createServer(
    { cert: certificate, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
    (request, response) => response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function issued(name: string) {
  return issue(authority, { names: [name], addresses: [Uint8Array.of(127, 0, 0, 1)], seconds: 600 })
}

function connectionOf(options: ConnectionOptions): (url: string) => Promise<string> {
  const connection = new Connection(options)
  onTestFinished(() => connection.close())
  return async url => {
    const { body } = await connection.request({ url, timeoutMs: 10_000 }, clock, new AbortController().signal)
    return body.toString()
  }
}

const clock = new FakeClock()

test('a certificate that was replaced is shown by the next request', async () => {
  const url = await serveMutual()
  const directory = scratch()
  const paths = {
    certificate: join(directory, 'cert.pem'),
    key: join(directory, 'key.pem'),
    caDirectory: join(directory),
  }
  writeFileSync(join(directory, 'ca.pem'), authority.certificate)
  const show = (name: string) => {
    const { certificate, key } = issued(name)
    writeFileSync(paths.certificate, certificate)
    writeFileSync(paths.key, key)
  }
  show('one')
  const request = connectionOf({ tls: paths })
  expect(await request(url)).toBe('one')

  show('two')
  expect(await request(url)).toBe('one')
  await clock.advance(1_000)

  expect(await request(url)).toBe('two')
})

test('a file that cannot be read is named', async () => {
  const url = await serveMutual()
  const directory = scratch()
  const ca = join(directory, 'ca.pem')
  await expect(connectionOf({ tls: { ca } })(url)).rejects.toMatchObject({
    code: 'bad-config',
    message: `${ca}: cannot be read: ENOENT`,
  })
  writeFileSync(ca, 'no certificate')
  await expect(connectionOf({ tls: { ca } })(url)).rejects.toMatchObject({ message: `${ca}: not a PEM file` })
  expect(readFileSync(ca, 'utf8')).toBe('no certificate')
})

test('a Unix socket is connected to in place of the host', async () => {
  const socketPath = join(scratch(), 'socket')
  await serve((_, response) => response.end('over the socket'), { path: socketPath })

  expect(await connectionOf({ socketPath })('http://localhost/')).toBe('over the socket')
})

test('a proxy is asked in place of the host, save for this machine when it is one of the environment', async () => {
  const { url } = await serve((request, response) => response.end(`proxied ${request.url}`))

  expect(await connectionOf({ proxyEnvironment: proxyEnvironmentOf(url, {}) })('http://a.invalid/b')).toBe(
    'proxied http://a.invalid/b',
  )
  const environment = proxyEnvironmentOf(undefined, { HTTP_PROXY: url, NO_PROXY: 'c.invalid' })
  expect(await connectionOf({ proxyEnvironment: environment })('http://a.invalid/b')).toBe('proxied http://a.invalid/b')
  const direct = await serve((_, response) => response.end('direct'))
  expect(await connectionOf({ proxyEnvironment: environment })(direct.url)).toBe('direct')
  expect(proxyEnvironmentOf(undefined, { NO_PROXY: 'x', PATH: '/bin' })).toBeUndefined()
})
