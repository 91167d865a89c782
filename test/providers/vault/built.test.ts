import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { builtProgram } from '../../support/program.ts'
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
