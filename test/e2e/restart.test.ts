import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { VaultDouble } from '../support/vault-double.ts'
import { must } from '../support/vault-server.ts'

/** So many that they are not all looked at in the first moments of a minute, whatever is drawn for each. */
const SECRETS = 40
const SPREAD = 'first readings are spread'

interface Scene {
  readonly server: VaultDouble
  readonly root: string
  /** Starts the program on what it finds. */
  start(): ReturnType<typeof startBuilt>
  /** Writes the configuration, with this before all secrets. */
  configure(before: string): void
  shows(text: string): Promise<void>
  /** How many of the secrets were asked for since this was called last. */
  asked(): number
}

async function place(): Promise<Scene> {
  const server = await VaultDouble.start()
  onTestFinished(() => server.close())
  const root = scratch()
  const names = Array.from({ length: SECRETS }, (_, i) => `s${i}`)
  for (const name of names) await must(server, 'POST', `secret/data/${name}`, { data: { v: '1' } })
  writeFileSync(join(root, 'prefix'), '')
  let seen = server.seen.length
  const scene: Scene = {
    server,
    root,
    start: () => startBuilt(['run'], { directory: root, environment: { VAULT_TOKEN: server.rootToken } }),
    configure(before) {
      const secrets = names.map(name => `{{ ref "vault://secret/${name}#v" }}`).join('')
      const config = {
        providers: { vault: { type: 'vault', address: server.url, poll: '1h' }, local: { type: 'file', path: '.' } },
        bundles: {
          web: {
            volume: './volume',
            files: [{ path: 'app.conf', content: `${before}{{ ref "local://prefix" }}${secrets}` }],
            settle: { quiet: '20ms', longest: '200ms' },
          },
        },
        state: './state',
      }
      writeFileSync(join(root, 'outrigger.yaml'), JSON.stringify(config))
    },
    shows: text => eventually(() => expect(readFileSync(join(root, 'volume', 'app.conf'), 'utf8')).toBe(text)),
    asked() {
      const paths = server.seen.slice(seen).map(({ path }) => path)
      seen = server.seen.length
      return new Set(paths.flatMap(path => /secret\/(?:data|metadata)\/(s\d+)/.exec(path)?.[1] ?? [])).size
    },
  }
  scene.configure('')
  const first = scene.start()
  await scene.shows('1'.repeat(SECRETS))
  await eventually(() => expect(first.stderr()).toContain('confirmed'))
  expect(scene.asked()).toBe(SECRETS)
  first.child.kill('SIGTERM')
  await first.ended
  expect(first.stderr()).not.toContain(SPREAD)
  return scene
}

test('a restart on what it had kept looks at nothing that can wait, and says until when', async () => {
  const scene = await place()
  scene.asked()
  const again = scene.start()
  const line = await eventually(() => {
    const found = again
      .stderr()
      .split('\n')
      .find(each => each.includes(SPREAD))
    return found ?? Promise.reject(new Error(again.stderr()))
  })

  expect(JSON.parse(line)).toMatchObject({ readings: expect.any(Number), until: expect.stringMatching(/^\d{4}-.*Z$/) })
  expect(scene.asked()).toBeLessThan(SECRETS / 2)
  expect(again.stderr()).not.toContain('published')
})

test('a restart with another template, or another local file, reads all at once and publishes what is there now', async () => {
  const scene = await place()
  await must(scene.server, 'POST', 'secret/data/s0', { data: { v: '2' } })
  const now = `2${'1'.repeat(SECRETS - 1)}`
  scene.asked()
  scene.configure('changed ')
  const changed = scene.start()
  await scene.shows(`changed ${now}`)
  expect(scene.asked()).toBe(SECRETS)
  await eventually(() => expect(changed.stderr()).toContain('confirmed'))
  changed.child.kill('SIGTERM')
  await changed.ended

  writeFileSync(join(scene.root, 'prefix'), 'more ')
  await must(scene.server, 'POST', 'secret/data/s0', { data: { v: '3' } })
  scene.asked()
  const more = scene.start()
  await scene.shows(`changed more 3${'1'.repeat(SECRETS - 1)}`)
  expect(scene.asked()).toBe(SECRETS)
  expect(`${changed.stderr()}${more.stderr()}`).not.toContain(SPREAD)
  await eventually(() => expect(more.stderr()).toContain('confirmed'))
  expect(more.stderr().match(/"published"/g)).toHaveLength(1)
})
