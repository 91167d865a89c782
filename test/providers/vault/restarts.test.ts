import { expect, onTestFinished, test } from 'vitest'
import { v } from '../../../lib/base/schema.ts'
import { Struct } from '../../../lib/base/value.ts'
import type { Dependency } from '../../../lib/dependency.ts'
import type { Reading } from '../../../lib/reading.ts'
import { vaultOptions } from '../../../providers/vault/options.ts'
import { vault } from '../../../providers/vault/plugin.ts'
import { VaultProvider } from '../../../providers/vault/provider.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { noteIn, providerHost } from '../../support/provider-host.ts'
import { scratch } from '../../support/scratch.ts'
import { SimulatedVault, type Kind } from '../../support/simulated-vault.ts'

const SECOND = 1_000
const kv = vault.reference.ask('mine', ['kv/app', 'v'])

/** A simulated server, and providers that are opened on it one after the other, as by one process after another. */
function scene() {
  const clock = new FakeClock()
  const life = { tokenMs: 3_600_000, tokenMaxMs: Infinity, leaseMs: 600_000, leaseMaxMs: Infinity }
  const server = new SimulatedVault(clock, { ...life, leaseRenewable: true, answerMs: () => 1 })
  const asked: Kind[] = []
  server.onRequest = kind => asked.push(kind)
  const [note, directory] = [noteIn(new Map()), scratch()]
  const random = () => 0.5
  const open = async () => {
    const { host } = providerHost(directory, { clock, random, note })
    const options = v.parse(vaultOptions, { address: 'http://127.0.0.1:1', auth: { method: 'approle', roleId: 'web' } })
    const provider = await VaultProvider.open(options, host, server.connect)
    onTestFinished(() => provider.close())
    return provider
  }
  const read = async (known?: Reading, lookingMs = SECOND) => {
    const provider = await open()
    const over = new AbortController()
    const readings: Reading[] = []
    const reading = (async () => {
      for await (const each of provider.watch(kv, over.signal, known)) readings.push(each)
    })().catch(() => {})
    await clock.advance(lookingMs)
    over.abort()
    await reading
    await provider.close()
    return readings
  }
  return { clock, server, asked, open, read }
}

function textOf(reading: Reading | undefined): unknown {
  return reading && vault.reference.answer(reading, ['kv/app', 'v'])
}

test('a secret that was kept costs one small request after a restart, and is what it was', async () => {
  const { clock, asked, read } = scene()
  const [known] = await read()
  expect(asked).toEqual(['login', 'other', 'read'])
  asked.length = 0
  await clock.advance(60 * SECOND)
  const readings = await read(known)

  expect(asked).toEqual(['read'])
  expect(readings).toMatchObject([{ value: known?.value, revision: known?.revision }])
  expect(readings[0]?.observedAtMs).toBeGreaterThan(known?.observedAtMs ?? Infinity)
})

test('a secret that has changed meanwhile is read anew, and so is one of which it is not known where it was', async () => {
  const { server, asked, read } = scene()
  const [known] = await read()
  server.change()
  asked.length = 0
  expect((await read(known)).map(textOf)).toEqual(['2'])
  expect(asked).toEqual(['read', 'other', 'read'])

  asked.length = 0
  for (const cursor of ['{', '{"path":"kv/metadata/app"}']) {
    expect((await read({ ...(known as Reading), cursor })).map(textOf)).toEqual(['2'])
  }
  expect(asked).toEqual(['other', 'read', 'other', 'read'])
})

test('who starts in the midst of its waits takes whole ones, and who starts anew any part of one first', async () => {
  const { asked, read } = scene()
  const [known] = await read(undefined, 5.1 * SECOND)
  expect(asked.filter(kind => kind === 'read')).toHaveLength(2)
  asked.length = 0
  await read(known, 8.9 * SECOND)
  expect(asked).toHaveLength(1)
  asked.length = 0
  await read(known, 9.1 * SECOND)
  expect(asked).toHaveLength(2)
})

test('what is kept may wait as long as it would be taken for the newest; what changes by itself, and what is made, may not', async () => {
  const { open, read } = scene()
  const [known] = (await read()) as [Reading]
  const provider = await open()
  const plain = { ...known, value: secretWith(new Map([['v', '1']])) }
  delete (plain as { cursor?: string }).cursor
  const rotated = {
    ...plain,
    value: secretWith(
      new Map<string, string | number>([
        ['rotation_period', 60],
        ['ttl', 30],
      ]),
    ),
  }
  const ending = known.cursor?.replace('"deletionTime":""', '"deletionTime":"2026-01-01T00:00:30Z"') ?? ''
  const token = { ...kv, kind: 'token' } satisfies Dependency

  expect(provider.everyMs(kv, known)).toBe(9 * SECOND)
  expect(provider.everyMs(kv, plain)).toBe(54 * SECOND)
  expect(ending).toContain('00:30Z')
  expect(provider.everyMs(kv, { ...known, cursor: ending })).toBe(0)
  expect(provider.everyMs(kv, rotated)).toBe(0)
  expect(provider.everyMs(token, known)).toBe(0)
})

function secretWith(data: ReadonlyMap<string, string | number>): Struct {
  const secret = new Struct('dependency.Secret', new Map<string, never>([['Data', data as never]]))
  return new Struct('secret', new Map<string, never>([['Secret', secret as never]]))
}
