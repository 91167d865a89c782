/** The built program: what `refresh` makes of a server's changes, on the double and on a real one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { runBuilt, startBuilt } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { call, must, vaultServers, type VaultServer } from '../../support/vault-server.ts'
import { Leasing } from './leasing.ts'

const SECOND = 1_000

/** A run that shows a KV v2 secret, which is looked at once an hour, and a credential with a lease. */
async function running(server: VaultServer, { isSealed = false } = {}) {
  const leasing = await Leasing.on(server)
  await eventually(() => must(server, 'POST', 'secret/data/app', { data: { v: 'one' } }))
  const rules = { 'secret/data/written': { capabilities: ['create', 'update', 'read'] } }
  await must(server, 'POST', 'sys/policies/acl/writes', { policy: JSON.stringify({ path: rules }) })
  await must(server, 'POST', 'auth/approle/role/app', { token_policies: ['app', 'writes'] })
  if (isSealed) await seal(server)
  const root = scratch()
  const files = [
    { path: 'v', content: '{{ ref "vault://secret/app#v" }}' },
    { path: 'written', content: '{{ with secret "secret/data/written" "v=1" }}{{ .Data.version }}{{ end }}' },
    { path: 'user', content: '{{ ref "vault://rabbit/creds/app#username" }}' },
  ]
  const providers = { vault: { type: 'vault', address: server.url, auth: leasing.auth, poll: '1h', reread: '1h' } }
  const web = { volume: join(root, 'web'), files, settle: { quiet: '20ms', longest: '200ms' } }
  writeFileSync(
    join(root, 'outrigger.yaml'),
    JSON.stringify({ providers, bundles: { web }, state: join(root, 'state') }),
  )
  const { stderr } = startBuilt(['run', '--log-level', 'debug'], { directory: root })
  return {
    leasing,
    stderr,
    shown: (name: string) => readFileSync(join(root, 'web', name), 'utf8'),
    refresh: () => runBuilt(['refresh'], { directory: root }),
  }
}

async function seal(server: VaultServer): Promise<void> {
  await must(server, 'POST', 'sys/seal')
}

async function unseal(server: VaultServer): Promise<void> {
  await must(server, 'POST', 'sys/unseal', { key: server.unsealKey })
  await eventually(async () => expect((await call(server, 'GET', 'secret/data/app')).status).toBe(200))
}

describe.each(vaultServers())('%s', (_, start) => {
  test('a change is visible at once, and a credential that is good is not made anew', { timeout: 60_000 }, async () => {
    const server = await start()
    onTestFinished(() => server.close())
    const { leasing, stderr, shown, refresh } = await running(server)
    await eventually(() => expect(stderr()).toContain('"confirmed"'))
    const user = shown('user')
    await must(server, 'POST', 'secret/data/app', { data: { v: 'two' } })
    const askedAtMs = performance.now()
    const refreshed = await refresh()

    expect(refreshed).toMatchObject({ code: 0, stderr: 'outrigger: web: generation 2 published\n' })
    expect([shown('v'), shown('user'), shown('written')]).toEqual(['two', user, '1'])
    expect(performance.now() - askedAtMs).toBeLessThan(20 * SECOND)
    for (let i = 0; i < 3; i++) expect(await refresh()).toMatchObject({ code: 0 })
    expect([leasing.rabbit.made, await leasing.leases()]).toEqual([1, [expect.anything()]])
    expect((await must(server, 'GET', 'secret/data/written')).data.metadata.version).toBe(1)
    expect(stderr() + refreshed.stderr).not.toContain(user)
  })

  test('a policy that was mended is used at once', { timeout: 60_000 }, async () => {
    const server = await start()
    onTestFinished(() => server.close())
    const { leasing, stderr, shown, refresh } = await running(server)
    await eventually(() => expect(stderr()).toContain('"confirmed"'))
    await must(server, 'POST', 'secret/data/app', { data: { v: 'two' } })
    await leasing.permit('rabbit/creds/*')
    const refused = await refresh()
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('web: cannot read vault://secret/app: forbidden: ')
    expect(refused.stderr).toContain('outrigger: hint: ')
    expect(shown('v')).toBe('one')
    await leasing.permit('rabbit/creds/*', 'secret/*')

    // The next try may have come before it.
    expect(await refresh()).toMatchObject({ code: 0, stderr: expect.stringContaining('generation 2') })
    expect([shown('v'), leasing.rabbit.made]).toEqual(['two', 1])
  })

  test(
    'a server that was unsealed is asked at once, though logins have failed for long',
    { timeout: 60_000 },
    async () => {
      const server = await start()
      onTestFinished(() => server.close())
      const { stderr, refresh, shown } = await running(server, { isSealed: true })
      await eventually(() => expect(stderr()).toContain('"cannot read"'))
      // Each doubles the wait before the next login, up to ten seconds.
      for (let i = 0; i < 6; i++) expect(await refresh()).toMatchObject({ code: 1 })
      await unseal(server)
      const askedAtMs = performance.now()

      // The next try may have come before it.
      expect(await refresh()).toMatchObject({ code: 0, stderr: expect.stringContaining('generation 1') })
      expect(performance.now() - askedAtMs).toBeLessThan(20 * SECOND)
      expect(shown('v')).toBe('one')
    },
  )
})

test('each refresh reads a secret once, and only what is asked for', async () => {
  const server = await VaultDouble.start()
  onTestFinished(() => server.close())
  const { stderr, refresh } = await running(server)
  await eventually(() => expect(stderr()).toContain('"confirmed"'))
  const before = server.seen.length
  expect(await refresh()).toMatchObject({ code: 0 })

  expect(server.seen.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/secret/data/app'])
})
