import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { askControl } from '../../lib/admin/ask-control.ts'
import { startControl, type ControlOptions } from '../../lib/admin/control.ts'
import { systemClock } from '../../lib/base/clock.ts'
import { jsonLog } from '../../lib/base/json-log.ts'
import { silentLog } from '../../lib/base/log.ts'
import { Redactor } from '../../lib/base/secret.ts'
import type { Refreshed } from '../../lib/refreshed.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'

const never = new AbortController().signal

function came(bundle: string, more: Partial<Refreshed> = {}): Refreshed {
  return { bundle, outcome: 'unchanged', summary: 'unchanged at generation 1', unread: [], more: 0, ...more }
}

async function start(given: Partial<ControlOptions> = {}) {
  const directory = given.directory ?? scratch()
  const control = await startControl({
    directory,
    bundles: ['web', 'api'],
    refresh: async bundles => bundles.map(name => came(name)),
    redact: text => text,
    clock: systemClock,
    log: silentLog,
    signal: never,
    ...given,
  })
  onTestFinished(() => control.close())
  return { directory, close: () => control.close() }
}

const QUESTION = { bundles: ['web'], timeoutMs: 1_000 }

function ask(directory: string, question: unknown = QUESTION, path = '/refresh', signal = never) {
  return askControl(directory, path, question, 20_000, systemClock, signal)
}

async function connected(directory: string): Promise<Socket> {
  const socket = connect(join(directory, 'control.sock'))
  socket.on('error', () => {}).resume()
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe('the control socket', () => {
  test('is its owner’s alone, and nothing else is left in the directory', async () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const { directory } = await start()

    expect(statSync(join(directory, 'control.sock')).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['control.sock'])
  })

  test('cannot be reached by others at any moment, from when it listens', async () => {
    const before = process.umask(0)
    onTestFinished(() => void process.umask(before))
    const directory = scratch()
    const seen = new Set<string>()
    let isStarting = true
    const watching = (async () => {
      while (isStarting) {
        for (const name of readdirSync(directory)) seen.add(`${name} ${modeOf(join(directory, name))}`)
        await new Promise(resolve => setImmediate(resolve))
      }
    })()
    await start({ directory })
    isStarting = false
    await watching

    // A directory that nobody else can enter, and then the socket as it is.
    seen.add(`control.sock ${modeOf(join(directory, 'control.sock'))}`)
    for (const each of seen) expect(['control.new 700', 'control.sock 600', 'control.new gone']).toContain(each)
  })

  test('takes the place of one that a killed process has left, and of what such a one was about to make', async () => {
    const directory = scratch()
    const left = createServer().listen(join(directory, 'left.sock'))
    await once(left, 'listening')
    symlinkSync('left.sock', join(directory, 'control.sock'))
    mkdirSync(join(directory, 'control.new'))
    writeFileSync(join(directory, 'control.new', '..control'), '')
    left.close()
    await start({ directory })

    expect(lstatSync(join(directory, 'control.sock')).isSocket()).toBe(true)
    expect(await ask(directory)).toMatchObject({ status: 200 })
  })

  test('is reached however long the path of its directory is', async () => {
    const directory = join(scratch(), 'long'.repeat(20), 'long'.repeat(20))
    mkdirSync(directory, { recursive: true })
    await start({ directory })

    expect(directory.length).toBeGreaterThan(160)
    expect(await ask(directory)).toMatchObject({ status: 200 })
  })

  test('that cannot be made is a warning with its path and the next step, and all else goes on', async () => {
    const directory = scratch()
    mkdirSync(join(directory, 'control.sock', 'in the way'), { recursive: true })
    const lines: string[] = []
    const log = jsonLog({ level: 'info', redactor: new Redactor(), write: line => lines.push(line) })
    const control = await start({ directory, log })

    expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { level: 'warn', path: join(directory, 'control.sock'), hint: expect.stringContaining('state directory') },
    ])
    expect(readdirSync(directory)).toEqual(['control.sock'])
    await control.close()
    expect(existsSync(join(directory, 'control.sock', 'in the way'))).toBe(true)
  })

  test('is gone when it is closed, which may be done twice', async () => {
    const { directory, close } = await start()
    const socket = await connected(directory)
    await Promise.all([close(), close()])

    expect(readdirSync(directory)).toEqual([])
    await eventually(() => expect(socket.destroyed).toBe(true))
  })
})

