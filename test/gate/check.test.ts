import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { Redactor } from '../../lib/base/secret.ts'
import { runCheck, type GateHost } from '../../lib/gate/check.ts'
import type { Verdict } from '../../lib/gate/verdict.ts'
import { isAlive } from '../support/alive.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'

const never = new AbortController().signal

function hostOf(options: Partial<GateHost> = {}): GateHost {
  return { clock: systemClock, redactor: new Redactor(), environment: { PATH: '/usr/bin:/bin' }, ...options }
}

function check(command: readonly string[], staged = '/staged', options: { timeoutMs?: number; host?: GateHost } = {}) {
  return runCheck({ command, timeoutMs: options.timeoutMs ?? 10_000 }, staged, options.host ?? hostOf(), never)
}

function shell(script: string, options: { timeoutMs?: number; host?: GateHost } = {}): Promise<Verdict> {
  return check(['/bin/sh', '-c', script], '/staged', options)
}

function whyOf(verdict: Verdict): string {
  expect(verdict.ok).toBe(false)
  return verdict.ok ? '' : verdict.why
}

test('a command that exits with 0 passes', async () => {
  expect(await shell('echo fine; echo warning >&2')).toEqual({ ok: true })
})

test('{staged} is the staged directory, wherever it stands in an argument', async () => {
  const staged = join(scratch(), "it's $& $1 a {staged}")
  const command = [
    'sh',
    '-c',
    'printf "%s\\n" "$@" >&2; exit 1',
    '{staged}/x',
    '--conf={staged}/a:{staged}/b',
    '{stage}',
  ]

  const why = whyOf(await check(command, staged))

  expect(why.split('\n')).toEqual([`sh exited with 1: --conf=${staged}/a:${staged}/b`, '{stage}'])
})

test('the environment is small, and names the staged directory', async () => {
  const file = join(scratch(), 'environment')
  const script = `require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.env))`
  const host = hostOf({ environment: { PATH: '/bin', HOME: '/root', VAULT_TOKEN: 'hunter22' } })

  await check([process.execPath, '-e', script], '/run/config/..g2', { host })

  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    PATH: '/bin',
    HOME: '/root',
    OUTRIGGER_STAGED: '/run/config/..g2',
  })
})

test('a check reads what is staged', async () => {
  const staged = scratch()
  writeFileSync(join(staged, 'app.conf'), 'port 0\n')

  expect(await check(['grep', '-q', 'port 0', '{staged}/app.conf'], staged)).toEqual({ ok: true })
  expect(whyOf(await check(['grep', '-q', 'port 80', '{staged}/app.conf'], staged))).toBe('grep exited with 1')
})

test('a refusal names the program, its exit code and its last words', async () => {
  const why = whyOf(await shell('echo out; echo "line 1: unknown directive" >&2; echo "test failed" >&2; exit 2'))

  expect(why).toBe('/bin/sh exited with 2: line 1: unknown directive\ntest failed')
})

test('a refusal shows stdout where stderr is empty', async () => {
  expect(whyOf(await shell('echo "on stdout"; exit 1'))).toBe('/bin/sh exited with 1: on stdout')
})

test('long last words are cut to the end of them', async () => {
  const why = whyOf(await shell('seq -f "line %04g of a rather long description of what is wrong" 1 5000 >&2; exit 1'))

  const lines = why.slice(why.indexOf(': ') + 2).split('\n')
  expect(lines.length).toBeLessThanOrEqual(20)
  expect(lines.at(-1)).toMatch(/^line 5000 /)
  expect(why.length).toBeLessThan(2_100)
})

test('no secret shows, nor a control character of a terminal', async () => {
  const redactor = new Redactor()
  redactor.add('hunter22')

  const why = whyOf(
    await shell(`printf '\\033[31mbad password hunter22\\033[0m\\a' >&2; exit 1`, { host: hostOf({ redactor }) }),
  )

  expect(why).toBe('/bin/sh exited with 1: bad password [secret]')
})

test('a check that takes too long is not passed, says nothing about the contents, and nothing of it is left', async () => {
  const file = join(scratch(), 'pids')

  const verdict = await shell(`sleep 60 & echo $! $$ > ${file}; wait`, { timeoutMs: 300 })

  expect(verdict).toEqual({ ok: false, why: '/bin/sh did not end within 300ms', inconclusive: true })
  expect(readFileSync(file, 'utf8').trim().split(' ').map(Number).map(isAlive)).toEqual([false, false])
})

test('a check that cannot be started is not passed', async () => {
  const why = whyOf(await check(['no-such-checker', 'hunter22']))

  expect(why).toContain('no-such-checker')
  expect(why).toContain('ENOENT')
  expect(why).not.toContain('hunter22')
})

test('an abandoned check rejects with the reason, and nothing of it is left', async () => {
  const file = join(scratch(), 'pid')
  const abort = new AbortController()
  const options = { command: ['/bin/sh', '-c', `echo $$ > ${file}; sleep 60`], timeoutMs: 10_000 }
  const checking = runCheck(options, '/staged', hostOf(), abort.signal)
  const pid = await eventually(() => {
    expect(existsSync(file)).toBe(true)
    const found = Number(readFileSync(file, 'utf8'))
    expect(found).toBeGreaterThan(0)
    return found
  })

  const reason = new Error('enough')
  abort.abort(reason)

  await expect(checking).rejects.toBe(reason)
  expect(isAlive(pid)).toBe(false)
})
