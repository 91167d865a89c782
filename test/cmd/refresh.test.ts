import { existsSync, mkdirSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { refresh } from '../../cmd/verbs/refresh.ts'
import { systemClock } from '../../lib/base/clock.ts'
import { ProviderError } from '../../lib/errors.ts'
import { plugins } from '../../providers/index.ts'
import { poll } from '../../providers/poll.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { freePort, serve } from '../support/serve.ts'
import { OPTIONS, place, startRun, testWorld } from './world.ts'

/** A run whose bundle `web` shows `one://v`, which is looked at once an hour. */
async function running(bundle: object = {}, more: object = {}) {
  const { root, write } = place()
  const provider = new ScriptedProvider()
  provider.set('v', 'one')
  const watch = provider.watch.bind(provider)
  let reads = 0
  provider.watch = (dependency, signal) =>
    poll(
      { everyMs: 3_600_000, clock: systemClock, random: () => 0.5 },
      async cut => {
        reads++
        for await (const reading of watch(dependency, cut)) return reading
        throw new TypeError('no reading')
      },
      signal,
    )
  const content = '{{ ref "one://v" }}'
  const config = write({
    providers: { one: { type: 'scripted' } },
    bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content }], ...bundle }, ...more },
  })
  const run = startRun(config, { plugins: new Map([['scripted', scriptedPlugin(provider)]]) })
  const shown = () => readFileSync(join(root, 'volume', 'app.conf'), 'utf8')
  await eventually(() => expect(run.said()).toContain('"refresh can be asked for"'))
  /** Resolves when the first generation is not only visible, but reported as that: what comes then is a change. */
  const started = () =>
    eventually(() => {
      expect(shown()).toBe('one')
      expect(run.said()).toMatch(/"confirmed"|"hook failed"/)
    })
  return { root, config, provider, run, shown, started, write, content, reads: () => reads }
}

/** A world that knows the type of the provider; only the run opens one. */
const KNOWING = { plugins: new Map([...plugins, ['scripted', scriptedPlugin(new ScriptedProvider())]]) }

/** Asks for a refresh as a person would. */
async function ask(config: string, bundles: readonly string[] = [], timeoutMs = 20_000) {
  const { world, said } = testWorld(KNOWING)
  const code = await refresh({ ...OPTIONS, config, bundles, timeoutMs }, world)
  return { code, said: said() }
}

