import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'

const script = resolve(import.meta.dirname, '../../examples/quickstart/main.ts')

test('the quick start plays the whole way, and leaves nothing behind', { timeout: 90_000 }, async () => {
  const directory = scratch()

  const { code, stdout, stderr } = await start(directory).ended

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const generation of [1, 2, 3, 4]) {
    expect(stdout).toMatch(new RegExp(`visible +generation ${generation}, \\d+\\.\\d\\d s later`))
    expect(stdout).toContain(`the application was told: generation ${generation}, changed: app.json`)
  }
  expect(stdout).toMatch(/refused +.*workers: want a whole number/)
  expect(stdout).not.toContain('\x1b')
  expect(readdirSync(directory)).toEqual([])
})

test('the quick start that cannot be played says so, and leaves nothing behind', { timeout: 90_000 }, async () => {
  const directory = scratch()
  const withoutGit = scratch()
  mkdirSync(join(withoutGit, 'bin'))
  symlinkSync(process.execPath, join(withoutGit, 'bin', 'node'))

  const { code, stderr } = await start(directory, join(withoutGit, 'bin')).ended

  expect(code).toBe(1)
  expect(stderr).toMatch(/^\nquickstart: .*git/)
  expect(readdirSync(directory)).toEqual([])
})

test('the quick start that is interrupted leaves nothing behind', { timeout: 90_000 }, async () => {
  const directory = scratch()
  const { child, ended, output } = start(directory)
  await eventually(() => expect(output()).toContain('application  serves: Hello, world!'), { withinMs: 30_000 })

  child.kill('SIGINT')

  expect((await ended).code).toBe(130)
  expect(readdirSync(directory)).toEqual([])
})

function start(temporary: string, path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`) {
  const env = { PATH: path, TMPDIR: temporary }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>(settle => {
    child.on('close', code => settle({ code, stdout, stderr }))
  })
  return { child, ended, output: () => stdout }
}
