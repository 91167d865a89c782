import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock, type Clock } from '../../lib/base/clock.ts'
import { plugins } from '../../providers/index.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { freePort } from '../support/serve.ts'
import { place, startRun } from './world.ts'

const FILES = [{ path: 'app.conf', content: '{{ ref "local://v" }}' }]

/** A clock by which every wait is shorter. */
function shortened(shorten: (ms: number) => number): Clock {
  return {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(shorten(ms), signal),
    after: (ms, call) => systemClock.after(shorten(ms), call),
  }
}

async function shows(root: string, text: string): Promise<void> {
  await eventually(() => expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe(text))
}

describe('SIGTERM', () => {
  test('lets a command hook end, whose success is not forgotten', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const file = join(root, 'told')
    const command = ['sh', '-c', `echo begin >> ${file}; sleep 0.4; echo end >> ${file}`]
    const config = write({ bundles: { web: { volume: './volume', files: FILES, hooks: [{ command }] } } })
    const first = startRun(config)
    await eventually(() => expect(existsSync(file)).toBe(true))
    first.send('SIGTERM')
    expect(await first.ended).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe('begin\nend\n')

    const second = startRun(config)
    await eventually(() => expect(second.said()).toContain('"unchanged"'))
    expect(readFileSync(file, 'utf8')).toBe('begin\nend\n')
  })

  test('cuts a check short', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const file = join(root, 'checking')
    const checks = [{ command: ['sh', '-c', `echo >> ${file}; sleep 30`] }]
    const { send, ended } = startRun(write({ bundles: { web: { volume: './volume', files: FILES, checks } } }))
    await eventually(() => expect(existsSync(file)).toBe(true))
    send('SIGTERM')
    expect(await ended).toBe(0)
  })

  test('a second time leaves at once, whatever is still going on, with the code that a shell gives', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const file = join(root, 'pid')
    const command = ['sh', '-c', `echo $$ > ${file}; trap "" TERM; sleep 3`]
    const config = write({ bundles: { web: { volume: './volume', files: FILES, hooks: [{ command }] } } })
    const { send, ended } = startRun(config)
    await eventually(() => expect(existsSync(file)).toBe(true))
    expect(send('SIGTERM')).toBe(true)
    const startedAtMs = performance.now()
    // Not the system's default action: as process 1 of a container there is none.
    expect(send('SIGTERM')).toBe(true)

    expect(await ended).toBe(143)
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
  })

  test('is heard from the first moment on', async () => {
    const { write } = place()
    const config = write({ bundles: { web: { volume: './volume', files: FILES } } })
    let sent = false
    const { send, ended } = startRun(config, {
      async readFile(path) {
        const bytes = await readFile(path)
        if (path === config) sent = send('SIGTERM')
        return bytes
      },
    })

    expect(await ended).toBe(0)
    expect(sent).toBe(true)
  })
})

describe('SIGHUP', () => {
  test('with a configuration whose loading meets a bug keeps the old one', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const config = write({ bundles: { web: { volume: './volume', files: FILES } } })
    let isBroken = false
    const { said, send } = startRun(config, {
      plugins: new Proxy(plugins, {
        get(target, name) {
          if (isBroken) throw new TypeError('a bug')
          const member: unknown = Reflect.get(target, name)
          return typeof member === 'function' ? (member as () => void).bind(target) : member
        },
      }),
    })
    await shows(root, 'one')
    isBroken = true
    send('SIGHUP')
    await eventually(() => expect(said()).toContain('the old one stays'))
    value('v', 'two')
    await shows(root, 'two')
  })

  test('with a configuration that cannot be started publishes nothing of it, and the old one goes on', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const web = { volume: './volume', files: FILES }
    const config = write({ bundles: { web } })
    const { said, send } = startRun(config)
    await shows(root, 'one')
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as { port: number }
    write({
      bundles: { web: { ...web, files: [{ path: 'app.conf', content: 'never' }] } },
      admin: { listen: `127.0.0.1:${port}` },
    })
    send('SIGHUP')
    await eventually(() => expect(said()).toContain('not started, the old one stays'))
    expect(said()).toMatch(/cannot listen on [^]*"hint":"[^"]*give admin\.listen a free port/)
    value('v', 'two')
    await shows(root, 'two')

    const intents = readFileSync(join(root, 'state', 'bundles', 'web', 'journal'), 'utf8').match(/"kind":"intended"/g)
    expect(intents).toHaveLength(2)
  })

  test('during the start is not lost', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const config = write({ bundles: { web: { volume: './volume', files: FILES } } })
    let reads = 0
    const { said, send } = startRun(config, {
      async readFile(path) {
        const bytes = await readFile(path)
        if (path === config && ++reads === 1) send('SIGHUP')
        return bytes
      },
    })
    await eventually(() => expect(said()).toContain('"configuration loaded"'))
    await shows(root, 'one')
    expect(said().match(/"configuration loaded"/g)).toHaveLength(1)
  })

  test('keeps what is listened on, and closes what is not asked for any more', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const port = await freePort()
    const web = { volume: './volume', files: FILES }
    const config = write({ bundles: { web }, admin: { listen: `127.0.0.1:${port}` } })
    const { said, send } = startRun(config)
    await shows(root, 'one')
    for (let reloads = 1; reloads <= 3; reloads++) {
      send('SIGHUP')
      await eventually(() => expect(said().match(/"configuration loaded"/g)).toHaveLength(reloads))
    }
    write({ bundles: { web } })
    send('SIGHUP')
    await eventually(() => expect(said().match(/"configuration loaded"/g)).toHaveLength(4))

    const again = createServer()
    await new Promise<void>((resolve, reject) => {
      again.once('error', reject)
      again.listen(port, '127.0.0.1', resolve)
    })
    again.close()
  })
})

