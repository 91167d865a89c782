import { spawn, type ChildProcess } from 'node:child_process'
import type { Clock } from './clock.ts'

/** A program to run to its end. There is no shell: `command` is the program and its arguments, as they are. */
export interface Run {
  readonly command: readonly string[]
  /** The whole environment of the child: nothing of ours is inherited. */
  readonly environment: Readonly<Record<string, string>>
  readonly directory?: string
  /** Written to the child's standard input, which is then closed; without it the child reads end-of-file at once. */
  readonly input?: Uint8Array
  /** From start to the end of the whole group, whatever the output does. */
  readonly timeoutMs: number
  /** How long after SIGTERM the group gets SIGKILL. @default 2_000 */
  readonly graceMs?: number
  /** How much of each of stdout and stderr is kept; what exceeds it is dropped and `truncated` says so. @default 1 MiB */
  readonly outputBytesMax?: number
}

export interface Finished {
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

/** Runs a program in a process group of its own and waits for its end.
 *
 *  The deadline and the signal end the **group**: SIGTERM, then SIGKILL after the grace, and the pipes are destroyed, so a
 *  grandchild that holds them open cannot hold us up (git-sync and consul-template both hang there). A group that stays
 *  behind after its leader ended by itself is ended too.
 *
 *  Rejects when the program cannot be started (the error's `code` is the system's: ENOENT, EACCES), or with the signal's reason. */
export async function run(options: Run, clock: Clock, signal: AbortSignal): Promise<Finished> {
  signal.throwIfAborted()
  const [program, ...args] = options.command
  if (program === undefined) throw new TypeError('command is empty')
  const child = spawn(program, args, {
    cwd: options.directory,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stdout = collect(child.stdout, options.outputBytesMax ?? OUTPUT_BYTES_MAX)
  const stderr = collect(child.stderr, options.outputBytesMax ?? OUTPUT_BYTES_MAX)
  const exit = exited(child)
  const done = new AbortController()
  const cut = AbortSignal.any([signal, done.signal])
  let timedOut = false
  try {
    await started(child)
    child.stdin.on('error', () => {}) // A child may end without reading its input.
    child.stdin.end(options.input)
    const deadline = clock.sleep(options.timeoutMs, cut).then(
      () => (timedOut = true),
      () => true,
    )
    const leader = await Promise.race([exit, deadline.then(() => undefined)])
    if (leader === undefined) {
      await endGroup(child, exit, options.graceMs ?? GRACE_MS, clock)
    } else {
      // What the leader wrote is still in the pipes; a grandchild that keeps them open is given the grace, not for ever.
      const closed = Promise.all([stdout.closed, stderr.closed])
      await Promise.race([closed, clock.sleep(options.graceMs ?? GRACE_MS, cut).catch(() => {})])
    }
  } finally {
    done.abort()
    signalGroup(child, 'SIGKILL')
    child.stdout.destroy()
    child.stderr.destroy()
    child.stdin.destroy()
  }
  signal.throwIfAborted()
  const { code, killedBy } = await exit
  return {
    exitCode: code ?? undefined,
    signal: killedBy ?? undefined,
    stdout: stdout.bytes(),
    stderr: stderr.bytes(),
    truncated: stdout.truncated() || stderr.truncated(),
    timedOut,
  }
}

/** Sends a signal to a child's whole group; a group that is gone already is no error. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: nobody is left. EPERM cannot be for a group of our own children, unless all that is left changed user.
  }
}

async function endGroup(child: ChildProcess, exit: Promise<unknown>, graceMs: number, clock: Clock): Promise<void> {
  signalGroup(child, 'SIGTERM')
  const grace = new AbortController()
  await Promise.race([exit, clock.sleep(graceMs, grace.signal).catch(() => {})])
  grace.abort()
  signalGroup(child, 'SIGKILL')
  await exit
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
}

function exited(child: ChildProcess): Promise<{ code: number | null; killedBy: NodeJS.Signals | null }> {
  return new Promise(resolve => child.once('exit', (code, killedBy) => resolve({ code, killedBy })))
}

function collect(stream: NodeJS.ReadableStream, bytesMax: number) {
  const chunks: Buffer[] = []
  let kept = 0
  let truncated = false
  stream.on('data', (chunk: Buffer) => {
    const room = bytesMax - kept
    if (chunk.length > room) truncated = true
    const part = chunk.length > room ? chunk.subarray(0, room) : chunk
    kept += part.length
    if (part.length > 0) chunks.push(part)
  })
  const closed = new Promise<void>(resolve => {
    stream.on('close', () => resolve())
    stream.on('error', () => resolve())
  })
  return { bytes: () => Buffer.concat(chunks), truncated: () => truncated, closed }
}
