import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../support/free-port.ts'
import { builtProgram, runBuilt } from '../../support/program.ts'
import { scratch } from '../../support/scratch.ts'
import { VaultDouble } from '../../support/vault-double.ts'
import { must } from '../../support/vault-server.ts'

test('the built program reads secrets, with what node-vault brings along left out, and says nothing of them', async () => {
  const double = await VaultDouble.start('tls')
  onTestFinished(() => double.close())
  await must(double, 'POST', 'secret/data/app', { data: { password: 'SENTINEL-5b1c' } })
  const directory = scratch()
  writeFileSync(
    join(directory, 'outrigger.yaml'),
    `providers:
  vault: { type: vault, address: "${double.url}", tls: { ca: "${double.ca}" } }
bundles:
  web:
    volume: ${directory}/web
    files:
      - { path: a, content: '{{ ref "vault://secret/app#password" }} {{ with secret "secret/app" }}{{ .Data.data.password }}{{ end }}' }
state: ${directory}/state
`,
  )
  const env = { PATH: process.env.PATH ?? '', VAULT_TOKEN: double.rootToken, DEBUG: '*', VAULT_SKIP_VERIFY: 'false' }

  const { stdout, stderr } = await promisify(execFile)(process.execPath, [builtProgram(), 'once'], {
    cwd: directory,
    env,
  })

  expect(readFileSync(join(directory, 'web/a'), 'utf8')).toBe('SENTINEL-5b1c SENTINEL-5b1c')
  expect(stdout + stderr).toContain('web: generation 1 published')
  expect(stdout + stderr).not.toMatch(/SENTINEL|node-vault/)
})

test('what was kept is of the server that the environment named then, and of no other', async () => {
  const double = await VaultDouble.start()
  await must(double, 'POST', 'secret/data/app', { data: { v: '1' } })
  const directory = scratch()
  const write = (volume: string) =>
    writeFileSync(
      join(directory, 'outrigger.yaml'),
      `providers: { vault: { type: vault } }
bundles: { web: { volume: ${directory}/${volume}, files: [{ path: a, content: '{{ ref "vault://secret/app#v" }}' }] } }
state: ${directory}/state
`,
    )
  const once = async (address: string) => {
    const environment = { VAULT_ADDR: address, VAULT_TOKEN: double.rootToken }
    return (await runBuilt(['once', '--timeout', '2s'], { directory, environment })).code
  }
  write('first')
  expect(await once(double.url)).toBe(0)
  await double.close()

  write('second')
  expect(await once(double.url)).toBe(0)
  expect(readFileSync(join(directory, 'second', 'a'), 'utf8')).toBe('1')
  write('third')
  expect(await once(`http://127.0.0.1:${await freePort()}`)).toBe(3)
})
