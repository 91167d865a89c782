import { writeSync } from 'node:fs'
import type { ConfigProblem } from '../lib/config/config.ts'
import { formatProblem } from '../lib/config/problem.ts'
import { messageOf, OperationalError, systemCode } from '../lib/errors.ts'

// All printing is here.
//
// What was asked for (rendered files, help that was asked for) goes to stdout. Everything else goes to stderr: log lines as
// they are, messages for people with the prefix "outrigger: ", without a capital and without a period at the end.

/** Where the program speaks. */
export interface Terminal {
  /** Writes what was asked for. */
  out(text: string | Uint8Array): void
  /** Writes a line for people. */
  say(line: string): void
  /** Writes a whole log line, its newline included. */
  log(line: string): void
  /** Whether stderr is looked at by a person. */
  interactive(): boolean
}

// Synchronous on purpose: what was said before the end of the process has been said.
export const systemTerminal: Terminal = {
  out: text => writeAll(1, typeof text === 'string' ? Buffer.from(text) : text),
  say: line => writeAll(2, Buffer.from(`outrigger: ${line}\n`)),
  log: line => writeAll(2, Buffer.from(line)),
  // Only when asked: the first look at process.stderr makes a stream.
  interactive: () => process.stderr.isTTY,
}

/** How long a full pipe is left alone before the next try. */
const FULL_PIPE_MS = 5

/** Writes everything, also into a pipe that is full for the moment (EAGAIN) or gone for good (EPIPE: nobody listens any more). */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written)
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN') return
      // Asleep, not in a loop: its reader may need the processor, or take long.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_MS)
    }
  }
}

/** Says what went wrong, all of it, and the next step where the error knows one. */
export function sayError(terminal: Terminal, error: unknown): void {
  if (error instanceof AggregateError) {
    for (const each of error.errors) sayError(terminal, each)
    return
  }
  sayProblem(terminal, messageOf(error), error instanceof OperationalError ? error.hint : undefined)
}

/** Says a problem and its next step. */
export function sayProblem(terminal: Terminal, message: string, hint: string | undefined): void {
  terminal.say(message)
  if (hint !== undefined) terminal.say(`hint: ${hint}`)
}

/** Says every problem of a configuration, each with its place, its line and a caret. */
export function sayProblems(terminal: Terminal, problems: readonly ConfigProblem[], text: string): void {
  for (const problem of problems) terminal.log(`${formatProblem(problem, text)}\n`)
  terminal.say(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in the configuration`)
}

/** A JSON log line as a line for people: time, level, message, then the data as `name=value`. */
export function textLine(line: string): string {
  const { time, level, message, ...data } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(data).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`,
  )
  return `${[String(time).slice(11, 23), String(level).padEnd(5), String(message), ...rest].join(' ')}\n`
}

function quoted(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : JSON.stringify(text)
}
