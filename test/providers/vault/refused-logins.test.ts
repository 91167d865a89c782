import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProviderError } from '../../../lib/errors.ts'
import { CredentialsRefused, loginFailureOf } from '../../../providers/vault/failure.ts'
import { RefusedLogins } from '../../../providers/vault/auth/refused-logins.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { scratch } from '../../support/scratch.ts'
import { must, vaultServers } from '../../support/vault-server.ts'
import { Bench } from './bench.ts'

const never = new AbortController().signal
const REFUSED = new CredentialsRefused('unauthenticated', 'the server does not take the credentials (400)')

/** What a server counts: refusals without a quarter of an hour between them. */
function played(answers: (password: string) => ProviderError | undefined) {
  const clock = new FakeClock()
  const sentAtMs: number[] = []
  const post = new RefusedLogins(clock).guard(async (_, { password }) => {
    sentAtMs.push(clock.monotonicMs())
    const failure = answers(password as string)
    if (failure !== undefined) throw failure
    return { status: 200, headers: new Map(), body: null }
  })
  const logIn = (password: string) =>
    post('auth/userpass/login/anna', { password }, never).catch((error: unknown) => error)
  return { clock, sentAtMs, logIn }
}

test('the same credentials are never sent so often that a server locks out', async () => {
  const { clock, sentAtMs, logIn } = played(() => REFUSED)
  for (let second = 0; second < 6 * 3_600; second += 5) {
    expect(await logIn('SENTINEL')).toMatchObject({ code: 'unauthenticated' })
    await clock.advance(5_000)
  }
  expect(sentAtMs.length).toBeGreaterThan(20)
  let count = 0
  for (const [i, atMs] of sentAtMs.entries()) {
    count = i > 0 && atMs - (sentAtMs[i - 1] as number) > 900_000 ? 1 : count + 1
    expect(count).toBeLessThan(5)
  }
})

test('changed credentials are sent at once, and a success forgets all', async () => {
  const { sentAtMs, logIn } = played(password => (password === 'right' ? undefined : REFUSED))
  const error = await logIn('SENTINEL')
  await logIn('SENTINEL')
  expect(sentAtMs).toHaveLength(1)
  expect(String(error)).toContain('not sent again for 10s')
  expect(String(error) + JSON.stringify(error)).not.toContain('SENTINEL')
  expect(await logIn('right')).toMatchObject({ status: 200 })
  await logIn('SENTINEL')
  expect(sentAtMs).toHaveLength(3)
})

test.each([
  ['that is away', new ProviderError('unavailable', 'nobody answers')],
  [
    'where the method is not mounted yet',
    loginFailureOf('auth/a', { status: 404, headers: new Map(), body: undefined }),
  ],
])('a server %s refuses no credentials: they are sent again', async (_, failure) => {
  const { sentAtMs, logIn } = played(() => failure)
  for (let i = 0; i < 3; i++) expect(await logIn('a')).toBe(failure)
  expect(sentAtMs).toHaveLength(3)
})

test.each(vaultServers())('%s does not lock a user out whose password was wrong and is put right', async (_, start) => {
  const server = await start()
  try {
    await must(server, 'POST', 'sys/auth/people', { type: 'userpass' })
    await must(server, 'POST', 'sys/policies/acl/reads', { policy: '{"path":{"secret/*":{"capabilities":["read"]}}}' })
    await must(server, 'POST', 'auth/people/users/anna', { password: 'right', token_policies: ['reads'] })
    await must(server, 'POST', 'secret/data/a', { data: { v: '1' } })
    const password = join(scratch(), 'password')
    writeFileSync(password, 'wrong')
    const auth = { method: 'userpass', mount: 'people', username: 'anna', password: `file:${password}` }
    // Without jitter there is no wait between two tries.
    const bench = await Bench.open(server, { auth }, { random: () => 0 })
    for (let i = 0; i < 8; i++) {
      await expect(bench.ask('ref', 'secret/a', 'v')).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    writeFileSync(password, 'right')
    await expect.poll(() => bench.ask('ref', 'secret/a', 'v').catch(() => undefined), { timeout: 15_000 }).toBe('1')
  } finally {
    await server.close()
  }
})
