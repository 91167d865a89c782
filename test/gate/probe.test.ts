import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { ProbeOptions } from '../../lib/bundle.ts'
import { runProbe } from '../../lib/gate/probe.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'
import { freePort, serve } from '../support/serve.ts'

const never = new AbortController().signal

/** A probation of a single try, unless the options say otherwise. */
function probe(target: ProbeOptions['target'], options: Partial<ProbeOptions> = {}, signal = never) {
  const redactor = new Redactor()
  redactor.add('hunter22')
  const host = { clock: systemClock, redactor, environment: { PATH: '/usr/bin:/bin', TOKEN: 'hunter22' } }
  return runProbe({ target, forMs: 0, everyMs: 1_000, timeoutMs: 5_000, ...options }, host, signal)
}

describe('over HTTP', () => {
  test.for([
    [200, undefined, true],
    [204, undefined, true],
    [302, undefined, false],
    [404, undefined, false],
    [503, undefined, false],
    [503, [503], true],
    [200, [503], false],
  ] as const)('an answer of %i where %j is expected: %j', async ([status, expected, well]) => {
    const { url, port } = await serve((_, response) => response.writeHead(status).end())

    const verdict = await probe({ http: `${url}/healthz`, expect: expected })

    const why = `unwell after 0ms: 127.0.0.1:${port} answered ${status}`
    expect(verdict).toEqual(well ? { ok: true } : { ok: false, why })
  })

  test('an application that cannot be reached is unwell', async () => {
    const port = await freePort()

    const verdict = await probe({ http: `http://me:hunter22@127.0.0.1:${port}/hunter22`, expect: undefined })

    expect(verdict).toEqual({ ok: false, why: `unwell after 0ms: 127.0.0.1:${port}: ECONNREFUSED` })
  })

  test('an application that does not answer in time is unwell', async () => {
    const { url } = await serve(() => {})

    const verdict = await probe({ http: url, expect: undefined }, { timeoutMs: 80 })

    expect(verdict).toMatchObject({ ok: false, why: expect.stringContaining('80ms') as string })
  })

  test('an endless answer counts by its status', async () => {
    const { url } = await serve((_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(50_000)), 1)
      response.on('close', () => clearInterval(timer))
    })

    expect(await probe({ http: url, expect: undefined })).toEqual({ ok: true })
  })

  test('each try has a connection of its own', async () => {
    const serving = await serve((_, response) => response.end())

    const verdict = await probe({ http: serving.url, expect: undefined }, { forMs: 100, everyMs: 20 })

    expect(verdict.ok).toBe(true)
    expect(serving.connections()).toBeGreaterThanOrEqual(3)
  })

  test('an application that comes up in time is well', async () => {
    let requests = 0
    const { url } = await serve((_, response) => response.writeHead(++requests < 3 ? 503 : 200).end())

    expect(await probe({ http: url, expect: undefined }, { forMs: 300, everyMs: 20 })).toEqual({ ok: true })
  })
})

describe('by command', () => {
  test('exit code 0 is well', async () => {
    expect(await probe({ command: ['true'] })).toEqual({ ok: true })
  })

  test('anything else is unwell, with its last line, masked', async () => {
    const verdict = await probe({ command: ['/bin/sh', '-c', 'echo first >&2; echo no hunter22 >&2; exit 4'] })

    expect(verdict).toEqual({ ok: false, why: 'unwell after 0ms: /bin/sh exited with 4: no [secret]' })
  })

  test('it gets the small environment', async () => {
    expect(await probe({ command: ['/bin/sh', '-c', 'test -z "$TOKEN"'] })).toEqual({ ok: true })
  })

  test('it may take its time, and no more', async () => {
    const verdict = await probe({ command: ['sleep', '60'] }, { timeoutMs: 100 })

    expect(verdict).toEqual({ ok: false, why: 'unwell after 0ms: sleep did not end within 100ms' })
  })
})

test('an abandoned probe rejects with the reason', async () => {
  const file = join(scratch(), 'started')
  const abort = new AbortController()
  const probing = probe({ command: ['/bin/sh', '-c', `touch ${file}; sleep 60`] }, {}, abort.signal)
  await eventually(() => expect(existsSync(file)).toBe(true))

  const reason = new Error('enough')
  abort.abort(reason)

  await expect(probing).rejects.toBe(reason)
})
