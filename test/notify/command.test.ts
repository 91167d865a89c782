import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Redactor } from '../../lib/base/secret.ts'
import type { CommandHookOptions } from '../../lib/bundle.ts'
import type { Notice } from '../../lib/notice.ts'
import type { HookHost } from '../../lib/notify/host.ts'
import { createHook } from '../../lib/notify/hooks.ts'
import { isAlive } from '../support/alive.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'
import { hookErrorOf, hostOf, never, notice } from './fixtures.ts'

function hookOf(command: readonly string[], options: Partial<CommandHookOptions> = {}, host: Partial<HookHost> = {}) {
  return createHook(
    { kind: 'command', id: 'cmd', command, environment: {}, timeoutMs: 10_000, ...options },
    hostOf(host),
  )
}

function shellHook(script: string, options: Partial<CommandHookOptions> = {}, host: Partial<HookHost> = {}) {
  return hookOf(['/bin/sh', '-c', script], options, host)
}

/** What a command finds in its environment. */
async function environmentFor(sent: Notice, options: Partial<CommandHookOptions> = {}, host: Partial<HookHost> = {}) {
  const file = join(scratch(), 'environment')
  const script = `require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.env))`
  await hookOf([process.execPath, '-e', script], options, host).tell(sent, never)
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
}

test('tells by a command that finds the notice in its environment', async () => {
  const environment = { PATH: '/usr/bin:/bin', TZ: 'UTC', VAULT_TOKEN: 'hunter22' }

  const found = await environmentFor(
    notice,
    { environment: { MODE: 'fast', OUTRIGGER_BUNDLE: 'mine' } },
    { environment },
  )

  expect(found).toEqual({
    PATH: '/usr/bin:/bin',
    TZ: 'UTC',
    MODE: 'fast',
    OUTRIGGER_BUNDLE: 'web',
    OUTRIGGER_GENERATION: '42',
    OUTRIGGER_DIGEST: 'd1ge57',
    OUTRIGGER_DIRECTORY: '/run/config/..g42',
    OUTRIGGER_CHANGED: 'app.conf\ntls/key.pem',
  })
})

test('says on a rollback which generation is shown again', async () => {
  expect(await environmentFor({ ...notice, restores: 40 })).toMatchObject({ OUTRIGGER_RESTORES: '40' })
})

test('cuts a list of changed paths that is too long, and says how many are missing', async () => {
  const changed = Array.from({ length: 10_000 }, (_, i) => `path/${String(i).padStart(5, '0')}`)

  const found = await environmentFor({ ...notice, changed })

  const given = found['OUTRIGGER_CHANGED']?.split('\n') ?? []
  expect(found['OUTRIGGER_CHANGED']?.length).toBeLessThanOrEqual(32 * 1024)
  expect(given).toEqual(changed.slice(0, given.length))
  expect(given.length + Number(found['OUTRIGGER_CHANGED_OMITTED'])).toBe(10_000)
})

test('runs no shell', async () => {
  const file = join(scratch(), 'made')

  await hookOf(['true', '&&', 'touch', file, `$(touch ${file})`]).tell(notice, never)

  expect(existsSync(file)).toBe(false)
})

test('fails with the exit code and the last line of stderr, masked and bounded', async () => {
  const redactor = new Redactor()
  redactor.add('hunter22')
  const script = `echo first >&2; printf 'bad password hunter22 ${'x'.repeat(500)}\\n\\n' >&2; echo out; exit 3`

  const error = await hookErrorOf(shellHook(script, {}, { redactor }).tell(notice, never))

  expect(error.code).toBe('failed')
  expect(error.message).toMatch(/^\/bin\/sh exited with 3: bad password \[secret\] x+…$/)
  expect(error.message.length).toBeLessThan(250)
})

test('shows what it wrote to stdout when stderr is empty', async () => {
  const error = await hookErrorOf(shellHook('echo reason; exit 1').tell(notice, never))

  expect(error.message).toBe('/bin/sh exited with 1: reason')
})

test('fails with the signal that ended the command', async () => {
  expect((await hookErrorOf(shellHook('kill -KILL $$').tell(notice, never))).message).toBe(
    '/bin/sh was ended by SIGKILL',
  )
})

test('fails when there is no such program', async () => {
  const error = await hookErrorOf(hookOf(['no-such-program-here', 'hunter22']).tell(notice, never))

  expect(error.code).toBe('failed')
  expect(error.message).toContain('ENOENT')
  expect(error.message).not.toContain('hunter22')
})

test('fails at the deadline and leaves nothing of the command behind', async () => {
  const file = join(scratch(), 'pids')

  const hook = shellHook(`sleep 60 & echo $! $$ > ${file}; wait`, { timeoutMs: 300 })
  const error = await hookErrorOf(hook.tell(notice, never))

  expect(error.message).toContain('did not end within 300ms')
  const pids = readFileSync(file, 'utf8').trim().split(' ').map(Number)
  expect(pids.map(isAlive)).toEqual([false, false])
})

test('ends the command when it is abandoned', async () => {
  const file = join(scratch(), 'pid')
  const abort = new AbortController()
  const telling = shellHook(`echo $$ > ${file}; sleep 60`).tell(notice, abort.signal)
  const pid = await eventually(() => {
    const found = Number(readFileSync(file, 'utf8'))
    expect(found).toBeGreaterThan(0)
    return found
  })

  const reason = new Error('superseded')
  abort.abort(reason)

  await expect(telling).rejects.toBe(reason)
  expect(isAlive(pid)).toBe(false)
})
