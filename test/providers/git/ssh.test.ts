import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { GitRepository } from '../../support/git-repository.ts'
import { scratch } from '../../support/scratch.ts'
import { newKey, SshServer, whyNoSshServer } from '../../support/ssh-server.ts'
import { GitBench, processesWith } from './harness.ts'

const why = whyNoSshServer()

describe(`over ssh${why === undefined ? '' : ` (skipped: ${why})`}`, { skip: why !== undefined }, () => {
  test('reads with one key and one list of hosts, whatever their paths are', async () => {
    const { repository, server } = await served()
    await repository.commit({ a: '1' })
    const odd = join(scratch(), "it's 100%h odd")
    await mkdir(odd)
    await copyFile(server.key, join(odd, 'key'))
    await chmod(join(odd, 'key'), 0o600)
    await copyFile(server.knownHosts, join(odd, 'hosts'))
    const bench = await GitBench.open({
      url: server.url(repository.path),
      auth: { sshKey: join(odd, 'key'), knownHosts: join(odd, 'hosts') },
    })
    expect(await bench.files()).toEqual({ a: '1' })
    await repository.commit({ a: '2' })
    expect(await bench.files()).toEqual({ a: '2' })
  })

  test('takes paths that start where the configuration is', async () => {
    const { repository, server } = await served()
    await repository.commit({ a: '1' })
    const directory = scratch()
    await copyFile(server.key, join(directory, 'key'))
    await chmod(join(directory, 'key'), 0o600)
    await copyFile(server.knownHosts, join(directory, 'hosts'))
    const bench = await GitBench.open(
      { url: server.url(repository.path), auth: { sshKey: 'key', knownHosts: './hosts' } },
      { configDirectory: directory },
    )
    expect(await bench.files()).toEqual({ a: '1' })
  })

  test('refuses a host whose key is not the known one, or not known', async () => {
    const { repository, server } = await served()
    const other = await SshServer.start()
    onTestFinished(() => other.close())
    const wrong = join(scratch(), 'hosts')
    for (const line of [`[127.0.0.1]:${server.port} ${await hostKey(other)}`, '']) {
      await writeFile(wrong, line)
      const bench = await GitBench.open({
        url: server.url(repository.path),
        auth: { sshKey: server.key, knownHosts: wrong },
      })
      const failure = await bench.failure()
      expect(failure.code).toBe('unauthenticated')
      expect(failure.hint).toContain('knownHosts')
    }
  })

  test('says when the key is refused by the server, or by ssh because others can read it', async () => {
    const { repository, server } = await served()
    const key = join(scratch(), 'key')
    newKey(key)
    const open = (sshKey: string) =>
      GitBench.open({ url: server.url(repository.path), auth: { sshKey, knownHosts: server.knownHosts } })
    expect((await (await open(key)).failure()).code).toBe('unauthenticated')
    const readable = join(scratch(), 'key')
    await copyFile(server.key, readable)
    await chmod(readable, 0o644)
    const failure = await (await open(readable)).failure()
    expect(failure.code).toBe('bad-config')
    expect(failure.hint).toContain('0400')
  })

  test('says when there is no such repository', async () => {
    const { server } = await served()
    const bench = await GitBench.open({
      url: server.url('/nonexistent/x.git'),
      auth: { sshKey: server.key, knownHosts: server.knownHosts },
    })
    expect((await bench.failure()).code).toBe('invalid-data')
  })
})

test('an ssh server that never answers is cut off at the deadline, and no ssh is left', async () => {
  let connections = 0
  const server = createServer(socket => {
    connections++
    socket.on('error', () => {})
    socket.resume()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>(resolve => server.close(() => resolve())))
  const marker = join(scratch(), 'hosts')
  await writeFile(marker, '')
  const bench = await GitBench.open({
    url: `ssh://git@127.0.0.1:${(server.address() as AddressInfo).port}/x.git`,
    timeout: '1s',
    auth: { sshKey: '/nonexistent/key', knownHosts: marker },
  })
  const reading = bench.failure()
  await eventually(() => expect(connections).toBe(1))
  expect(processesWith(marker, 'cmdline').length).toBeGreaterThan(0)
  expect(['timeout', 'unavailable']).toContain((await reading).code)
  expect(processesWith(marker, 'cmdline')).toEqual([])
})

async function served(): Promise<{ repository: GitRepository; server: SshServer }> {
  const repository = await GitRepository.make()
  const server = await SshServer.start()
  onTestFinished(() => server.close())
  return { repository, server }
}

async function hostKey(server: SshServer): Promise<string> {
  return (await readFile(server.knownHosts, 'utf8')).split(' ').slice(1).join(' ')
}
