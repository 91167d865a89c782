import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Credential } from '../../lib/base/schema.ts'
import { Secret } from '../../lib/base/secret.ts'
import { toBytes } from '../../lib/base/text.ts'
import { loadConfig } from '../../lib/config/config.ts'
import { FILE, load, plugins } from './load.ts'
import { bundle, inVolume, withHooks } from './rows.ts'

const everything = String.raw`
providers:
  vault: { type: vault, address: "http://127.0.0.1:${'$'}{PORT}", auth: { method: token, token: "${'$'}{TOKEN}" } }
  repo: { type: git, url: "https://git.example.org/config.git", poll: 10s, token: "file:secrets/token", key: keys/id, default: true }
bundles:
  web:
    volume: /run/config/
    files:
      - { path: nginx.conf, template: templates/nginx.conf.tmpl, mode: "0640", owner: 0, group: www-data }
      - { path: greeting.txt, content: "Hello\n", delims: ["<<", ">>"], missingKey: zero }
      - { path: conf.d, tree: "repo://conf.d" }
      - { path: db.env, from: "repo://db.yaml#app", format: dotenv, dialect: systemd, only: [a], prefix: P_ }
      - { path: db.xml, from: "repo://db.yaml", format: xml, except: [b], upper: true, mode: "0640" }
    checks:
      - { command: [nginx, -t, -c, "{staged}/nginx.conf"], timeout: 5s }
      - { command: [true-ish] }
    hooks:
      - { signal: HUP, process: nginx, timeout: 1s }
      - { http: "http://127.0.0.1:8080/-/reload", expect: [200, 204] }
    probe: { http: "http://127.0.0.1:8080/healthz", for: 30s, every: 500ms, timeout: 2s, expect: 200 }
    settle: { quiet: 100ms, longest: 2s }
    keep: 5
    keepAge: 2m
  vm:
    files: [{ path: /etc/app/app.conf, content: "x" }]
    probe: { command: [check] }
state: ./state
admin: { listen: "[::1]:0" }
`

const world = {
  environment: { PORT: '8200', TOKEN: 't0ken' },
  files: { '/etc/outrigger/templates/nginx.conf.tmpl': 'worker {{ 1 }}' },
}

