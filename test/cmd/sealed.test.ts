/** What the program keeps for a restart, and when it does not use it. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ProviderError } from '../../lib/errors.ts'
import type { Note } from '../../lib/provider.ts'
import { readSealedLines } from '../../lib/state/sealed-lines.ts'
import { eventually } from '../support/eventually.ts'
import { ScriptedProvider, scriptedPlugin } from '../support/scripted-provider.ts'
import { place, startRun } from './world.ts'

const AWAY = new ProviderError('unavailable', 'connection refused')
const FORBIDDEN = new ProviderError('forbidden', 'permission denied')

/** A place where a lease and a plain value are shown, and the processes that run there one after another. */
function kept(more: object = {}) {
  const { root, write } = place()
  let minted = 0
  const configure = (provider: object, providers: object = { one: { type: 'scripted', ...provider } }) =>
    write({
      providers,
      bundles: {
        web: {
          volume: './volume',
          files: [{ path: 'app.conf', content: '{{ ref "one://db" }} {{ ref "one://plain" }}' }],
        },
      },
      ...more,
    })
  const config = configure({})
  const start = () => {
    const provider = new ScriptedProvider()
    provider.mint('db', () => {
      const id = `lease-${++minted}`
      return { value: id, lease: { id, durationMs: 3_600_000, renewable: true, endsAtMs: Date.now() + 3_600_000 } }
    })
    provider.set('plain', 'value', { sensitive: true })
    const notes: Note[] = []
    const plugin = scriptedPlugin(provider)
    const open: typeof plugin.open = async (options, host) => {
      notes.push(host.note)
      return await plugin.open(options, host)
    }
    const run = () => startRun(config, { plugins: new Map([['scripted', { ...plugin, open }]]) })
    return { provider, notes, run }
  }
  /** A process from its start until it has shown what it reads, and its end. */
  const pass = async (change: (provider: ScriptedProvider) => void = () => {}, says = /"(published|unchanged)"/) => {
    const { provider, run } = start()
    change(provider)
    const { send, ended, said } = run()
    await eventually(() => expect(said()).toMatch(says))
    send('SIGTERM')
    expect(await ended).toBe(0)
    return said()
  }
  const shown = () => readFileSync(join(root, 'volume', 'app.conf'), 'utf8')
  const files = (kind: string) => readdirSync(join(root, 'state', 'sealed', kind))
  const readings = () => {
    const path = join(root, 'state', 'sealed', 'readings')
    return existsSync(path) ? [...readSealedLines(readFileSync(path)).lines.values()] : []
  }
  return { root, configure, start, pass, shown, files, readings, minted: () => minted }
}

describe('stateKey', () => {
  const key = (root: string, byte: number, length = 32) => writeFileSync(join(root, 'key'), Buffer.alloc(length, byte))
  const withKey = () => kept({ stateKey: './key' })

  test('seals: with the same key a restart finds everything', async () => {
    const { root, pass, shown, minted } = withKey()
    key(root, 1)
    await pass()
    await pass(provider => provider.breakAll(AWAY), /"serving":"what was last known"[^]*"unchanged"/)
    expect([shown(), minted()]).toEqual(['lease-1 value', 1])
  })

  test('that was rotated makes everything anew, says so, and leaves nothing of the old key', async () => {
    const { root, pass, shown, files, readings, minted } = withKey()
    key(root, 1)
    await pass()
    const before = { leases: files('leases'), readings: readings() }
    key(root, 2)
    const said = await pass()

    expect(said).toContain('sealed with another key')
    expect([shown(), minted()]).toEqual(['lease-2 value', 2])
    expect(files('leases')).toHaveLength(1)
    expect(files('leases')).not.toEqual(before.leases)
    expect(readings()).toHaveLength(1)
    expect(readings()).not.toEqual(before.readings)
    await pass(provider => provider.breakAll(AWAY), /"serving":"what was last known"[^]*"unchanged"/)
    expect(minted()).toBe(2)
  })

  test('that is wrong while the provider is away keeps what is published, and does not serve what it cannot open', async () => {
    const { root, pass, shown } = withKey()
    key(root, 1)
    await pass()
    key(root, 2)
    const said = await pass(provider => provider.breakAll(AWAY), /"waiting"|cannot read/)

    expect(said).not.toContain('"serving":"what was last known"')
    expect(shown()).toBe('lease-1 value')
  })

  test.each([
    ['whose file is missing', undefined, /cannot read the key file [^]*key: ENOENT/],
    ['that is too short', 31, /want a key of at least 32 bytes/],
  ])('%s ends the start with the reason, and what is published stays', async (_, length, reason) => {
    const { root, pass, start, shown } = withKey()
    key(root, 1)
    await pass()
    rmSync(join(root, 'key'))
    if (length !== undefined) key(root, 1, length)
    const { ended, said } = start().run()

    expect(await ended).toBe(1)
    expect(said()).toMatch(reason)
    expect(shown()).toBe('lease-1 value')
  })
})

