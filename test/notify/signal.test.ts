import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock, type Clock } from '../../lib/base/clock.ts'
import type { SignalHookOptions } from '../../lib/bundle.ts'
import { systemProcesses, type Processes } from '../../lib/notify/host.ts'
import { createHook } from '../../lib/notify/hooks.ts'
import { searchProcesses } from '../../lib/notify/processes.ts'
import { isAlive } from '../support/alive.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { scratch } from '../support/scratch.ts'
import { hookErrorOf, hostOf, never, notice } from './fixtures.ts'

type Target = SignalHookOptions['target']

function hookOf(
  target: Target,
  signal: NodeJS.Signals = 'SIGHUP',
  processes: Processes = systemProcesses,
  clock: Clock = systemClock,
) {
  return createHook({ kind: 'signal', id: 'sig', signal, target, timeoutMs: 5_000 }, hostOf({ processes, clock }))
}

let applications = 0

/** A real process with a name of its own that writes down each signal it gets; ended when the test is over. */
async function application(body: string) {
  const directory = scratch()
  const name = `app${process.pid}x${applications++}`
  const file = join(directory, name)
  const heard = join(directory, 'heard')
  writeFileSync(
    file,
    `#!/bin/sh\n${body}\necho ready >> ${heard}\nwhile :; do sleep 0.02; done\n`.replaceAll('HEARD', heard),
  )
  chmodSync(file, 0o700)
  writeFileSync(heard, '')
  const child = spawn(file, [], { detached: true, stdio: 'ignore' })
  onTestFinished(async () => {
    const gone =
      child.exitCode !== null || child.signalCode !== null
        ? undefined
        : new Promise(resolve => child.once('exit', resolve))
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {}
    await gone
  })
  await eventually(() => expect(readFileSync(heard, 'utf8')).toContain('ready'))
  return { name, pid: child.pid as number, child, heard: () => readFileSync(heard, 'utf8').replaceAll('ready\n', '') }
}

const ON_HUP = `trap 'echo hup >> HEARD' HUP`

describe('by the name of a process', () => {
  test('the process gets the signal', async () => {
    const { name, heard } = await application(ON_HUP)

    await hookOf({ process: name }).tell(notice, never)

    await eventually(() => expect(heard()).toBe('hup\n'))
  })

  test('only the oldest of a family gets it', async () => {
    // A subshell has the name of its script, as a worker has the one of its master.
    const worker = `(trap 'echo worker >> HEARD' HUP; while :; do sleep 0.02; done) &`
    const { name, heard } = await application(`${worker}\n${ON_HUP}`)
    const { matching } = await searchProcesses(name, systemProcesses)
    expect(matching.length).toBeGreaterThanOrEqual(2)

    await hookOf({ process: name }).tell(notice, never)

    await eventually(() => expect(heard()).toBe('hup\n'))
  })

  test('a process that ignores the signal was not told', async () => {
    const { name } = await application(`trap '' HUP`)

    expect((await hookErrorOf(hookOf({ process: name }).tell(notice, never))).message).toContain('ignores SIGHUP')
  })

  test('SIGTERM ends a process, handler or not', async () => {
    const { name, child } = await application(':')

    await hookOf({ process: name }, 'SIGTERM').tell(notice, never)

    await eventually(() => expect(child.signalCode).toBe('SIGTERM'))
  })

  test('a process that cannot be seen is a failure that gives the reasons', async () => {
    const error = await hookErrorOf(hookOf({ process: 'no-such-process-anywhere' }).tell(notice, never))

    expect(error.code).toBe('failed')
    expect(error.hint).toContain('shareProcessNamespace')
    expect(error.hint).toContain('hidepid')
  })
})

describe('a process is found', () => {
  async function pidsNamed(name: string): Promise<readonly number[]> {
    return (await searchProcesses(name, systemProcesses)).matching.map(({ pid }) => pid)
  }

  function start(file: string, argv0: string): number {
    const child = spawn(file, ['60'], { argv0, stdio: 'ignore' })
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await new Promise(resolve => child.once('exit', resolve))
    })
    return child.pid as number
  }

  test('by its first argument, where the kernel calls it something else', async () => {
    const name = `first-argument-of-${process.pid}`

    const pid = start('/bin/sleep', `/opt/${name}`)

    await eventually(async () => expect(await pidsNamed(name)).toEqual([pid]))
  })

  test('by its program file, where its name is longer than the kernel keeps', async () => {
    const file = join(scratch(), `a-long-program-name-${process.pid}`)
    copyFileSync('/bin/sleep', file)
    chmodSync(file, 0o700)

    const pid = start(file, 'something else')

    await eventually(async () => expect(await pidsNamed(basename(file))).toEqual([pid]))
    expect(await pidsNamed(basename(file).slice(0, 18))).toEqual([])
  })
})

