/** What a client says of a failure, on an API that does as the test says. */
import { silentLog } from '../../../lib/base/log.ts'
import { expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../../lib/base/secret.ts'
import { OperationalError, ProviderError } from '../../../lib/errors.ts'
import type { Answer } from '../../../providers/vault/answer.ts'
import type { AuthMethod } from '../../../providers/vault/auth/method.ts'
import { Client } from '../../../providers/vault/client.ts'
import { Leases } from '../../../providers/vault/leases.ts'
import { leaseId } from '../../../providers/vault/lease-id.ts'
import type { Settings } from '../../../providers/vault/settings.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { noteIn } from '../../support/provider-host.ts'

const never = new AbortController().signal
const life = { durationMs: 3_600_000, renewable: false, usesLeft: 0, accessor: 'accessor' }

/** @param answer what the API does with a request, a login included */
function clientOn(answer: (path: string) => Answer) {
  const clock = new FakeClock()
  const method: AuthMethod = {
    name: 'scripted',
    isFresh: true,
    async logIn() {
      answer('auth/login')
      return { token: new Secret('token'), life }
    },
  }
  const settings = { timeoutMs: 30_000, shown: 'https://vault', namespace: '' } as unknown as Settings
  const files = { readFile: async () => Buffer.alloc(0), removeFile: async () => {} }
  const world = { clock, random: () => 0.5, note: noteIn(new Map()), log: silentLog, environment: {}, ...files }
  const client = new Client(settings, method, { send: async ({ path }) => answer(path), close() {} }, world)
  onTestFinished(() => client.close())
  return { client, clock }
}

test.each(['auth/login', 'kv/a'])('a server that is away is said in the same words where %s fails', async failing => {
  const { client } = clientOn(path => {
    if (path !== failing) return { status: 200, headers: new Map(), body: undefined }
    const cause = new OperationalError('unavailable', '127.0.0.1:8200: ECONNREFUSED')
    throw new ProviderError('unavailable', cause.message, { cause })
  })
  const asked = client.ask('vault://kv/a', { operation: 'read', path: 'kv/a' }, never)
  await expect(asked).rejects.toThrow(/^127\.0\.0\.1:8200: ECONNREFUSED$/)
})

test('a login that is refused says what it was for', async () => {
  const { client } = clientOn(() => {
    throw new ProviderError('unauthenticated', 'log in at auth/login: the server does not take the credentials')
  })
  const asked = client.ask('vault://kv/a', { operation: 'read', path: 'kv/a' }, never)
  await expect(asked).rejects.toThrow(/^vault:\/\/kv\/a: log in at auth\/login: /)
})

test.each([
  ['lease', 'sys/leases/renew'],
  ['token', 'auth/token/renew-accessor'],
] as const)('that a %s may not be renewed names the path that a policy must give', async (kind, path) => {
  const refusal = new Map([['errors', ['1 error occurred:\n\t* permission denied\n\n']]])
  const { client, clock } = clientOn(() => ({ status: 403, headers: new Map(), body: refusal }))
  const id = leaseId({ kind, id: 'one', namespace: undefined })
  const lease = { id, durationMs: 60_000, renewable: true, endsAtMs: clock.nowMs() + 60_000 }
  await expect(new Leases(client, clock).renew(lease, never)).rejects.toThrow(
    `renew a lease at ${path}: the token may not`,
  )
})
