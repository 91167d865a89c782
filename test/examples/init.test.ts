import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GitRepository } from '../support/git-repository.ts'
import { runBuilt } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'
import { rehome } from './example.ts'

const environment = { POD_NAME: 'app-0' }

test('the configuration of the init container is valid', async () => {
  const directory = scratch()

  const { code, stderr } = await runBuilt(['validate', '-c', rehome('init', directory, {})], { environment })

  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('is valid') })
})

test('the init container publishes one commit of the repository, rendered and as it is', async () => {
  const repository = await GitRepository.make()
  await repository.commit({
    'app.yaml': 'name: "the app"\nworkers: 4\n',
    'conf.d/a.conf': 'a\n',
    'conf.d/deep/b.conf': 'b\n',
    'other.txt': 'not asked for\n',
  })
  const directory = scratch()

  const { code, stderr } = await runBuilt(['once', '-c', configFor(directory, repository.url), '--timeout', '60s'], {
    environment,
  })

  expect({ code, stderr }).toMatchObject({ code: 0 })
  const config = join(directory, 'config')
  expect(JSON.parse(readFileSync(join(config, 'app.json'), 'utf8'))).toEqual({
    name: 'the app',
    workers: 4,
    pod: 'app-0',
  })
  expect(readFileSync(join(config, 'conf.d/a.conf'), 'utf8')).toBe('a\n')
  expect(readFileSync(join(config, 'conf.d/deep/b.conf'), 'utf8')).toBe('b\n')
})

test('the init container exits with 3 at its deadline, and its last message says what it waited for', async () => {
  const directory = scratch()
  mkdirSync(join(directory, 'empty'))

  const { code, stderr } = await runBuilt(
    ['once', '-c', configFor(directory, `file://${directory}/empty`), '--timeout', '1s'],
    {
      environment,
    },
  )

  expect(code).toBe(3)
  expect(stderr).toContain('repo')
})

/** The configuration with a repository of the test's own, which needs no user. */
function configFor(directory: string, url: string): string {
  const path = rehome('init', directory, {
    'https://git.example.org/config.git': url,
    'volume: /config': `volume: ${join(directory, 'config')}`,
    'state: /var/lib/outrigger': `state: ${join(directory, 'state')}`,
  })
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^ +auth: .*\n/m, ''))
  return path
}