describe('loadConfig()', () => {
  test('gives everything that a configuration says', async () => {
    const config = await load(everything, world)

    expect(config).toMatchObject({
      file: FILE,
      directory: '/etc/outrigger',
      stateDirectory: '/etc/outrigger/state',
      admin: { host: '::1', port: 0 },
    })
    expect([...config.providers.keys()]).toEqual(['vault', 'repo'])
    expect([...config.bundles.keys()]).toEqual(['web', 'vm'])
    expect(config.bundles.get('web')).toEqual({
      name: 'web',
      volume: '/run/config',
      files: [
        {
          path: 'nginx.conf',
          source: {
            kind: 'template',
            name: '/etc/outrigger/templates/nginx.conf.tmpl',
            text: 'worker {{ 1 }}',
            syntax: { delims: ['{{', '}}'], missingKey: 'error' },
          },
          mode: 0o640,
          owner: 0,
          group: 'www-data',
        },
        {
          path: 'greeting.txt',
          source: {
            kind: 'template',
            name: 'greeting.txt',
            text: 'Hello\n',
            syntax: { delims: ['<<', '>>'], missingKey: 'zero' },
          },
          mode: undefined,
          owner: undefined,
          group: undefined,
        },
        {
          path: 'conf.d',
          source: { kind: 'tree', reference: { provider: 'repo', path: 'conf.d' } },
          mode: undefined,
          owner: undefined,
          group: undefined,
        },
        {
          path: 'db.env',
          source: {
            kind: 'from',
            reference: { provider: 'repo', path: 'db.yaml', field: 'app' },
            format: { name: 'dotenv', dialect: 'systemd' },
            keys: { only: ['a'], except: [], prefix: 'P_', upper: false },
          },
          mode: undefined,
          owner: undefined,
          group: undefined,
        },
        {
          path: 'db.xml',
          source: {
            kind: 'from',
            reference: { provider: 'repo', path: 'db.yaml' },
            format: { name: 'xml', dialect: 'elements', root: 'configuration' },
            keys: { only: undefined, except: ['b'], prefix: '', upper: true },
          },
          mode: 0o640,
          owner: undefined,
          group: undefined,
        },
      ],
      checks: [
        { command: ['nginx', '-t', '-c', '{staged}/nginx.conf'], timeoutMs: 5_000 },
        { command: ['true-ish'], timeoutMs: 30_000 },
      ],
      hooks: [
        { kind: 'signal', id: 'signal SIGHUP nginx', signal: 'SIGHUP', target: { process: 'nginx' }, timeoutMs: 1_000 },
        {
          kind: 'http',
          id: 'http POST http://127.0.0.1:8080/-/reload',
          url: 'http://127.0.0.1:8080/-/reload',
          method: 'POST',
          headers: new Map(),
          expect: [200, 204],
          timeoutMs: 10_000,
        },
      ],
      probe: {
        target: { http: 'http://127.0.0.1:8080/healthz', expect: [200] },
        forMs: 30_000,
        everyMs: 500,
        timeoutMs: 2_000,
      },
      settle: { quietMs: 100, longestMs: 2_000 },
      keep: 5,
      keepAgeMs: 120_000,
    })
  })

  test('gives the defaults for all that is left out', async () => {
    const config = await load(`bundles: { vm: { files: [{ path: /etc/app, content: x }] } }`)

    expect(config.providers.size).toBe(0)
    expect(config).toMatchObject({ stateDirectory: '/var/lib/outrigger', admin: undefined })
    expect(config.bundles.get('vm')).toMatchObject({
      volume: undefined,
      checks: [],
      hooks: [],
      probe: undefined,
      settle: { quietMs: 200, longestMs: 5_000 },
      keep: 3,
      keepAgeMs: 60_000,
    })
  })

  test('gives providers what their schema makes of their options, and nothing of ours', async () => {
    const { providers } = await load(everything, world)
    const { plugin, options, isDefault } = providers.get('repo') ?? {}

    expect(plugin).toBe(plugins.get('git'))
    expect(isDefault).toBe(true)
    expect(providers.get('vault')?.isDefault).toBe(false)
    expect(Object.keys(options as object).toSorted()).toEqual(['key', 'poll', 'token', 'url'])
    expect(options).toMatchObject({ poll: 10_000, key: '/etc/outrigger/keys/id' })
    expect(providers.get('vault')?.options).toMatchObject({ address: 'http://127.0.0.1:8200' })
  })

  test('reads a credential from the environment, or from a file beside the configuration when it is asked for', async () => {
    const { providers } = await load(everything, world)
    const { token } = providers.get('repo')!.options as { token: Credential }
    const { auth } = providers.get('vault')!.options as { auth: { token: Credential } }
    const read: string[] = []
    const readFile = async (path: string) => {
      read.push(path)
      return toBytes('from a file\n')
    }

    expect((await token.read(readFile)).reveal()).toBe('from a file')
    expect((await auth.token.read(readFile)).reveal()).toBe('t0ken')
    expect(read).toEqual(['/etc/outrigger/secrets/token'])
  })

  test('starts relative paths at the directory of the file, wherever we run', async () => {
    const text = `state: ../state\nbundles: { a: { volume: ./out, files: [{ path: x, template: x.tmpl }] } }`
    const read: string[] = []
    const config = await loadConfig(
      { file: 'conf/outrigger.yaml', text },
      {
        plugins,
        environment: {},
        async readFile(path) {
          read.push(path)
          return toBytes('')
        },
      },
    )

    expect(config.directory).toBe(`${process.cwd()}/conf`)
    expect(config.stateDirectory).toBe(`${process.cwd()}/state`)
    expect(config.bundles.get('a')?.volume).toBe(`${process.cwd()}/conf/out`)
    expect(read).toEqual([`${process.cwd()}/conf/x.tmpl`])
  })

  test('keeps the bytes of a template that is not UTF-8', async () => {
    const config = await loadConfig(
      {
        file: FILE,
        text: 'bundles: { a: { volume: /v, files: [{ path: x, template: x }, { path: y, template: ./x }] } }',
      },
      { plugins, environment: {}, readFile: async () => Uint8Array.of(0x61, 0xff) },
    )
    const sources = config.bundles.get('a')?.files.map(({ source }) => source) ?? []

    expect(sources.map(source => ('text' in source ? [...toBytes(source.text)] : []))).toEqual([
      [0x61, 0xff],
      [0x61, 0xff],
    ])
  })

  test('says why a template cannot be read, and does not hold on to the error', async () => {
    for (const [code, words] of [
      ['EACCES', /may not read/],
      ['EISDIR', /a directory/],
      ['EIO', /EIO/],
    ] as const) {
      const loading = load('bundles: { a: { volume: /v, files: [{ path: x, template: x }] } }', {
        files: { '/etc/outrigger/x': { code } },
      })
      await expect(loading).rejects.toThrow(words)
    }
  })

  test('makes a default that fits where only one of the two waits is given', async () => {
    const settled = async (settle: string) =>
      (await load(bundle(`${inVolume}, settle: { ${settle} }`))).bundles.get('web')?.settle

    expect(await settled('quiet: 10s')).toEqual({ quietMs: 10_000, longestMs: 10_000 })
    expect(await settled('longest: 100ms')).toEqual({ quietMs: 100, longestMs: 100 })
    expect(await settled('quiet: 0s')).toEqual({ quietMs: 0, longestMs: 5_000 })
  })
})

