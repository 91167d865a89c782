import { constants as fileConstants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { formatDurationMs } from '../base/duration.ts'
import { messageOf, systemCode } from '../base/errors.ts'
import type { SignalHookOptions } from '../bundle.ts'
import { HookError, type Hook } from './hook.ts'
import { systemProcesses, type HookHost, type Processes } from './host.ts'
import { readProcess, searchProcesses, type SeenProcess } from './processes.ts'
import { goneError, send } from './send.ts'

/** Tells by a signal: to every process of a name, of a family only the oldest (nginx: the master, not its workers), or to the
 *  one that a pid file names. Sent means told, so it is not sent where it would not be heard: to a dead process that was not
 *  collected yet, to one that ignores the signal, or to one that it would end because it has no handler (yet). */
export function signalHook(options: SignalHookOptions, { clock, processes = systemProcesses }: HookHost): Hook {
  const { id, signal: name, timeoutMs } = options
  const timeoutError = () => new HookError('failed', `${name} not sent within ${formatDurationMs(timeoutMs)}`)
  const world = { clock, processes }
  return {
    id,
    tell: (_notice, signal) =>
      // What can take time is a pid file on a network file system whose server is away.
      withDeadline({ timeoutMs, timeoutError }, signal => tellOnce(options, world, signal), clock, signal),
  }
}

async function tellOnce(
  options: SignalHookOptions,
  world: { readonly clock: Clock; readonly processes: Processes },
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = []
  for (const target of await findTargets(options, world.processes)) {
    signal.throwIfAborted()
    // One that cannot be told does not keep the others from being told.
    await send(target, options.signal, world, signal).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
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
  if (pid === undefined) {
    // `nginx -t` makes an empty one.
    throw new HookError('failed', `${path}: holds no process id`, {
      hint: 'the process has not started, or writes its pid elsewhere',
    })
  }
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
