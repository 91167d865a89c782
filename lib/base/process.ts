import type { ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import type { Clock } from './clock.ts'

/** A program to run to its end. There is no shell: `command` is the program and its arguments, as they are. */
export interface Run {
  /** A program without a `/` is looked up in the `PATH` of `environment`. */
  readonly command: readonly string[]
  /** The whole environment of the child: nothing of ours is inherited. */
  readonly environment: Readonly<Record<string, string>>
  readonly directory?: string
  /** Written to the child's standard input, which is then closed; without it the child reads end-of-file at once. */
  readonly input?: Uint8Array
  /** From the start to the program's end. */
  readonly timeoutMs: number
  /** How long after SIGTERM the group gets SIGKILL. @default 2_000 */
  readonly graceMs?: number
  /** How much of each of stdout and stderr is kept; what exceeds it is dropped and `truncated` says so. @default 1 MiB */
  readonly outputBytesMax?: number
}

export interface Finished {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly truncated: boolean
  /** The deadline ended it. */
  readonly timedOut: boolean
}

const GRACE_MS = 2_000
const OUTPUT_BYTES_MAX = 1024 * 1024
/** How long after the end the pipes are read at most, when somebody outside the group holds them open. */
const DRAIN_MS = 200
/** How soon a group that was asked to end is looked at; each wait after that is twice as long. */
const FIRST_LOOK_MS = 5

/** Runs a program in a process group of its own and waits for its end.
 *
 *  The deadline and the signal end the **group**: SIGTERM, then SIGKILL to what is left after the grace, and the pipes are
 *  destroyed, so that a grandchild that holds them open cannot hold us up (git-sync and consul-template both hang there). A
 *  group that stays behind when the program has ended by itself is ended in the same way. So the whole takes at most
 *  `timeoutMs` and twice the grace. A process that has left the group (a daemon) is not touched.
 *
 *  Rejects when the program cannot be started (the error's `code` is the system's: ENOENT, EACCES), or with the signal's reason. */
export async function run(options: Run, clock: Clock, signal: AbortSignal): Promise<Finished> {
  signal.throwIfAborted()
  const [program, ...args] = options.command
  if (program === undefined) throw new TypeError('command is empty')
  const graceMs = options.graceMs ?? GRACE_MS
  // Not imported: few runs have anything to start, and loading it takes 2 ms.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const child = spawn(program, args, {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  await started(child)
  const stdout = collect(child.stdout, options.outputBytesMax ?? OUTPUT_BYTES_MAX)
  const stderr = collect(child.stderr, options.outputBytesMax ?? OUTPUT_BYTES_MAX)
  child.stdin.on('error', () => {}) // A child may end without reading its input.
  child.stdin.end(options.input)
  const end = ended(child)
  try {
    const endedByItself = await within(options.timeoutMs, end, clock, signal)
    await endGroup(child, graceMs, clock)
    await within(graceMs, end, clock, neverAborted)
    // What was written before the end may still be in the pipes. Only a daemon can hold them open now.
    await within(DRAIN_MS, Promise.all([stdout.closed, stderr.closed]), clock, signal)
    signal.throwIfAborted()
    return {
      exitCode: child.exitCode ?? undefined,
      signal: child.signalCode ?? (child.exitCode === null ? 'SIGKILL' : undefined),
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      truncated: stdout.truncated() || stderr.truncated(),
      timedOut: !endedByItself,
    }
  } finally {
    child.stdin.destroy()
    child.stdout.destroy()
    child.stderr.destroy()
    child.unref() // One that even SIGKILL cannot end (it waits for a dead disk) must not keep us alive.
  }
}

/** The small environment that every child gets: of our own only what programs need to run at all, so that no credential of
 *  ours is inherited, and what was configured for it. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of INHERITED) {
    const value = own[name]
    if (value !== undefined) environment[name] = value
  }
  return { ...environment, ...added }
}

const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const

/** Ends what is left of a child's group. A group has its number to itself for as long as it has a member, so the number
 *  cannot have become another's while `signalGroup` still finds somebody. */
async function endGroup(child: ChildProcess, graceMs: number, clock: Clock): Promise<void> {
  if (!signalGroup(child, 'SIGTERM')) return
  const giveUpAtMs = clock.monotonicMs() + graceMs
  for (let waitMs = FIRST_LOOK_MS; clock.monotonicMs() < giveUpAtMs; waitMs *= 2) {
    await clock.sleep(Math.min(waitMs, giveUpAtMs - clock.monotonicMs()), neverAborted)
    if (!signalGroup(child, 0) || !(await hasLivingMember(child.pid))) return
  }
  signalGroup(child, 'SIGKILL')
}

/** Whether somebody in a group still runs. The dead that nobody has collected do not: where we are process 1 of a container,
 *  nobody ever collects an orphan, and waiting for it would take the whole grace. */
async function hasLivingMember(group: number | undefined): Promise<boolean> {
  try {
    const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
    const states = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')))
    // After the name, which stands in parentheses: state, parent, group (proc_pid_stat(5)).
    return states.some(text => /^\d+ \(.*\) [^ZX] \d+ (\d+) /s.exec(text)?.[1] === String(group))
  } catch {
    return true // There is no /proc: a group that can be signalled counts as alive.
  }
}

const neverAborted = new AbortController().signal

/** Sends a signal to a child's whole group; gives whether there is anybody left. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false
  try {
    return process.kill(-child.pid, signal)
  } catch {
    // ESRCH: nobody is left. EPERM: all that is left has changed its user, and is out of our reach.
    return false
  }
}

/** Whether `event` came before the time was up or the signal aborted. */
async function within(timeMs: number, event: Promise<unknown>, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const done = new AbortController()
  const timer = clock.sleep(timeMs, AbortSignal.any([signal, done.signal])).then(
    () => false,
    () => false,
  )
  try {
    return await Promise.race([event.then(() => true), timer])
  } finally {
    done.abort()
  }
}

/** Resolves when the program runs. It must be the first to look at the child: where there are no file descriptors left,
 *  there is only an `error` event, and no streams. */
function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.on('error', reject)
  })
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => child.once('exit', () => resolve()))
}

function collect(stream: NodeJS.ReadableStream, bytesMax: number) {
  const chunks: Buffer[] = []
  let kept = 0
  let truncated = false
  stream.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, bytesMax - kept)
    if (part.length < chunk.length) truncated = true
    kept += part.length
    if (part.length > 0) chunks.push(part)
  })
  const closed = new Promise<void>(resolve => {
    stream.on('close', () => resolve())
    stream.on('error', () => resolve())
  })
  return { bytes: () => Buffer.concat(chunks), truncated: () => truncated, closed }
}