describe('hooks', () => {
  async function hooksOf(entries: string, environment: Readonly<Record<string, string>> = {}) {
    return (await load(withHooks(entries), { environment })).bundles.get('web')?.hooks ?? []
  }
  async function idsOf(entries: string): Promise<readonly string[]> {
    return (await hooksOf(entries)).map(({ id }) => id)
  }

  test('are named for what they do', async () => {
    expect(
      await idsOf(`{ signal: SIGHUP, process: nginx }, { signal: USR1, pidFile: /run/x.pid }, { signal: TERM, pidFile: run/x.pid },
        { http: "http://127.0.0.1:80/-/reload?token=s3cr3t", method: put }, { http: "https://u:s3cr3t@host" },
        { command: [systemctl, reload, s3cr3t] }, { name: mine, command: [systemctl] }`),
    ).toEqual([
      'signal SIGHUP nginx',
      'signal SIGUSR1 /run/x.pid',
      'signal SIGTERM /etc/outrigger/run/x.pid',
      'http PUT http://127.0.0.1/-/reload',
      'http POST https://host/',
      'command systemctl',
      'mine',
    ])
  })

  test('that do the same are told apart by their details, whatever stands beside them', async () => {
    const [a, b] = await idsOf('{ command: [systemctl, reload, a] }, { command: [systemctl, reload, b] }')
    const [c, d, e] = await idsOf(
      '{ command: [x] }, { command: [systemctl, reload, b] }, { command: [systemctl, reload, a] }',
    )

    expect([a, b].every(id => /^command systemctl \([0-9a-f]{6}\)$/.test(id ?? ''))).toBe(true)
    expect(new Set([a, b]).size).toBe(2)
    expect([c, d, e]).toEqual(['command x', b, a])
  })

  test('that are the same in everything are counted', async () => {
    const ids = await idsOf('{ command: [x] }, { command: [x] }, { command: [x] }')

    expect(new Set(ids).size).toBe(3)
    expect(ids[1]).toBe(`${ids[0]} #2`)
  })

  test('send the user and password of their URL as a header, and hide them', async () => {
    const [hook] = await hooksOf('{ http: "http://us%40er:${PASSWORD}@host/x", headers: { X-A: "${PASSWORD}" } }', {
      PASSWORD: 'p%3As',
    })

    expect(hook).toMatchObject({ kind: 'http', url: 'http://host/x' })
    expect(
      hook?.kind === 'http'
        ? [...hook.headers].map(([name, value]) => [name, value instanceof Secret && value.reveal()])
        : [],
    ).toEqual([
      ['X-A', 'p%3As'],
      ['Authorization', `Basic ${Buffer.from('us@er:p:s').toString('base64')}`],
    ])
    expect(JSON.stringify([...(hook?.kind === 'http' ? hook.headers : [])])).not.toContain('p%3As')
  })

  test('read a header of a file anew each time, from where the configuration is', async () => {
    const [hook] = await hooksOf(
      '{ http: "http://x", headers: { Authorization: "file:./${NAME}", X-A: "a file:b" } }',
      {
        NAME: 'tok',
      },
    )

    const headers = hook?.kind === 'http' ? hook.headers : new Map()
    const read: string[] = []
    const answers = ['Bearer one\n', 'Bearer two\n'].map(toBytes)
    const next = async (path: string) => (read.push(path), answers.shift() as Uint8Array)
    const credential = headers.get('Authorization') as Credential
    expect([(await credential.read(next)).reveal(), (await credential.read(next)).reveal()]).toEqual([
      'Bearer one',
      'Bearer two',
    ])
    expect(read).toEqual([join(dirname(FILE), 'tok'), join(dirname(FILE), 'tok')])
    expect((headers.get('X-A') as Secret).reveal()).toBe('a file:b')
  })

  test('take their environment from ours where they say so', async () => {
    const [hook] = await hooksOf('{ command: [x, "${A}"], env: { A: "${A}", B: "$${A}" } }', { A: '1' })

    expect(hook).toMatchObject({ command: ['x', '${A}'], environment: { A: '1', B: '${A}' } })
  })

  test('take signals with and without SIG', async () => {
    const hooks = await hooksOf('{ signal: HUP, process: x }, { signal: SIGUSR2, process: x }')

    expect(hooks.map(hook => hook.kind === 'signal' && hook.signal)).toEqual(['SIGHUP', 'SIGUSR2'])
  })
})

test('forEach, and what is taken of a tree, are passed on', async () => {
  const config = await load(`
providers: { repo: { type: git, url: x } }
bundles:
  web:
    volume: /run/config
    files:
      - { path: "<< .Key >>", content: x, forEach: "<< 1 >>", delims: ["<<", ">>"] }
      - { path: a, tree: "repo://a", include: ["*"], exclude: ["b"], render: true, missingKey: zero }
`)
  expect(config.bundles.get('web')?.files).toMatchObject([
    { path: '<< .Key >>', source: { kind: 'template', forEach: '<< 1 >>', syntax: { delims: ['<<', '>>'] } } },
    {
      source: {
        kind: 'tree',
        include: ['*'],
        exclude: ['b'],
        render: { delims: ['{{', '}}'], missingKey: 'zero' },
      },
    },
  ])
})