describe('what was kept', () => {
  test('is not used when the provider reads from elsewhere', async () => {
    const { configure, pass, shown, minted } = kept()
    await pass()
    configure({ address: 'https://another' })
    const said = await pass(provider => provider.fail('plain', AWAY), /cannot read/)
    expect(said).not.toContain('"serving":"what was last known"')
    expect([shown(), minted()]).toEqual(['lease-1 value', 2])
  })

  test('is removed by a provider that says we may not have it, also for the next process', async () => {
    const { root, pass, readings, shown } = kept()
    await pass()
    expect(readings()).toHaveLength(1)
    await pass(provider => provider.fail('plain', FORBIDDEN), /permission denied/)
    expect(existsSync(join(root, 'state', 'sealed', 'readings'))).toBe(false)
    const said = await pass(provider => provider.fail('plain', AWAY), /cannot read/)

    expect(said).not.toContain('"serving":"what was last known"')
    expect(shown()).toBe('lease-1 value')
  })
})

describe('a note of a provider', () => {
  test.each([
    ['all', 'text'],
    ['leases', 'text'],
    ['none', undefined],
  ])('outlives a reload, and with seal: %s a restart as %j', async (seal, expected) => {
    const { configure, start } = kept()
    configure({ seal })
    const first = start()
    const { send, ended, said } = first.run()
    await eventually(() => expect(said()).toContain('"published"'))
    expect(await first.notes[0]?.read()).toBeUndefined()
    first.notes[0]?.write('text')
    send('SIGHUP')
    await eventually(() => expect(said()).toContain('"configuration loaded"'))
    expect(await first.notes[1]?.read()).toBe('text')
    send('SIGTERM')
    expect(await ended).toBe(0)

    const second = start()
    const next = second.run()
    await eventually(() => expect(next.said()).toMatch(/"(published|unchanged)"/))
    expect(await second.notes[0]?.read()).toBe(expected)
  })

  test('of what read from elsewhere is not found', async () => {
    const { configure, start, pass } = kept()
    await pass()
    const first = start()
    const { send, ended, said } = first.run()
    await eventually(() => expect(said()).toContain('"unchanged"'))
    first.notes[0]?.write('text')
    configure({ address: 'https://another' })
    send('SIGHUP')
    await eventually(() => expect(said()).toContain('"configuration loaded"'))
    expect(await first.notes[1]?.read()).toBeUndefined()
    send('SIGTERM')
    await ended
  })

  test.each<[string, object]>([
    ['whose provider reads from elsewhere', { one: { type: 'scripted', address: 'https://another' } }],
    ['whose provider is to keep nothing', { one: { type: 'scripted', seal: 'none' }, two: { type: 'scripted' } }],
  ])('%s is removed from the disk, by a reload and by a restart', async (_, providers) => {
    for (const how of ['reload', 'restart']) {
      const { configure, start, pass, files } = kept()
      const first = start()
      const { send, ended, said } = first.run()
      await eventually(() => expect(said()).toContain('"published"'))
      first.notes[0]?.write('text')
      await eventually(() => expect(files('notes')).toHaveLength(1))
      configure({}, providers)
      if (how === 'reload') {
        send('SIGHUP')
        await eventually(() => {
          if (!said().includes('"configuration loaded"')) throw new Error('not loaded yet')
        })
      }
      send('SIGTERM')
      expect(await ended).toBe(0)
      if (how === 'restart') await pass()
      expect(files('notes')).toEqual([])
    }
  })

  test('is not carried past a reload without its provider, and is written down once there is a place for it', async () => {
    const { configure, start, files } = kept()
    configure({ seal: 'none' })
    const first = start()
    const { send, ended, said } = first.run()
    const loaded = async (times: number) => {
      send('SIGHUP')
      await eventually(() => expect(said().match(/"configuration loaded"/g)).toHaveLength(times))
    }
    await eventually(() => expect(said()).toContain('"published"'))
    first.notes[0]?.write('text')
    configure({})
    await loaded(1)
    await eventually(() => expect(files('notes')).toHaveLength(1))
    expect(await first.notes[1]?.read()).toBe('text')
    configure({ address: 'https://another' })
    await loaded(2)
    configure({})
    await loaded(3)
    expect(await first.notes[3]?.read()).toBeUndefined()
    send('SIGTERM')
    expect(await ended).toBe(0)
  })
})
