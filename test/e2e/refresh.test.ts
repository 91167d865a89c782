/** `run` and `refresh` as two processes, as an operator has them. */
import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { GitRepository } from '../support/git-repository.ts'
import { builtProgram, runBuilt, startBuilt, type Ended } from '../support/program.ts'
import { scratch } from '../support/scratch.ts'

const SETTLE = { quiet: '20ms', longest: '200ms' }

/** A configuration with one bundle, `web`; gives its path. */
function write(root: string, providers: object, content: string): string {
  const file = join(root, 'outrigger.yaml')
  const web = { settle: SETTLE, volume: './volume', files: [{ path: 'app.conf', content }] }
  writeFileSync(file, JSON.stringify({ providers, bundles: { web }, state: './state' }))
  return file
}

const shown = (root: string) => readFileSync(join(root, 'volume', 'app.conf'), 'utf8')

test('a commit is fetched and published as soon as somebody asks', async () => {
  const root = scratch()
  const repository = await GitRepository.make()
  await repository.commit({ v: 'one' })
  const repo = { type: 'git', url: repository.url, ref: 'main', poll: '1h' }
  const config = write(root, { repo }, '{{ ref "repo://v" }}')
  const { stderr } = startBuilt(['run', '-c', config])
  await eventually(() => expect(stderr()).toContain('"confirmed"'))
  await repository.commit({ v: 'two' })

  expect(await runBuilt(['refresh', '-c', config])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: 'outrigger: web: generation 2 published\n',
  })
  expect(shown(root)).toBe('two')
})

test('a process that was killed is not asked, and the next one takes the place of its socket', async () => {
  const root = scratch()
  mkdirSync(join(root, 'values'))
  writeFileSync(join(root, 'values', 'v'), 'one')
  const config = write(root, { local: { type: 'file', path: './values' } }, '{{ ref "local://v" }}')
  const first = startBuilt(['run', '-c', config])
  await eventually(() => expect(first.stderr()).toContain('"confirmed"'))
  first.child.kill('SIGKILL')
  await first.ended
  expect(existsSync(join(root, 'state', 'control.sock'))).toBe(true)
  expect(await runBuilt(['refresh', '-c', config])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no outrigger runs with this state directory'),
  })

  const second = startBuilt(['run', '-c', config])
  await eventually(async () => expect(await runBuilt(['refresh', '-c', config])).toMatchObject({ code: 0 }))
  second.child.kill('SIGTERM')
  expect(await second.ended).toMatchObject({ code: 0 })
  expect(existsSync(join(root, 'state', 'control.sock'))).toBe(false)
})

test.runIf(process.getuid?.() === 0)('another user is kept out, and is told whom to ask as', async () => {
  const root = scratch()
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'values'))
  writeFileSync(join(root, 'values', 'v'), 'one')
  const config = write(root, { local: { type: 'file', path: './values' } }, '{{ ref "local://v" }}')
  const program = join(root, 'outrigger.js')
  copyFileSync(builtProgram(), program)
  const { stderr } = startBuilt(['run', '-c', config])
  await eventually(() => expect(stderr()).toContain('"confirmed"'))
  const refused = {
    code: 1,
    stderr: expect.stringMatching(/permission denied \(EACCES\)\n.*hint: ask as its owner, root/),
  }

  // Once where the directory keeps everybody out, and once where the socket does.
  expect(statSync(join(root, 'state')).mode & 0o777).toBe(0o700)
  expect(await runAs(65_534, program, config)).toMatchObject(refused)
  chmodSync(join(root, 'state'), 0o755)
  expect(await runAs(65_534, program, config)).toMatchObject(refused)
  expect(await runAs(0, program, config)).toMatchObject({ code: 0 })
})

function runAs(uid: number, program: string, config: string): Promise<Pick<Ended, 'code' | 'stderr'>> {
  const child = spawn(process.execPath, [program, 'refresh', '-c', config], {
    cwd: '/',
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
    uid,
    gid: uid,
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stderr }))
  })
}
