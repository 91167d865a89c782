import { constants as fileConstants } from 'node:fs'
import { open } from 'node:fs/promises'
import { constants } from 'node:os'
import { formatDurationMs } from '../base/duration.ts'
import { messageOf, systemCode } from '../base/errors.ts'
import type { SignalHookOptions } from '../bundle.ts'
import { HookError, type Hook } from './hook.ts'
import { systemProcesses, type HookHost, type Processes } from './host.ts'
import { readProcess, searchProcesses, statusOf, type SeenProcess } from './processes.ts'

/** Tells by a signal: to every process of a name, of a family only the oldest (nginx: the master, not its workers), or to the
 *  one that a pid file names. Sent means told, so it is not sent where it would not be heard: to a dead process that was not
 *  collected yet, to one that ignores the signal, or to one that it would end because it has no handler (yet). */
export function signalHook(options: SignalHookOptions, { clock, processes = systemProcesses }: HookHost): Hook {
  return {
    id: options.id,
    async tell(_notice, signal) {
      signal.throwIfAborted()
      const done = new AbortController()
      // A pid file may lie on a network file system whose server is away; nothing else here takes time.
      const deadline = clock.sleep(options.timeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
        throw new HookError('failed', `${options.signal} not sent within ${formatDurationMs(options.timeoutMs)}`)
      })
      try {
        const found = await Promise.race([findTargets(options, processes), deadline])
        signal.throwIfAborted()
        await Promise.race([sendToAll(found, options.signal, processes, signal), deadline])
      } finally {
        done.abort()
        deadline.catch(() => {})
      }
    },
  }
}

async function findTargets({ target }: SignalHookOptions, processes: Processes): Promise<readonly SeenProcess[]> {
  return 'process' in target
    ? await findByName(target.process, processes)
    : [await findByPidFile(target.pidFile, processes)]
}

async function findByName(name: string, processes: Processes): Promise<readonly SeenProcess[]> {
  const { matching, seen } = await searchProcesses(name, processes)
  if (matching.length > 0) {
    const pids = new Set(matching.map(({ pid }) => pid))
    return matching.filter(({ parent }) => !pids.has(parent))
  }
  throw new HookError('failed', `no process ${name} among the ${seen} that can be seen`, {
    hint:
      processes.pid === 1
        ? 'we are process 1, so we see our own container only: set shareProcessNamespace: true in the Pod'
        : 'it has not started, or its container does not share its processes (shareProcessNamespace: true), or /proc hides ' +
          'those of other users (hidepid)',
  })
}

/** What is read of a pid file; PostgreSQL's has more lines after the pid. */
const PID_FILE_BYTES_MAX = 64

async function findByPidFile(path: string, processes: Processes): Promise<SeenProcess> {
  const pid = await readPidFile(path)
  if (pid === undefined) throw new HookError('failed', `${path}: holds no process id`)
  if (pid === 1 || pid === processes.pid) {
    throw new HookError('failed', `${path}: holds ${pid}, which is ${pid === 1 ? 'the first process' : 'ourselves'}`, {
      hint: 'a pid file counts only where its writer shares its processes with us (shareProcessNamespace: true)',
    })
  }
  const found = await readProcess(pid, processes)
  if (found === undefined) throw goneError(`${path}: process ${pid}`)
  return found
}

async function readPidFile(path: string): Promise<number | undefined> {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer, for ever.
    const file = await open(path, fileConstants.O_RDONLY | fileConstants.O_NONBLOCK)
    try {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(PID_FILE_BYTES_MAX) })
      const [, digits] = /^\s*(\d{1,10})\s*(?:\n|$)/.exec(buffer.toString('latin1', 0, bytesRead)) ?? []
      return digits === undefined || Number(digits) === 0 ? undefined : Number(digits)
    } finally {
      await file.close()
    }
  } catch (error) {
    const hint =
      systemCode(error) === 'ENOENT' ? { hint: 'the process has not started, or writes its pid elsewhere' } : {}
    throw new HookError('failed', `${path}: ${systemCode(error) ?? messageOf(error)}`, { ...hint, cause: error })
  }
}

/** Signals all, so that one that fails does not keep the others from being told; then throws the first failure. */
async function sendToAll(
  found: readonly SeenProcess[],
  name: NodeJS.Signals,
  processes: Processes,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = []
  for (const target of found) {
    signal.throwIfAborted()
    await send(target, name, processes).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

async function send(target: SeenProcess, name: NodeJS.Signals, processes: Processes): Promise<void> {
  const who = `${target.name} (process ${target.pid})`
  await assertHeard(target, name, who, processes)
  // Numbers of processes are used again: the one of now must have started when the one that we found had.
  const now = await readProcess(target.pid, processes)
  if (now?.startedAt !== target.startedAt) throw goneError(who)
  try {
    processes.kill(target.pid, name)
  } catch (error) {
    throw await killError(error, target, name, who, processes)
  }
}

/** Signals whose only common meaning is "end": whoever configures one of them wants that, handler or not. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGABRT'])
/** Signals that do no harm to a process without a handler. */
const HARMLESS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGCHLD',
  'SIGCONT',
  'SIGURG',
  'SIGWINCH',
  'SIGSTOP',
  'SIGTSTP',
])

async function assertHeard(
  target: SeenProcess,
  name: NodeJS.Signals,
  who: string,
  processes: Processes,
): Promise<void> {
  const status = await statusOf(target.pid, processes)
  if (status?.signals === undefined) return
  const bit = 1n << BigInt(constants.signals[name] - 1)
  const { caught, blocked, ignored } = status.signals
  if ((ignored & bit) !== 0n) {
    throw new HookError('failed', `${who} ignores ${name}`, { hint: 'choose the signal on which it reloads' })
  }
  // A blocked signal is one that is waited for with sigwait or signalfd.
  if (((caught | blocked) & bit) !== 0n || ENDING.has(name) || HARMLESS.has(name)) return
  throw new HookError('failed', `${who} has no handler for ${name}, which would end it`, {
    hint: 'it may still be starting; where ending it is what you want, choose SIGTERM',
  })
}

function goneError(who: string): HookError {
  return new HookError('failed', `${who} is gone (ESRCH)`, { hint: 'it has ended, and may be starting again' })
}

async function killError(
  error: unknown,
  { pid }: SeenProcess,
  name: NodeJS.Signals,
  who: string,
  processes: Processes,
): Promise<HookError> {
  if (systemCode(error) === 'ESRCH') return goneError(who)
  if (systemCode(error) !== 'EPERM') return new HookError('failed', `${who}: ${messageOf(error)}`, { cause: error })
  const theirs = (await statusOf(pid, processes))?.uid
  const users = `we run as uid ${processes.uid}, it as uid ${theirs ?? 'unknown'}`
  return new HookError('failed', `${who}: not permitted to send ${name} (EPERM): ${users}`, {
    hint: 'run both as the same uid, or us as root with the capability KILL; KILL does not help another uid than root',
    cause: error,
  })
}