describe('by a pid file', () => {
  function pidFile(content: string): { readonly pidFile: string } {
    const path = join(scratch(), 'app.pid')
    writeFileSync(path, content)
    return { pidFile: path }
  }

  test('the process gets the signal', async () => {
    const { pid, heard } = await application(ON_HUP)

    await hookOf(pidFile(`${pid}\n`)).tell(notice, never)

    await eventually(() => expect(heard()).toBe('hup\n'))
  })

  test('the process is spared that has no handler yet, and the next try may do better', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await eventually(() => expect(readFileSync(`/proc/${child.pid}/comm`, 'latin1')).toBe('sleep\n'))

    const error = await hookErrorOf(hookOf(pidFile(String(child.pid))).tell(notice, never))

    expect(error.code).toBe('failed')
    expect(error.message).toContain('no handler for SIGHUP')
    expect(isAlive(child.pid as number)).toBe(true)
  })

  test('of more than one line, the first one counts', async () => {
    const { pid, heard } = await application(ON_HUP)

    await hookOf(pidFile(`  ${pid}\n/var/lib/postgresql\n1700000000\n`)).tell(notice, never)

    await eventually(() => expect(heard()).toBe('hup\n'))
  })

  test.for(['', '\n', 'nginx', '-1', '0', '12x', '1.5', '99999999999', '12 13'])(
    'that holds %j names nobody',
    async content => {
      const { message, hint } = await hookErrorOf(hookOf(pidFile(content)).tell(notice, never))

      expect(message).toContain('holds no process id')
      expect(hint).toContain('has not started')
    },
  )

  test.for(['1', String(process.pid)])('that holds %s is refused: that is not the application', async content => {
    const killed: number[] = []
    const processes = { ...systemProcesses, kill: (pid: number) => void killed.push(pid) }

    const error = await hookErrorOf(hookOf(pidFile(content), 'SIGHUP', processes).tell(notice, never))

    expect(error.hint).toContain('shareProcessNamespace')
    expect(killed).toEqual([])
  })

  test('of a process that is gone says so', async () => {
    const child = spawn('true', { stdio: 'ignore' })
    await new Promise(resolve => child.once('exit', resolve))

    expect((await hookErrorOf(hookOf(pidFile(String(child.pid))).tell(notice, never))).message).toContain('ESRCH')
  })

  test('that does not exist is a failure with the system’s word', async () => {
    const error = await hookErrorOf(hookOf({ pidFile: '/nonexistent/app.pid' }).tell(notice, never))

    expect(error.message).toBe('/nonexistent/app.pid: ENOENT')
  })

  test('that is a named pipe does not hold us up', async () => {
    const path = join(scratch(), 'app.pid')
    await new Promise(resolve => spawn('mkfifo', [path]).once('exit', resolve))

    expect((await hookErrorOf(hookOf({ pidFile: path }).tell(notice, never))).code).toBe('failed')
  })
})

interface Fake {
  readonly pid: number
  readonly name?: string
  readonly parent?: number
  readonly state?: string
  readonly startedAt?: number
  readonly caught?: readonly NodeJS.Signals[]
  readonly blocked?: readonly NodeJS.Signals[]
  readonly uid?: number
  readonly exe?: string
}

/** A `/proc` of these processes, and whom a signal was sent to. */
function fakeProcesses(fakes: readonly Fake[], options: Partial<Processes> = {}) {
  const proc = scratch()
  const killed: number[] = []
  for (const fake of fakes) writeFake(proc, fake)
  const kill = (pid: number) => void killed.push(pid)
  return { processes: { proc, pid: 7, uid: 1000, kill, ...options }, killed, proc }
}

function writeFake(proc: string, fake: Fake): void {
  const {
    pid,
    name = 'app',
    parent = 1,
    state = 'S',
    startedAt = 100,
    caught = ['SIGHUP'],
    blocked = [],
    uid = 0,
  } = fake
  const directory = join(proc, String(pid))
  mkdirSync(directory, { recursive: true })
  const between = Array.from({ length: 17 }, () => '0').join(' ')
  writeFileSync(join(directory, 'stat'), `${pid} (${name}) ${state} ${parent} ${between} ${startedAt} 0 0\n`)
  writeFileSync(join(directory, 'cmdline'), `./${name}\0-x\0`)
  const masks = `SigBlk:\t${maskOf(blocked)}\nSigIgn:\t${maskOf([])}\nSigCgt:\t${maskOf(caught)}\n`
  writeFileSync(join(directory, 'status'), `Name:\t${name}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n${masks}`)
  if (fake.exe !== undefined) symlinkSync(fake.exe, join(directory, 'exe'))
}

function maskOf(signals: readonly NodeJS.Signals[]): string {
  const bits = signals.map(signal => 1n << BigInt(constants.signals[signal] - 1))
  return bits
    .reduce((mask, bit) => mask | bit, 0n)
    .toString(16)
    .padStart(16, '0')
}