describe('a file of the configuration that changes', () => {
  /** A process that looks at its files often. */
  const often = shortened(ms => (ms === 5_000 ? 20 : Math.min(ms, 50)))

  test('is loaded, be it the configuration or a template of it', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const template = join(root, 'app.tmpl')
    writeFileSync(template, 'first')
    const web = { volume: './volume', files: [{ path: 'app.conf', template: './app.tmpl' }] }
    const config = write({ bundles: { web } })
    const { said } = startRun(config, { clock: often })
    await shows(root, 'first')
    writeFileSync(template, 'second')
    await shows(root, 'second')
    expect(said()).toContain(template)
    write({ bundles: { web: { ...web, files: FILES } } })
    await shows(root, 'one')
  })

  test('to something wrong leaves the old one running, and every problem is a line of the log', async () => {
    const { root, write, value } = place()
    value('v', 'one')
    const web = { volume: './volume', files: FILES }
    const config = write({ bundles: { web } })
    const { said } = startRun(config, { clock: often })
    await shows(root, 'one')
    write({ bundles: { web: { ...web, kep: 3 }, 'no such name': web } })
    await eventually(() => expect(said()).toContain('the old one stays'))
    const lines = said()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as { problem?: string })
    expect(lines.filter(({ problem }) => problem !== undefined).length).toBeGreaterThanOrEqual(2)
    value('v', 'two')
    await shows(root, 'two')
    write({ bundles: { web } })
    await eventually(() => expect(said()).toContain('"configuration loaded"'))
  })
})

test('a loop that dies of a bug ends the program with 1, rather than leave one that looks alive', async () => {
  const { root, write } = place()
  // Something in the way makes the pass fail, and the wait before the next one then meets the bug.
  mkdirSync(join(root, 'volume', 'app.conf'), { recursive: true })
  const config = write({ bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: 'A' }] } } })
  const { said, ended } = startRun(config, {
    random: () => {
      throw new TypeError('a bug')
    },
  })

  expect(await ended).toBe(1)
  expect(said()).toContain('a bug')
})

test('a provider that cannot be closed does not change how it ends, and is told of', async () => {
  const { root, write } = place()
  const provider = new ScriptedProvider()
  provider.set('v', 'one')
  provider.close = async () => {
    throw new Error('no end to it')
  }
  const config = write({
    providers: { one: { type: 'scripted' } },
    bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: '{{ ref "one://v" }}' }] } },
  })
  const { said, send, ended } = startRun(config, { plugins: new Map([['scripted', scriptedPlugin(provider)]]) })
  await shows(root, 'one')
  send('SIGTERM')

  expect(await ended).toBe(0)
  expect(said()).toContain('no end to it')
})

test('what does not end is not waited for for ever, neither at the end nor at a reload', async () => {
  const { root, write } = place()
  const provider = new ScriptedProvider()
  let watches = 0
  provider.watch = async function* () {
    watches++
    yield { value: 'one', revision: 'r', observedAtMs: 0, sensitive: false }
    return await new Promise<never>(() => {})
  }
  const config = write({
    providers: { one: { type: 'scripted' } },
    bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: '{{ ref "one://v" }}' }] } },
  })
  const { said, send, ended } = startRun(config, {
    plugins: new Map([['scripted', scriptedPlugin(provider)]]),
    clock: shortened(ms => Math.min(ms, 200)),
  })
  await shows(root, 'one')
  send('SIGHUP')
  // What holds the locks cannot be replaced; whoever starts us again can.
  expect(await ended).toBe(1)
  expect(watches).toBe(1)
  expect(said()).toContain('not ended in good order')
})
