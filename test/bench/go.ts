import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const TEMPLATES = join(import.meta.dirname, '../template')

/** Builds one of the programs that record, so that Go's engine can be measured in the same run; undefined where there is no
 *  Go, or its packages cannot be had. */
export function buildGo(program: 'go-parity' | 'function-parity', directory: string): string | undefined {
  const built = join(directory, program)
  const { status } = spawnSync('go', ['build', '-o', built, '.'], { cwd: join(TEMPLATES, program), stdio: 'ignore' })
  return status === 0 ? built : undefined
}

/** A program of Go that executes workloads when it is asked. */
export class GoProgram {
  readonly #process: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor(path: string) {
    this.#process = spawn(path, ['-serve'], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]()
  }

  /** How long one execution takes, in nanoseconds: the mean of one short round. */
  async measure(workload: string): Promise<number> {
    this.#process.stdin!.write(`${workload}\n`)
    const answer = await this.#answers.next()
    if (answer.done === true) throw new Error(`the program of Go ended, asked for ${workload}`)
    return Number(answer.value)
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit')
    this.#process.stdin!.end()
    await ended
  }
}