describe('among all processes', () => {
  test('we ourselves, the dead and those of another name are left out', async () => {
    const { processes, killed } = fakeProcesses([
      { pid: 7 },
      { pid: 8, state: 'Z' },
      { pid: 9, name: 'application' },
      { pid: 10, name: 'a) S 1 (app' },
      { pid: 11, name: 'worker', exe: '/usr/bin/app (deleted)' },
      { pid: 12 },
    ])

    await hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never)

    expect(killed.toSorted((a, b) => a - b)).toEqual([11, 12])
  })

  test('each family is told, by its oldest', async () => {
    const { processes, killed } = fakeProcesses([
      { pid: 20 },
      { pid: 21, parent: 20 },
      { pid: 22, parent: 21 },
      { pid: 30, parent: 7 },
    ])

    await hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never)

    expect(killed.toSorted((a, b) => a - b)).toEqual([20, 30])
  })

  test('one that waits for the signal instead of handling it is told', async () => {
    const { processes, killed } = fakeProcesses([{ pid: 20, caught: [], blocked: ['SIGHUP'] }])

    await hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never)

    expect(killed).toEqual([20])
  })

  test('one that blocks the signal for a moment only, as while starting a child, is spared', async () => {
    const { processes, killed, proc } = fakeProcesses([{ pid: 20, caught: [], blocked: ['SIGHUP'] }])
    const clock = new FakeClock()
    const telling = hookErrorOf(hookOf({ process: 'app' }, 'SIGHUP', processes, clock).tell(notice, never))
    // The deadline, and the wait before the second look.
    await eventually(() => expect(clock.sleeping).toBe(2))

    writeFake(proc, { pid: 20, caught: [], blocked: [] })
    await clock.advance(1_000)

    expect((await telling).message).toContain('no handler')
    expect(killed).toEqual([])
  })

  test('a number that has become another process’s since is not signalled', async () => {
    const proc = scratch()
    const killed: number[] = []
    let reads = 0
    // The second look at the process finds one that started later.
    const processes: Processes = {
      get proc() {
        writeFake(proc, { pid: 20, startedAt: reads++ < 4 ? 100 : 200 })
        return proc
      },
      pid: 7,
      uid: 0,
      kill: pid => void killed.push(pid),
    }

    const error = await hookErrorOf(hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never))

    expect(error.message).toContain('gone')
    expect(killed).toEqual([])
  })

  test('one that ends just then is a failure', async () => {
    const kill = () => {
      throw Object.assign(new Error('kill ESRCH'), { code: 'ESRCH' })
    }
    const { processes } = fakeProcesses([{ pid: 20 }], { kill })

    expect((await hookErrorOf(hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never))).code).toBe('failed')
  })

  test('one that may not be signalled is a failure that names both users, and the others are told', async () => {
    const killed: number[] = []
    const kill = (pid: number) => {
      if (pid === 20) throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
      killed.push(pid)
    }
    const { processes } = fakeProcesses([{ pid: 20, uid: 101 }, { pid: 30 }], { kill })

    const error = await hookErrorOf(hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never))

    expect(error.message).toContain('we run as uid 1000, it as uid 101')
    expect(error.hint).toContain('KILL')
    expect(killed).toEqual([30])
  })

  test('none is found where we are the first process of a container that shares nothing', async () => {
    const { processes } = fakeProcesses([{ pid: 1 }], { pid: 1 })

    const error = await hookErrorOf(hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, never))

    expect(error.hint).toContain('we are process 1')
  })
})

/** Runs a signal hook in a process of user 65534 without capabilities, and gives what came of it. */
function tellAsNobody(name: string): string {
  const lib = join(import.meta.dirname, '../../lib')
  const script = `
    import { systemClock } from '${lib}/base/clock.ts'
    import { Redactor } from '${lib}/base/secret.ts'
    import { createHook } from '${lib}/notify/hooks.ts'
    const options = { kind: 'signal', id: 's', signal: 'SIGHUP', target: { process: '${name}' }, timeoutMs: 5_000 }
    const hook = createHook(options, { clock: systemClock, redactor: new Redactor(), environment: {} })
    const tried = hook.tell({}, new AbortController().signal)
    process.stdout.write(await tried.then(() => 'told', error => error.message))`
  const command = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    '--bounding-set=-all',
    '--no-new-privs',
    process.execPath,
  ]
  const options = { env: {}, encoding: 'utf8', stdio: 'pipe' } as const
  return execFileSync('/usr/bin/setpriv', [...command, '--input-type=module-typescript', '-e', script], options)
}

const isRootWithSetpriv = process.getuid?.() === 0 && existsSync('/usr/bin/setpriv')

test.runIf(isRootWithSetpriv)('a real process of another user may not be signalled', async () => {
  const { name, pid, heard } = await application(ON_HUP)

  const said = tellAsNobody(name)

  expect(said).toBe(`${name} (process ${pid}): not permitted to send SIGHUP (EPERM): we run as uid 65534, it as uid 0`)
  expect(heard()).toBe('')
})

test('an abandoned hook signals nobody', async () => {
  const { processes, killed } = fakeProcesses([{ pid: 20 }])
  const reason = new Error('superseded')

  await expect(hookOf({ process: 'app' }, 'SIGHUP', processes).tell(notice, AbortSignal.abort(reason))).rejects.toBe(
    reason,
  )
  expect(killed).toEqual([])
})
