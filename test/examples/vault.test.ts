import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { eventually } from '../support/eventually.ts'
import { runBuilt, startBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { VaultDouble } from '../support/vault-double.ts'
import { call, must, vaultProgram, vaultServers, type VaultServer } from '../support/vault-server.ts'
import { readConfig, readExample, rehome } from './example.ts'

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}

interface Service {
  readonly image: string
  readonly build?: string
  readonly entrypoint?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
}

const directory = resolve(import.meta.dirname, '../../examples/vault')
const { services, volumes } = parse(readExample('vault', 'compose.yaml')) as Compose

describe('the Compose file', () => {
  test('names a fixed version of each image, and ours by the version that it has', () => {
    const manifest = JSON.parse(readFileSync(resolve(directory, '../../package.json'), 'utf8')) as { version: string }
    for (const { image } of Object.values(services)) expect(image).toMatch(/^[a-z/]+:\d+\.\d+\.\d+$/)
    expect(services['outrigger']?.image).toBe(`outrigger:${manifest.version}`)
    expect(services['vault-setup']?.image).toBe(services['vault']?.image)
    expect(services['openbao-setup']?.image).toBe(services['openbao']?.image)
  })

  test('mounts volumes that it has and files that are there, and waits for services that it has', () => {
    const all = Object.values(services)
    const sources = all.flatMap(({ volumes: mounts = [] }) => mounts.map(mount => mount.split(':', 1)[0] ?? ''))
    const files = sources.filter(source => source.startsWith('./'))
    for (const file of files) expect(readExample('vault', file)).not.toBe('')
    expect(new Set(sources.filter(source => !files.includes(source)))).toEqual(new Set(Object.keys(volumes)))
    const awaited = all.flatMap(({ depends_on = {} }) => Object.keys(depends_on))
    expect(Object.keys(services)).toEqual(expect.arrayContaining(awaited))
    expect(readFileSync(resolve(directory, services['outrigger']?.build ?? '', 'Dockerfile'), 'utf8')).toContain('FROM')
  })

  test('gives Outrigger what its configuration asks for', () => {
    const { providers, bundles, state } = readConfig('vault')
    for (const [name, { address, auth }] of Object.entries(providers)) {
      expect(Object.keys(services)).toContain(new URL(String(address)).hostname)
      const [, , , credentials, volume] = services[`${name}-setup`]?.entrypoint ?? []
      expect(auth).toMatchObject({ roleId: `file:${credentials}/role-id`, secretIdFile: `${credentials}/secret-id` })
      expect(volume).toBe(bundles['application']?.volume)
    }
    const mounts = services['outrigger']?.volumes?.map(mount => mount.split(':'))
    expect(mounts?.map(([, at]) => at)).toEqual(expect.arrayContaining(['/credentials', '/config', state]))
    const templates = bundles['application']?.files.flatMap(file =>
      typeof file['template'] === 'string' ? file['template'] : [],
    )
    expect(templates).toHaveLength(1)
    for (const name of templates ?? []) expect(mounts).toContainEqual([`./${name}`, `/etc/outrigger/${name}`, 'ro'])
  })
})

test('the configuration is valid', async () => {
  const { code, stderr } = await runBuilt(['validate', '-c', rehome('vault', scratch(), {})])
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('is valid') })
})

describe.each(vaultServers())('with %s', (_, start) => {
  test('secrets of both servers are one generation, and their changes another', { timeout: 60_000 }, async () => {
    const [vault, openbao] = [await start(), await start()]
    onTestFinished(async () => void (await Promise.all([vault.close(), openbao.close()])))
    const root = scratch()
    await setUp(vault, join(root, 'credentials', 'vault'))
    await setUp(openbao, join(root, 'credentials', 'openbao'))
    const config = rehome('vault', root, {
      'http://vault:8200': vault.url,
      'http://openbao:8200': openbao.url,
      '/credentials/': `${root}/credentials/`,
      'volume: /config': `volume: ${root}/config`,
      'state: /var/lib/outrigger': `state: ${root}/state`,
      'poll: 2s': 'poll: 200ms',
    })
    const shown = (name: string) => readFileSync(join(root, 'config', name), 'utf8')

    const run = startBuilt(['run', '-c', config])
    await eventually(() => expect(shown('db.env')).toBe('DB_PASSWORD=first\nDB_USER=app\n'), { withinMs: 20_000 })
    expect(JSON.parse(shown('api.json'))).toEqual({ user: 'app', key: 'first' })
    await must(openbao, 'POST', 'secret/data/app/api', { data: { key: 'second' } })
    await eventually(() => expect(JSON.parse(shown('api.json'))).toEqual({ user: 'app', key: 'second' }))

    const { body } = await call(vault, 'POST', 'sys/wrapping/unwrap', {}, { token: shown('vault-token') })
    const token = body.data.token as string
    expect((await call(vault, 'GET', 'secret/data/app/db', undefined, { token })).status).toBe(200)
    run.child.kill('SIGTERM')
    expect((await run.ended).code).toBe(0)
  })
})

/** What `setup.sh` does: by itself where there is the command of a server, and on the double by the API. */
async function setUp(server: VaultServer, credentials: string): Promise<void> {
  if (!(server instanceof VaultDouble)) {
    const { url, rootToken } = server
    const environment = {
      BAO_ADDR: url,
      BAO_TOKEN: rootToken,
      VAULT_ADDR: url,
      VAULT_TOKEN: rootToken,
      HOME: scratch(),
    }
    await promisify(execFile)('sh', [join(directory, 'setup.sh'), vaultProgram ?? '', credentials], {
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    })
    return
  }
  await must(server, 'POST', 'secret/data/app/db', { data: { user: 'app', password: 'first' } })
  await must(server, 'POST', 'secret/data/app/api', { data: { key: 'first' } })
  const path = { 'secret/data/app/*': { capabilities: ['read'] }, 'secret/metadata/app/*': { capabilities: ['read'] } }
  await must(server, 'POST', 'sys/policies/acl/outrigger', { policy: JSON.stringify({ path }) })
  await must(server, 'POST', 'sys/auth/approle', { type: 'approle' })
  await must(server, 'POST', 'auth/approle/role/outrigger', { token_policies: ['outrigger'], token_ttl: '1h' })
  const roleId = await must(server, 'GET', 'auth/approle/role/outrigger/role-id')
  const secretId = await must(server, 'POST', 'auth/approle/role/outrigger/secret-id', {})
  mkdirSync(credentials, { recursive: true })
  writeFileSync(join(credentials, 'role-id'), roleId.data.role_id)
  writeFileSync(join(credentials, 'secret-id'), secretId.data.secret_id)
}
