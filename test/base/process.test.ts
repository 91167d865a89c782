import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../lib/base/clock.ts'
import { childEnvironment, run, type Run } from '../../lib/base/process.ts'
import { isAlive } from '../support/alive.ts'
import { eventually } from '../support/eventually.ts'
import { scratch } from '../support/scratch.ts'

const environment = { PATH: '/usr/bin:/bin' }
const never = new AbortController().signal

function start(command: readonly string[], options: Partial<Run> = {}, signal = never) {
  return run({ command, environment, timeoutMs: 15_000, ...options }, systemClock, signal)
}

function shell(script: string, options: Partial<Run> = {}, signal = never) {
  return start(['/bin/sh', '-c', script], options, signal)
}

/** How long something took, in milliseconds. */
async function timed<T>(work: Promise<T>): Promise<{ result: T; tookMs: number }> {
  const startedAtMs = performance.now()
  return { result: await work, tookMs: performance.now() - startedAtMs }
}

function killAfterTest(pid: number): void {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  })
}

describe('a program that ends by itself', () => {
  test('gives its exit code and what it wrote', async () => {
    const finished = await shell('echo out; echo err >&2; exit 3')

    expect(finished).toEqual({
      exitCode: 3,
      signal: undefined,
      stdout: Buffer.from('out\n'),
      stderr: Buffer.from('err\n'),
      truncated: false,
      timedOut: false,
    })
  })

  test('gives the signal that ended it', async () => {
    const finished = await shell('kill -SEGV $$')

    expect(finished).toMatchObject({ exitCode: undefined, signal: 'SIGSEGV', timedOut: false })
  })

  test('gets its arguments as they are, without a shell', async () => {
    const finished = await start(['printf', '%s', '$HOME; `id` "x"'])

    expect(finished.stdout.toString()).toBe('$HOME; `id` "x"')
  })

  test('reads its input to the end', async () => {
    const input = Buffer.alloc(300_000, 'x')

    const finished = await start(['wc', '-c'], { input })

    expect(finished.stdout.toString().trim()).toBe('300000')
  })

  test('reads end-of-file at once when there is no input', async () => {
    const finished = await start(['cat'])

    expect(finished).toMatchObject({ exitCode: 0, stdout: Buffer.alloc(0) })
  })

  test('may end without reading its input', async () => {
    const finished = await start(['true'], { input: Buffer.alloc(5_000_000) })

    expect(finished.exitCode).toBe(0)
  })

  test('inherits nothing of our environment', async () => {
    process.env['OUTRIGGER_TEST_SECRET'] = 'hunter22'
    onTestFinished(() => void delete process.env['OUTRIGGER_TEST_SECRET'])

    const finished = await start([process.execPath, '-p', 'JSON.stringify(process.env)'], { environment: { ONE: '1' } })

    expect(JSON.parse(finished.stdout.toString())).toEqual({ ONE: '1' })
  })

  test('runs in the directory that is given', async () => {
    const directory = scratch()

    const finished = await start(['pwd'], { directory })

    expect(finished.stdout.toString()).toBe(`${directory}\n`)
  })

  test('has the first bytes of its output kept and is not held up by the rest', async () => {
    const finished = await shell('yes | head -c 3000000; yes | head -c 50 >&2', { outputBytesMax: 1_001 })

    expect(finished).toMatchObject({ exitCode: 0, truncated: true })
    expect([finished.stdout.length, finished.stderr.length]).toEqual([1_001, 50])
  })

  test('gives all that it wrote, also when we come to read it only after its end', async () => {
    const running = shell('head -c 150000 /dev/zero; head -c 150000 /dev/zero >&2')
    await new Promise(resolve => setTimeout(resolve, 1))
    // Nothing of ours runs while the child writes and ends.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)

    const { stdout, stderr } = await running

    expect([stdout.length, stderr.length]).toEqual([150_000, 150_000])
  })

  test('is not said to be truncated when its output just fits', async () => {
    const finished = await shell('head -c 1000 /dev/zero', { outputBytesMax: 1_000 })

    expect(finished).toMatchObject({ truncated: false })
    expect(finished.stdout.length).toBe(1_000)
  })
})

describe('a program that cannot be started', () => {
  test('is an error with the system’s code', async () => {
    const script = join(scratch(), 'script')
    writeFileSync(script, '')
    chmodSync(script, 0o600)

    await expect(start(['no-such-program-here'])).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(start([script])).rejects.toMatchObject({ code: 'EACCES' })
    await expect(start(['true', 'x'.repeat(3_000_000)])).rejects.toMatchObject({ code: 'E2BIG' })
  })

  test('is an error, and not the end of us, when there are no file descriptors left', async () => {
    const script = join(scratch(), 'exhaust.ts')
    const lib = join(import.meta.dirname, '../../lib/base')
    writeFileSync(
      script,
      `import { openSync, closeSync } from 'node:fs'
       import { run } from '${lib}/process.ts'
       import { systemClock } from '${lib}/clock.ts'
       const held = []
       try { for (;;) held.push(openSync('/dev/null', 'r')) } catch {}
       const options = { command: ['true'], environment: {}, timeoutMs: 5_000 }
       const error = await run(options, systemClock, new AbortController().signal).catch(error => error)
       held.forEach(fd => closeSync(fd))
       process.stdout.write(String(error.code))`,
    )

    const finished = await shell(`ulimit -n 60 && exec "${process.execPath}" "${script}"`)

    expect(finished.stderr.toString()).toBe('')
    expect(finished.stdout.toString()).toBe('EMFILE')
  })
})