describe('refresh', () => {
  test('has what is polled asked at once, says what came of it, and ends with 0', async () => {
    const { config, provider, shown, reads, started } = await running()
    await started()
    provider.set('v', 'two')

    expect(await ask(config)).toEqual({ code: 0, said: 'web: generation 2 published' })
    expect(shown()).toBe('two')
    expect(await ask(config)).toEqual({ code: 0, said: 'web: unchanged at generation 2' })
    expect(reads()).toBe(3)
  })

  test('right after the start waits for the first generation', async () => {
    const { config, shown } = await running()

    expect(await ask(config)).toMatchObject({ code: 0 })
    expect(shown()).toBe('one')
  })

  test('waits for what a template asks for newly, however soon that is answered', async () => {
    const content = '{{ if eq (ref "one://v") "two" }}{{ ref "one://more" }}{{ else }}one{{ end }}'
    const { config, provider, shown, started } = await running({ files: [{ path: 'app.conf', content }] })
    await started()
    // Answers in the turn in which it is asked, as our own environment does.
    const polled = provider.watch.bind(provider)
    provider.watch = (dependency, signal) =>
      dependency.path === 'more'
        ? ScriptedProvider.prototype.watch.call(provider, dependency, signal)
        : polled(dependency, signal)
    provider.set('more', 'more')
    provider.set('v', 'two')

    expect(await ask(config)).toEqual({ code: 0, said: 'web: generation 2 published' })
    expect(shown()).toBe('more')
  })

  test('puts back what somebody has removed', async () => {
    const { config, root, shown, started } = await running()
    await started()
    unlinkSync(join(root, 'volume', 'app.conf'))

    expect(await ask(config)).toMatchObject({ code: 0 })
    expect(shown()).toBe('one')
  })

  test('says of each that could not be read why and what to do, ends with 1, and what was published stays', async () => {
    const { config, provider, shown, started } = await running()
    await started()
    provider.fail('v', new ProviderError('unavailable', 'one://v: sealed', { hint: 'unseal it' }))

    expect(await ask(config)).toEqual({
      code: 1,
      said: 'web: unchanged at generation 1\nweb: cannot read one://v: unavailable: sealed\nhint: unseal it',
    })
    expect(shown()).toBe('one')
    provider.set('v', 'mended')
    // The next try may have come before it.
    expect(await ask(config)).toMatchObject({ code: 0, said: expect.stringContaining('generation 2') })
  })

  test('says of many that could not be read for one reason that it is one', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `v${i}`)
    const content = ['v', ...names].map(name => `{{ ref "one://${name}" }}`).join('')
    const { config, provider, shown } = await running({ files: [{ path: 'app.conf', content }] })
    for (const name of names) provider.set(name, name)
    await ask(config)
    expect(shown()).toBe(`one${names.join('')}`)
    for (const name of names)
      provider.fail(name, new ProviderError('unavailable', `one://${name}: sealed`, { hint: 'unseal it' }))

    const five = 'one://v0, one://v1, one://v2, one://v3, one://v4, and 3 more'
    expect(await ask(config)).toEqual({
      code: 1,
      said: `web: unchanged at generation 1\nweb: cannot read ${five}: unavailable: sealed\nhint: unseal it`,
    })
  })

  test('says what a bundle waits for, and ends with 3', async () => {
    const { config, provider, started } = await running({}, { other: { volume: './other', files: OTHER } })
    await started()

    expect(await ask(config, ['other'])).toEqual({
      code: 3,
      said: 'other: waiting for one://not there (the backend says there is nothing)',
    })
    expect(await ask(config)).toMatchObject({ code: 3, said: expect.stringContaining('web: unchanged') })
    provider.fail('v')
    expect(await ask(config)).toMatchObject({ code: 1, said: expect.stringContaining('other: waiting for') })
    provider.heal('v')
    provider.set('not there', 'now')
    expect(await ask(config, ['other'])).toMatchObject({ code: 0 })
  })

  test('gives up at its deadline, says what has not answered, and ends with 3', async () => {
    const { config, provider, shown, started } = await running()
    await started()
    provider.hang('v')

    expect(await ask(config, [], 100)).toEqual({
      code: 3,
      said: [
        'web: still waiting: no answer yet from one://v',
        'gave up waiting after 100ms; it goes on, and nothing was taken away',
      ].join('\n'),
    })
    provider.set('v', 'two')
    await eventually(() => expect(shown()).toBe('two'))
  })

  test('says why a check refuses, and ends with 4', async () => {
    const { config, provider, shown, started } = await running({
      checks: [{ command: ['sh', '-c', '! grep bad {staged}/app.conf'] }],
    })
    await started()
    provider.set('v', 'bad')
    const { code, said } = await ask(config)

    expect([code, said]).toEqual([4, expect.stringMatching(/^web: rejected: /)])
    expect(shown()).toBe('one')
  })

  test('waits for the end of probation, and ends with 4 when it is rolled back', async () => {
    let isWell = true
    const { url } = await serve((_, response) => void response.writeHead(isWell ? 200 : 500).end())
    const { config, provider, shown, run } = await running({ probe: { http: url, for: '300ms' } })
    await eventually(() => expect(run.said()).toContain('"confirmed"'))
    isWell = false
    provider.set('v', 'bad')
    const { code, said } = await ask(config)

    expect([code, said]).toEqual([4, expect.stringMatching(/^web: rolled back: generation 2 was rolled back by 3/)])
    expect(shown()).toBe('one')
  })

  test('says at its deadline that a hook is not told yet', async () => {
    const port = await freePort()
    const { config, provider, started } = await running({ hooks: [{ http: `http://127.0.0.1:${port}/` }] })
    await started()
    provider.set('v', 'two')
    const { code, said } = await ask(config, [], 3_000)

    expect([code, said]).toEqual([3, expect.stringMatching(/^web: still waiting: .*not told.*ECONNREFUSED/)])
  })

  test('says that a generation cannot be published, and ends with 1 at once', async () => {
    const { root, write } = place()
    mkdirSync(join(root, 'volume', 'app.conf', 'in the way'), { recursive: true })
    const config = write({ bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: 'A' }] } } })
    const run = startRun(config)
    await eventually(() => expect(run.said()).toContain('"pass failed"'))
    const { code, said } = await ask(config)

    expect([code, said]).toEqual([1, expect.stringMatching(/^web: broken: .*app\.conf/)])
  })

  test('of a bundle that is not there ends with 2, and names the nearest', async () => {
    const { config } = await running()

    expect(await ask(config, ['wbe'])).toEqual({ code: 2, said: 'no bundle is named "wbe"\nhint: did you mean "web"?' })
  })

  test('makes no lease anew, and shows no value', async () => {
    const { config, provider, shown, write, run, reads, started } = await running()
    await started()
    let minted = 0
    provider.mint('db', () => {
      const id = `sentinel-${++minted}`
      return { value: id, lease: { id, durationMs: 3_600_000, renewable: true, endsAtMs: Date.now() + 3_600_000 } }
    })
    const content = '{{ ref "one://db" }} {{ ref "one://v" }}'
    write({
      providers: { one: { type: 'scripted' } },
      bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content }] } },
    })
    run.send('SIGHUP')
    await eventually(() => expect(shown()).toBe('sentinel-1 one'))
    const before = reads()
    provider.fail('v', new ProviderError('unavailable', 'it said sentinel-1'))
    const { code, said } = await ask(config)

    expect([code, minted]).toEqual([1, 1])
    expect(reads()).toBeGreaterThan(before)
    expect(said).toContain('it said')
    expect(said + run.said()).not.toContain('sentinel-1')
  })
})

