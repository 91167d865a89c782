import { spawn, type ChildProcess } from 'node:child_process'
import { inject, onTestFinished } from 'vitest'

/** The path of the program as it is shipped, built when the test run began. Throws when this tree cannot be built. */
export function builtProgram(): string {
  const path = inject('outriggerProgram')
  if (path === '') throw new Error('the program could not be built; the beginning of the run says why')
  return path
}

export interface RunOptions {
  readonly directory?: string
  /** Added to a small environment. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  /** What it has written to stderr so far. */
  readonly stderr: () => string
  readonly ended: Promise<Ended>
}

/** Starts the program as a person would; the end of the test is its end. */
export function startBuilt(args: readonly string[], { directory, environment }: RunOptions = {}): Started {
  const child = spawn(process.execPath, [builtProgram(), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, stderr: () => stderr, ended }
}

/** Runs the program to its end. */
export function runBuilt(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startBuilt(args, options).ended
}