describe('the deadline', () => {
  test('ends the whole group', async () => {
    const { result, tookMs } = await timed(shell('sleep 60 & echo $! $$; wait', { timeoutMs: 300 }))

    expect(result).toMatchObject({ exitCode: undefined, signal: 'SIGTERM', timedOut: true })
    expect(tookMs).toBeGreaterThanOrEqual(299)
    expect(tookMs).toBeLessThan(2_000)
    const pids = result.stdout.toString().trim().split(' ').map(Number)
    expect(pids).toHaveLength(2)
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
  })

  test('is not put off by a program that ignores SIGTERM: the grace is all it gets', async () => {
    const script = 'trap "" TERM; echo $$; while :; do sleep 0.05; done'

    const { result, tookMs } = await timed(shell(script, { timeoutMs: 300, graceMs: 200 }))

    expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: true })
    expect(tookMs).toBeGreaterThanOrEqual(499)
    expect(tookMs).toBeLessThan(2_000)
    expect(isAlive(Number(result.stdout))).toBe(false)
  })

  test('reaches a grandchild that ignores SIGTERM after the program has obeyed', async () => {
    const script = '(trap "" TERM; while :; do sleep 0.05; done) & echo $!; wait'

    const { result, tookMs } = await timed(shell(script, { timeoutMs: 300, graceMs: 200 }))

    expect(result).toMatchObject({ signal: 'SIGTERM', timedOut: true })
    expect(tookMs).toBeLessThan(2_000)
    await eventually(() => expect(isAlive(Number(result.stdout))).toBe(false))
  })

  test('leaves a grandchild the grace to end in order', async () => {
    const file = join(scratch(), 'ended')
    const script = `(trap 'sleep 0.2; echo well > ${file}; exit' TERM; while :; do sleep 0.02; done) & wait`

    await shell(script, { timeoutMs: 300 })

    expect(readFileSync(file, 'utf8')).toBe('well\n')
  })

  test('ends a program that is stopped', async () => {
    const { result, tookMs } = await timed(shell('kill -STOP $$', { timeoutMs: 200, graceMs: 200 }))

    expect(result).toMatchObject({ signal: 'SIGKILL', timedOut: true })
    expect(tookMs).toBeLessThan(2_000)
  })

  test('keeps what was written until then', async () => {
    const finished = await shell('echo before; sleep 60', { timeoutMs: 300 })

    expect(finished.stdout.toString()).toBe('before\n')
  })
})

describe('what stays behind when the program has ended by itself', () => {
  test('is ended when it is in the group, and does not hold us up though it holds the pipe', async () => {
    const { result, tookMs } = await timed(shell('sleep 60 & echo $!; exit 7'))

    expect(result).toMatchObject({ exitCode: 7, timedOut: false })
    expect(tookMs).toBeLessThan(1_500)
    expect(isAlive(Number(result.stdout))).toBe(false)
  })

  test('is ended when it holds no pipe', async () => {
    const { result } = await timed(shell('sleep 60 >/dev/null 2>&1 & echo $!'))

    expect(isAlive(Number(result.stdout))).toBe(false)
  })

  test('is left alone when it has left the group, and holds us up for a moment only', async () => {
    const { result, tookMs } = await timed(shell('setsid sleep 60 & sleep 0.2; echo $!'))
    const daemon = Number(result.stdout)
    killAfterTest(daemon)

    expect(result).toMatchObject({ exitCode: 0, timedOut: false })
    expect(tookMs).toBeLessThan(1_500)
    expect(isAlive(daemon)).toBe(true)
  })

  test('is heard for a moment', async () => {
    // It speaks once the program is gone for good, which is when we have been told of its end.
    const script = `echo early; setsid sh -c "while kill -0 $$ 2>/dev/null; do :; done; echo late" & sleep 0.2`

    expect((await shell(script)).stdout.toString()).toBe('early\nlate\n')
  })
})

describe('the signal', () => {
  test('ends the group, and run() rejects with its reason', async () => {
    const file = join(scratch(), 'pids')
    const abort = new AbortController()
    const running = shell(`sleep 60 & echo $! $$ > ${file}; wait`, {}, abort.signal)
    const pids = await eventually(() => {
      const found = readFileSync(file, 'utf8').trim().split(' ').map(Number)
      expect(found).toHaveLength(2)
      return found
    })

    const reason = new Error('enough')
    abort.abort(reason)

    await expect(running).rejects.toBe(reason)
    for (const pid of pids) expect(isAlive(pid)).toBe(false)
  })

  test('keeps a program from being started when it has aborted before', async () => {
    const file = join(scratch(), 'started')
    const reason = new Error('enough')

    await expect(shell(`touch ${file}`, {}, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(() => readFileSync(file)).toThrow('ENOENT')
  })
})

describe('childEnvironment()', () => {
  test('takes of ours only what programs need to run, and what is added wins', () => {
    const own = { PATH: '/bin', HOME: '/home/me', LANG: undefined, TZ: 'UTC', VAULT_TOKEN: 's.secret', LD_PRELOAD: 'x' }

    expect(childEnvironment(own, { HOME: '/tmp', MORE: '1' })).toEqual({
      PATH: '/bin',
      HOME: '/tmp',
      TZ: 'UTC',
      MORE: '1',
    })
  })
})
