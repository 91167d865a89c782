import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a server's program is: where the variable says, else on the PATH. */
export function findProgram(variable: string, name: string): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).map(directory => join(directory, name))
  return [process.env[variable] ?? '', ...onPath].find(path => path !== '' && existsSync(path))
}

/** What a program says of its version. @param pattern whose first group that is */
export function versionOf(program: string, argument: string, pattern: RegExp): string {
  return pattern.exec(spawnSync(program, [argument], { encoding: 'utf8' }).stdout)?.[1] ?? 'of an unknown version'
}

/** A server as a process of its own, which can be started again and again, and must be ended by `kill`. */
export class ServerProcess {
  readonly #name: string
  #child: ChildProcess | undefined

  /** @param name for messages */
  constructor(name: string) {
    this.#name = name
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.#name} does not run`)
    return pid
  }

  /** What it has ended with, where it has ended by itself. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null
  }

  start(program: string, args: readonly string[], environment: Readonly<Record<string, string>>): void {
    const env = { PATH: process.env.PATH ?? '', ...environment }
    this.#child = spawn(program, args, { stdio: 'ignore', env })
  }

  /** Ends it without a word, as a crash does. May be called again. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}