const OTHER = [{ path: 'app.conf', content: '{{ ref "one://not there" }}' }]

describe('the control socket', () => {
  test('belongs to the new configuration after a reload, also where the state directory is another', async () => {
    const { root, config, run, content, write, started } = await running()
    await started()
    write({
      providers: { one: { type: 'scripted' } },
      bundles: { api: { volume: './volume', files: [{ path: 'app.conf', content: `api: ${content}` }] } },
      state: './elsewhere',
    })
    run.send('SIGHUP')
    await eventually(() => expect(run.said()).toContain('"configuration loaded"'))

    expect(existsSync(join(root, 'state', 'control.sock'))).toBe(false)
    expect(statSync(join(root, 'elsewhere', 'control.sock')).mode & 0o777).toBe(0o600)
    expect(await ask(config)).toMatchObject({ code: 0, said: expect.stringMatching(/^api: /) })
    expect(await ask(config, ['web'])).toMatchObject({ code: 2 })
  })

  test('is there after a configuration that could not be started', async () => {
    const { config, run, write, content, started } = await running()
    await started()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as { port: number }
    write({
      providers: { one: { type: 'scripted' } },
      bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content }] } },
      admin: { listen: `127.0.0.1:${port}` },
    })
    run.send('SIGHUP')
    await eventually(() => expect(run.said()).toContain('not started, the old one stays'))

    await eventually(async () => expect(await ask(config)).toMatchObject({ code: 0 }))
  })

  test('answers what is under way at the end, and is removed', async () => {
    const { root, config, run, provider, started } = await running()
    await started()
    provider.hang('v')
    const asked = ask(config)
    await eventually(() => expect(run.said()).toContain('"refresh asked for"'))
    run.send('SIGTERM')

    expect(await asked).toMatchObject({ code: 1, said: expect.stringContaining('ask again') })
    expect(await run.ended).toBe(0)
    expect(existsSync(join(root, 'state', 'control.sock'))).toBe(false)
  })

  test('that cannot be opened does not keep run from its work', async () => {
    const { root, write } = place()
    mkdirSync(join(root, 'state', 'control.sock', 'in the way'), { recursive: true })
    const config = write({ bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: 'A' }] } } })
    const run = startRun(config)
    await eventually(() => expect(run.said()).toContain('"confirmed"'))

    expect(run.said()).toContain('"no control socket, so nobody can ask for a refresh"')
    expect(await ask(config)).toMatchObject({ code: 1, said: expect.stringContaining('no control socket') })
  })
})

test('refresh where nothing runs names the socket and the next step, and ends with 1', async () => {
  const { root, write } = place()
  const config = write({ bundles: { web: { volume: './volume', files: [{ path: 'app.conf', content: 'A' }] } } })

  const { code, said } = await ask(config)
  expect(code).toBe(1)
  expect(said).toContain(`nothing listens on ${join(root, 'state', 'control.sock')}`)
  expect(said).toContain('hint: start `outrigger run`')
})

test('refresh leaves at SIGTERM, and what it asked for goes on', async () => {
  const { config, provider, shown, run } = await running()
  await eventually(() => expect(shown()).toBe('one'))
  provider.hang('v')
  const { world, said, send } = testWorld(KNOWING)
  const asked = refresh({ ...OPTIONS, config, bundles: [], timeoutMs: 20_000 }, world)
  await eventually(() => expect(run.said()).toContain('"refresh asked for"'))
  send('SIGTERM')

  expect(await asked).toBe(1)
  expect(said()).toContain('got SIGTERM')
  provider.set('v', 'two')
  await eventually(() => expect(shown()).toBe('two'))
})
