import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Processes } from './host.ts'

/** A process as `/proc` shows it (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html). */
export interface SeenProcess {
  readonly pid: number
  readonly parent: number
  /** What the kernel calls it: at most 15 bytes, and changed by some programs (`node-MainThread`). */
  readonly name: string
  /** In clock ticks since the machine started; with the pid it names one process for ever. */
  readonly startedAt: string
}

export interface ProcessStatus {
  readonly uid: number | undefined
  /** Bit n-1 stands for signal n. Undefined where the system does not say. */
  readonly signals: { readonly blocked: bigint; readonly ignored: bigint; readonly caught: bigint } | undefined
}

/** Every process but ourselves whose name is `name`: what the kernel calls it, the last part of its first argument, or the
 *  name of its program file, where we may see that. `seen` is how many there were to look at. */
export async function searchProcesses(
  name: string,
  processes: Processes,
): Promise<{ readonly matching: readonly SeenProcess[]; readonly seen: number }> {
  const entries = await readdir(processes.proc).catch(() => [])
  const pids = entries.filter(entry => /^\d+$/.test(entry)).map(Number)
  const found = await Promise.all(pids.filter(pid => pid !== processes.pid).map(pid => readProcess(pid, processes)))
  const alive = found.filter(process => process !== undefined)
  const matches = await Promise.all(alive.map(process => isNamed(process, name, processes)))
  return { matching: alive.filter((_, i) => matches[i]), seen: alive.length }
}

/** The process, or undefined when there is none, or only a dead one that was not collected yet. */
export async function readProcess(pid: number, { proc }: Processes): Promise<SeenProcess | undefined> {
  const text = await readText(`${proc}/${pid}/stat`)
  // The name stands in parentheses and may itself contain some, and spaces.
  const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(text ?? '') ?? []
  if (name === undefined || rest === undefined) return undefined
  // `rest` begins with field 3 of proc_pid_stat(5): state, parent, …, and field 22 is the start time.
  const fields = rest.trim().split(' ')
  const [state, parent, startedAt] = [fields[0], fields[1], fields[22 - 3]]
  if (state === 'Z' || state === 'X' || startedAt === undefined) return undefined
  return { pid, parent: Number(parent), name, startedAt }
}

/** Who a process runs as and what it does with signals, or undefined when it cannot be seen. */
export async function statusOf(pid: number, { proc }: Processes): Promise<ProcessStatus | undefined> {
  const text = await readText(`${proc}/${pid}/status`)
  if (text === undefined) return undefined
  const fields = new Map(text.split('\n').map(line => [line.split(':')[0], line.slice(line.indexOf(':') + 1).trim()]))
  const [blocked, ignored, caught] = ['SigBlk', 'SigIgn', 'SigCgt'].map(field => maskOf(fields.get(field)))
  const known = blocked !== undefined && ignored !== undefined && caught !== undefined
  return {
    // Real, effective, saved: sending is permitted by the real or saved one, which the real one stands for.
    uid: numberOf(fields.get('Uid')),
    signals: known ? { blocked, ignored, caught } : undefined,
  }
}

async function isNamed({ pid, name: kernelName }: SeenProcess, name: string, { proc }: Processes): Promise<boolean> {
  if (kernelName === name) return true
  const [firstArgument = ''] = ((await readText(`${proc}/${pid}/cmdline`)) ?? '').split('\0')
  if (basename(firstArgument) === name) return true
  const program = await readlink(`${proc}/${pid}/exe`).catch(() => '')
  // The kernel adds this where the file was replaced since, by an update say.
  return basename(program.replace(/ \(deleted\)$/, '')) === name
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    // Processes come and go while we look.
    return undefined
  }
}

function maskOf(hex: string | undefined): bigint | undefined {
  return hex !== undefined && /^[0-9a-f]{1,32}$/i.test(hex) ? BigInt(`0x${hex}`) : undefined
}

function numberOf(text: string | undefined): number | undefined {
  const [digits] = /^\d+/.exec(text ?? '') ?? []
  return digits === undefined ? undefined : Number(digits)
}
