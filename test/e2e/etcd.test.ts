import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { EtcdServer, onEtcd, whyNoEtcd } from '../support/etcd-server.ts'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { freePort } from '../support/serve.ts'

const SENTINEL = 'SENTINEL-7c21'
const SOON = { withinMs: 30_000 }

/** An etcd, and a place whose bundle shows one key, the keys below a directory, and a file for each of them. */
async function etcdPlace() {
  const server = await EtcdServer.start(scratch({ inMemory: true }))
  onTestFinished(() => server.kill())
  const root = scratch()
  const port = await freePort()
  const file = join(root, 'outrigger.yaml')
  const files = [
    { path: 'password', content: '{{ ref "etcd://db/password" }}' },
    { path: 'hosts', content: '{{ range etcdLs "hosts" }}{{ .Key }}={{ .Value }}\n{{ end }}' },
    { path: 'each/{{ .Key }}', content: '{{ .Value }}', forEach: '{{ etcdTree "hosts" }}' },
  ]
  const config = {
    providers: { etcd: { type: 'etcd', endpoints: server.url, prefix: 'app/', heartbeat: '500ms', timeout: '500ms' } },
    bundles: { web: { volume: './volume', files, settle: { quiet: '20ms', longest: '200ms' } } },
    state: './state',
    admin: { listen: `127.0.0.1:${port}` },
  }
  writeFileSync(file, JSON.stringify(config))
  await server.client.putAll({ 'app/db/password': SENTINEL, 'app/hosts/a': '1', 'app/hosts/b': '1' })
  const shown = (name: string) => readFileSync(join(root, 'volume', name), 'utf8')
  return {
    server,
    root,
    file,
    start: () => startBuilt(['run', '--config', file], { directory: root }),
    shows: (hosts: string) => eventually(() => expect(shown('hosts')).toBe(hosts), SOON),
    shown,
    /** What the readiness probe is told. */
    health: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).text(),
  }
}

describe(`the built program ${onEtcd}`, { skip: whyNoEtcd !== undefined, timeout: 120_000 }, () => {
  test('shows keys of etcd, sees each change, and tells no value', async () => {
    const { server, start, shows, shown, file, root } = await etcdPlace()
    const { child, ended } = start()
    await shows('a=1\nb=1\n')
    expect([shown('password'), shown('each/a'), shown('each/b')]).toEqual([SENTINEL, '1', '1'])

    await server.client.putAll({ 'app/hosts/a': '2', 'app/hosts/b': '2' })
    await shows('a=2\nb=2\n')
    expect([shown('each/a'), shown('each/b')]).toEqual(['2', '2'])
    child.kill('SIGTERM')
    const { code, stdout, stderr } = await ended
    expect(code).toBe(0)
    expect(stdout + stderr).not.toContain(SENTINEL)

    const once = await runBuilt(['once', '--config', file], { directory: root })
    expect(once.code).toBe(0)
    expect(once.stdout + once.stderr).toContain('is up to date')
  })

  test('shows what it had when etcd is away or has lost everything, also after a restart, and then what comes back', async () => {
    const { server, start, shows, shown, health } = await etcdPlace()
    const first = start()
    await shows('a=1\nb=1\n')
    await server.kill()
    await eventually(async () => expect(await health()).toMatch(/etcd \(etcd\): warning/), SOON)
    first.child.kill('SIGTERM')
    await first.ended

    const second = start()
    await eventually(async () => expect(await health()).toMatch(/^ready\n[^]*last-known-good/), SOON)
    // A cluster that is made anew has no keys: nobody believes that at once.
    await server.forget()
    await server.resume()
    await eventually(async () => expect(await health()).toMatch(/etcd:\/\/hosts\/ went from 2 to 0/), SOON)
    expect([shown('hosts'), shown('each/a')]).toEqual(['a=1\nb=1\n', '1'])

    await server.client.putAll({ 'app/db/password': SENTINEL, 'app/hosts/c': '3' })
    await shows('c=3\n')
    expect(await health()).not.toContain('went from')
    expect(second.stderr()).not.toContain(SENTINEL)
  })
})
