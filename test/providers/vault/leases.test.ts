/** The built program with a lease of a server, on the double and on a real one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Lease } from '../../../lib/reading.ts'
import { eventually } from '../../support/eventually.ts'
import { runBuilt, startBuilt } from '../../support/program.ts'
import { noteIn } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { call, must, vaultServers, type VaultServer } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'
import { Leasing } from './leasing.ts'
import { Stored } from './stored.ts'

describe.each(vaultServers())('%s', (_, start) => {
  test(
    'a lease that once was given is renewed by run, not made twice, and replaced when it was revoked',
    { timeout: 60_000 },
    async () => {
      const server = await start()
      onTestFinished(() => server.close())
      const root = scratch()
      writeFileSync(join(root, 'outrigger.yaml'), configuration(server, root))
      const options = { directory: root, environment: { VAULT_TOKEN: server.rootToken } }
      const shown = () => readFileSync(join(root, 'web', 'token'), 'utf8')

      const once = await runBuilt(['once'], options)
      expect(once.stderr + String(once.code)).toMatch(/0$/)
      const first = shown()
      const made = await countOf(server)
      const run = startBuilt(['run', '--log-level', 'debug'], options)
      await eventually(() => expect(run.stderr()).toContain('"leases taken up"'))
      await eventually(async () => expect(await lookedUp(server, first)).toHaveProperty('last_renewal_time'), {
        withinMs: 15_000,
      })
      run.child.kill('SIGHUP')
      await eventually(() => expect(run.stderr()).toContain('"configuration loaded"'))
      await eventually(() => expect(run.stderr().match(/"unchanged"/g)).toHaveLength(2))
      expect([shown(), await countOf(server)]).toEqual([first, made])

      await must(server, 'POST', 'auth/token/revoke', { token: first })
      await eventually(() => expect(shown()).not.toBe(first), { withinMs: 20_000 })
      expect(await countOf(server)).toBe(made)
      expect(await lookedUp(server, shown())).toBeDefined()
      run.child.kill('SIGTERM')
      const { code, stderr } = await run.ended
      expect(code).toBe(0)
      expect(stderr).not.toContain(first)
      expect(stderr).not.toContain(shown())
    },
  )

  test(
    'a lease outlives once, a reload and a restart together with the token of the login that it hangs on',
    { timeout: 60_000 },
    async () => {
      const server = await start()
      onTestFinished(() => server.close())
      const leasing = await Leasing.on(server, { tokenSeconds: 12, leaseSeconds: 3_600 })
      const root = scratch()
      const bundles = {
        web: {
          volume: join(root, 'web'),
          files: [{ path: 'user', content: '{{ ref "vault://rabbit/creds/app#username" }}' }],
        },
      }
      const providers = { vault: { type: 'vault', address: server.url, auth: leasing.auth } }
      writeFileSync(join(root, 'outrigger.yaml'), JSON.stringify({ providers, bundles, state: join(root, 'state') }))
      const shown = () => readFileSync(join(root, 'web', 'user'), 'utf8')
      const run = async () => {
        const started = startBuilt(['run', '--log-level', 'debug'], { directory: root })
        await eventually(() => expect(started.stderr()).toContain('"unchanged"'))
        return started
      }

      expect(await runBuilt(['once'], { directory: root })).toMatchObject({ code: 0 })
      const first = { user: shown(), tokens: await leasing.tokens(), atMs: Date.now() }
      const before = await run()
      before.child.kill('SIGHUP')
      await eventually(() => expect(before.stderr()).toContain('"configuration loaded"'))
      await eventually(() => expect(before.stderr().match(/"unchanged"/g)).toHaveLength(2))
      before.child.kill('SIGTERM')
      expect(await before.ended).toMatchObject({ code: 0 })
      const after = await run()
      // Longer than the token was good for at first, and so the lease.
      await eventually(() => expect(Date.now() - first.atMs).toBeGreaterThan(15_000), { withinMs: 30_000 })

      expect([shown(), leasing.rabbit.made]).toEqual([first.user, 1])
      expect([...leasing.rabbit.users]).toEqual([first.user])
      expect(await leasing.leases()).toHaveLength(1)
      expect(new Set(await leasing.tokens())).toEqual(new Set(first.tokens))
      expect(after.stderr()).not.toContain(first.user)
    },
  )

  test(
    'a lease lives on with its token when a restart, and what this may not, have put another in its place',
    { timeout: 60_000 },
    async () => {
      const server = await start()
      onTestFinished(() => server.close())
      const leasing = await Leasing.on(server, { tokenSeconds: 6, leaseSeconds: 3_600 })
      await eventually(() => must(server, 'POST', 'secret/data/app', { data: { password: 'first' } }))
      await leasing.permit('rabbit/creds/*')
      const others = (await leasing.tokens()).length
      const note = noteIn(new Map())
      const open = () => Bench.open(server, { auth: leasing.auth }, { note })
      const before = await open()
      const given = (await before.read('ref', 'rabbit/creds/app', 'username')).lease as Lease
      await before.provider.close()
      await leasing.permitLater('secret/*')

      const renewed = async ({ provider }: Bench, lease: Lease | undefined) => {
        const startMs = Date.now()
        let last = lease
        // Longer than the token is good for without a renewal.
        const renew = async () => {
          last = last && (await provider.renew?.(last, new AbortController().signal))
          expect(last === undefined || Date.now() - startMs > 7_000).toBe(true)
        }
        await eventually(renew, { everyMs: 500 })
        await provider.close()
        return last
      }
      const next = await open()
      expect(await next.ask('ref', 'secret/app', 'password')).toBe('first')
      expect(await leasing.tokens()).toHaveLength(others + 2)
      const later = await renewed(next, given)
      expect(await renewed(await open(), later)).toMatchObject({ id: given.id })
      expect([leasing.rabbit.made, leasing.rabbit.users.size]).toEqual([1, 1])
    },
  )

  test(
    'a lease whose token comes to the end of all renewals is replaced before, and the old one not used after',
    { timeout: 60_000 },
    async () => {
      const server = await start()
      onTestFinished(() => server.close())
      const leasing = await Leasing.on(server, { tokenSeconds: 4, tokenMaxSeconds: 6, leaseSeconds: 3_600 })
      const bench = await Bench.open(server, { auth: leasing.auth })
      const stored = new Stored(bench.provider, ['rabbit/creds/app#username'])
      const users = new Set<string>()
      const bad = new Set<string>()
      await eventually(
        () => {
          const user = stored.value('rabbit/creds/app#username')
          if (user !== undefined && !leasing.rabbit.users.has(user)) bad.add(user)
          if (user !== undefined) users.add(user)
          expect(users.size).toBe(3)
        },
        { withinMs: 30_000 },
      )
      expect([...bad]).toEqual([])
      expect(leasing.rabbit.made).toBe(3)
    },
  )
})

/** The policy is a field that may be secret, for all that the provider knows: its digest must be the same after a restart. */
function configuration({ url }: VaultServer, root: string): string {
  const content = '{{ with secret "auth/token/create" "ttl=9s" "policies=default" }}{{ .Auth.ClientToken }}{{ end }}'
  return `providers: { vault: { type: vault, address: "${url}" } }
bundles: { web: { volume: ${root}/web, files: [{ path: token, content: '${content}' }] } }
state: ${root}/state
`
}

/** How many tokens there are. */
async function countOf(server: VaultServer): Promise<number> {
  const { data } = await must(server, 'GET', 'auth/token/accessors?list=1')
  return data.keys.length
}

async function lookedUp(server: VaultServer, token: string): Promise<object | undefined> {
  return (await call(server, 'GET', 'auth/token/lookup-self', undefined, { token })).body?.data
}