describe('a question', () => {
  test('is answered with what came of each bundle that it names, once', async () => {
    const asked: unknown[] = []
    const { directory } = await start({
      refresh: async (bundles, timeoutMs) => {
        asked.push([bundles, timeoutMs])
        return bundles.map(name => came(name))
      },
    })

    expect(await ask(directory, { bundles: ['api', 'api'], timeoutMs: 5 })).toEqual({
      status: 200,
      body: [came('api')],
    })
    expect(await ask(directory, { bundles: [], timeoutMs: 6 })).toEqual({
      status: 200,
      body: [came('web'), came('api')],
    })
    expect(asked).toEqual([
      [['api'], 5],
      [['web', 'api'], 6],
    ])
  })

  test('may take longer than a request may', { timeout: 30_000 }, async () => {
    const { directory } = await start({
      refresh: async () => {
        await systemClock.sleep(5_000, never)
        return [came('web')]
      },
    })

    expect(await ask(directory)).toMatchObject({ status: 200 })
  })

  test('about a bundle that is not there names the nearest', async () => {
    const { directory } = await start()

    expect(await ask(directory, { ...QUESTION, bundles: ['wbe'] })).toEqual({
      status: 422,
      body: { error: 'no bundle is named "wbe"', hint: 'did you mean "web"?' },
    })
    expect(await ask(directory, { ...QUESTION, bundles: ['nothing alike'] })).toMatchObject({
      body: { hint: 'the configuration at work has web, api' },
    })
  })

  test.each([
    ['nothing', undefined],
    ['no names', { timeoutMs: 1 }],
    ['no time', { bundles: [] }],
    ['a time without an end', { bundles: [], timeoutMs: 3_600_001 }],
    ['a time before now', { bundles: [], timeoutMs: -1 }],
    ['names that are none', { bundles: [1], timeoutMs: 1 }],
    ['something else besides', { ...QUESTION, also: true }],
    ['a list', [QUESTION]],
  ])('of %s is refused', async (_, question) => {
    const { directory } = await start({ refresh: () => Promise.reject(new TypeError('it was asked')) })

    expect(await ask(directory, question ?? '')).toMatchObject({
      status: 400,
      body: { hint: expect.stringContaining('timeoutMs') },
    })
  })

  test('elsewhere, or too long, is refused', async () => {
    const { directory } = await start()

    expect(await ask(directory, QUESTION, '/readyz')).toMatchObject({ status: 404 })
    const bundles = Array.from({ length: 20_000 }, () => 'web')
    const long = await ask(directory, { ...QUESTION, bundles }).catch((error: unknown) => error)
    // It is refused before all of it was sent, which a client may notice first.
    expect([{ status: 413 }, { code: 'EPIPE' }, { code: 'ECONNRESET' }]).toContainEqual(
      expect.objectContaining(pick(long)),
    )
    expect(await ask(directory)).toMatchObject({ status: 200 })
  })

  test('that meets a bug is answered with that, and the log says what', async () => {
    const lines: string[] = []
    const log = jsonLog({ level: 'error', redactor: new Redactor(), write: line => lines.push(line) })
    const { directory } = await start({ refresh: () => Promise.reject(new TypeError('a bug')), log })

    expect(await ask(directory)).toMatchObject({ status: 500, body: { hint: 'the log says why' } })
    expect(lines.join('')).toContain('a bug')
  })

  test('is given up when whoever asked is gone', async () => {
    const asked: AbortSignal[] = []
    const { directory } = await start({
      refresh: (_, __, signal) => {
        asked.push(signal)
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const leaving = new AbortController()
    const answer = ask(directory, QUESTION, '/refresh', leaving.signal)
    answer.catch(() => {})
    await eventually(() => expect(asked).toHaveLength(1))
    leaving.abort(new Error('enough'))

    await expect(answer).rejects.toThrow('enough')
    await eventually(() => expect(asked[0]?.aborted).toBe(true))
  })

  test('that is under way at the end is answered with that', async () => {
    const ending = new AbortController()
    let isAsked = false
    const { directory, close } = await start({
      signal: ending.signal,
      refresh: (_, __, signal) => {
        isAsked = true
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    const answer = ask(directory)
    await eventually(() => expect(isAsked).toBe(true))
    ending.abort(new Error('stopping'))
    await close()

    expect(await answer).toMatchObject({ status: 503, body: { hint: expect.stringContaining('ask again') } })
  })

  test('masks in what people read what must not be seen, and in nothing else', async () => {
    const { directory } = await start({
      redact: text => text.replaceAll('unchanged', '[secret]'),
      refresh: async () => [
        came('unchanged', {
          unread: [{ dependency: 'unchanged', code: 'unchanged', message: 'unchanged', hint: 'unchanged' }],
        }),
      ],
    })

    expect(await ask(directory)).toMatchObject({
      body: [
        {
          bundle: 'unchanged',
          outcome: 'unchanged',
          summary: '[secret] at generation 1',
          unread: [{ dependency: '[secret]', code: 'unchanged', message: '[secret]', hint: '[secret]' }],
        },
      ],
    })
  })
})

describe('a client that means ill, or hangs', () => {
  test('is cut off when a request does not end, and when none begins', { timeout: 30_000 }, async () => {
    const { directory } = await start()
    const silent = await connected(directory)
    const slow = await connected(directory)
    slow.write('POST /refresh HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n')
    const drip = setInterval(() => slow.write(' '), 900)
    onTestFinished(() => clearInterval(drip))

    await eventually(() => expect([silent.destroyed, slow.destroyed]).toEqual([true, true]), { withinMs: 15_000 })
    expect(await ask(directory)).toMatchObject({ status: 200 })
  })

  test('does not keep its place when it asks and does not take the answer', async () => {
    const clock = new FakeClock()
    const summary = 'x'.repeat(4 * 1024 * 1024)
    let asked = 0
    const refresh = async () => [came('web', { summary: asked++ < 16 ? summary : 'short' })]
    const { directory } = await start({ clock, refresh })
    const body = JSON.stringify(QUESTION)
    for (let i = 0; i < 16; i++) {
      const deaf = await connected(directory)
      deaf.pause().write(`POST /refresh HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    }
    await eventually(() => expect(asked).toBe(16))
    expect(await ask(directory)).toMatchObject({ status: 503 })

    await clock.advance(5_000)
    await eventually(async () => expect(await ask(directory)).toMatchObject({ status: 200 }))
  })

  test('cannot have more than a few refreshes under way', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let count = 0
    const { directory } = await start({
      refresh: async () => {
        count++
        await promise
        return [came('web')]
      },
    })
    const asked = Array.from({ length: 16 }, () => ask(directory))
    await eventually(() => expect(count).toBe(16))

    expect(await ask(directory)).toMatchObject({ status: 503 })
    resolve()
    for (const answer of await Promise.all(asked)) expect(answer.status).toBe(200)
    expect(await ask(directory)).toMatchObject({ status: 200 })
  })
})

test('askControl() gives up in time on one that does not answer', async () => {
  const directory = scratch()
  const silent = createServer().listen(join(directory, 'control.sock'))
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  chmodSync(join(directory, 'control.sock'), 0o600)

  await expect(askControl(directory, '/refresh', QUESTION, 50, systemClock, never)).rejects.toMatchObject({
    code: 'timeout',
  })
})

function modeOf(path: string): string {
  try {
    return (lstatSync(path).mode & 0o777).toString(8)
  } catch {
    return 'gone'
  }
}

function pick(answer: unknown): object {
  const { status, code } = answer as { readonly status?: number; readonly code?: string }
  return status === undefined ? { code } : { status }
}
