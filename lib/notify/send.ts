import { constants } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { messageOf, systemCode } from '../base/errors.ts'
import { HookError } from './hook.ts'
import type { Processes } from './host.ts'
import { readProcess, statusOf, type SeenProcess } from './processes.ts'

/** Sends a signal to a process that was found, if it is still that one and would hear it. Rejects with a `failed` HookError. */
export async function send(
  target: SeenProcess,
  name: NodeJS.Signals,
  { clock, processes }: { readonly clock: Clock; readonly processes: Processes },
  signal: AbortSignal,
): Promise<void> {
  const who = `${target.name} (process ${target.pid})`
  const deaf = await whyDeaf(target, name, processes, clock, signal)
  if (deaf !== undefined) throw new HookError('failed', `${who} ${deaf.why}`, { hint: deaf.hint })
  // Numbers of processes are used again: the one of now must have started when the one that we found had.
  const now = await readProcess(target.pid, processes)
  signal.throwIfAborted()
  if (now?.startedAt !== target.startedAt) throw goneError(who)
  try {
    processes.kill(target.pid, name)
  } catch (error) {
    throw await killError(error, target, name, who, processes)
  }
}

/** What a process that has ended, or was another one, comes to. */
export function goneError(who: string): HookError {
  return new HookError('failed', `${who} is gone (ESRCH)`, { hint: 'it has ended, and may be starting again' })
}

/** Signals whose only common meaning is "end": whoever configures one of them wants that, handler or not. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL', 'SIGABRT'])
/** Signals that do not end a process without a handler. */
const HARMLESS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGCHLD',
  'SIGCONT',
  'SIGURG',
  'SIGWINCH',
  'SIGSTOP',
  'SIGTSTP',
])
/** The waits before each look at a process that has no handler but blocks the signal. One that waits for it (sigwait, signalfd)
 *  blocks it always; others only while they start a child. */
const BLOCKED_LOOKS_MS = [0, 10, 20, 40, 80]

/** Why a process would not hear the signal, if so. Where the system does not say, it counts as hearing. */
async function whyDeaf(
  { pid }: SeenProcess,
  name: NodeJS.Signals,
  processes: Processes,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly why: string; readonly hint: string } | undefined> {
  const bit = 1n << BigInt(constants.signals[name] - 1)
  for (const waitMs of BLOCKED_LOOKS_MS) {
    if (waitMs > 0) await clock.sleep(waitMs, signal)
    const signals = (await statusOf(pid, processes))?.signals
    if (signals === undefined || (signals.caught & bit) !== 0n) return undefined
    if ((signals.ignored & bit) !== 0n) return { why: `ignores ${name}`, hint: 'choose the signal on which it reloads' }
    if (ENDING.has(name) || HARMLESS.has(name)) return undefined
    if ((signals.blocked & bit) === 0n) {
      return {
        why: `has no handler for ${name}, which would end it`,
        hint: 'it may still be starting; where ending it is what you want, choose SIGTERM',
      }
    }
  }
  return undefined
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
