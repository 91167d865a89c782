import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mib, times, type Figure } from './measure.ts'
import { bareEnvironment, makePlace, removePlace } from './place.ts'

const IDLE_MS = 60_000
/** What the image runs with; see the Dockerfile. */
const FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=64', '--v8-pool-size=0']
const IMAGE_ENVIRONMENT = { ...bareEnvironment, UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '1' }

/** Resident memory after a minute of nothing to do, beside a bare node that waits as long. */
export async function measureIdle(program: string): Promise<readonly Figure[]> {
  const place = makePlace({ memory: true, quiet: '200ms' })
  const children = [
    start(['-e', 'setInterval(() => {}, 1e6)'], bareEnvironment),
    start([program, 'run', '-c', place.config], bareEnvironment),
  ]
  // The second and third would meet on one volume: the flags are measured on a place of their own.
  const other = makePlace({ memory: true, quiet: '200ms' })
  children.push(start([...FLAGS, program, 'run', '-c', other.config], IMAGE_ENVIRONMENT))
  try {
    await new Promise(resolve => setTimeout(resolve, IDLE_MS))
    const [bare = 0, run = 0, lean = 0] = children.map(child => residentBytes(child))
    return [
      { what: 'bare node', value: mib(bare) },
      { what: 'run', value: mib(run) },
      { what: "run, with the image's flags", value: mib(lean) },
      { what: 'ratio', value: times(run / bare), goal: { text: '<= 1.5 x', met: run / bare <= 1.5 } },
      { what: "ratio, with the image's flags", value: times(lean / bare) },
    ]
  } finally {
    await Promise.all(children.map(end))
    removePlace(place)
    removePlace(other)
  }
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, args, { env, stdio: 'ignore' })
}

function residentBytes({ pid, exitCode }: ChildProcess): number {
  if (exitCode !== null) throw new Error(`a child exited with ${exitCode}`)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

function end(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('exit', () => resolve())
    child.kill()
  })
}
