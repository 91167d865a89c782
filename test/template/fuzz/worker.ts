import { parentPort, workerData } from 'node:worker_threads'
import { standardFunctions } from '../../../lib/template/functions/standard.ts'
import { byteLength } from '../../../lib/base/text.ts'
import { TemplateError } from '../../../lib/template/error.ts'
import { builtinNames } from '../../../lib/template/builtins.ts'
import { parse } from '../../../lib/template/parser.ts'
import { Inputs } from './inputs.ts'

/** What the worker is given. It says how far it is in `progress`, so that one that does not come back names the input. */
export interface Task {
  readonly seed: number
  readonly count: number
  readonly progress: Int32Array
}

/** What the worker sends at its end. */
export interface Tally {
  readonly trees: number
  readonly errors: number
  /** The first input that ended otherwise, and how. */
  readonly failure: string | undefined
}

const { seed, count, progress } = workerData as Task
const table = standardFunctions()
const hasFunction = (name: string) => table.has(name) || builtinNames.has(name)
// Making stack traces would take most of the time.
Error.stackTraceLimit = 0
parentPort?.postMessage(run())

function run(): Tally {
  const inputs = new Inputs(seed)
  let trees = 0
  let errors = 0
  for (let i = 0; i < count; i++) {
    Atomics.store(progress, 0, i)
    const text = inputs.next(i)
    const delims = i % 16 === 0 ? (['[[', ']]'] as const) : (['{{', '}}'] as const)
    try {
      parse({ name: 't', text, delims, hasFunction })
      trees++
    } catch (error) {
      if (!isPositioned(error, text)) return { trees, errors, failure: `input ${i}, ${shown(text)}: ${String(error)}` }
      errors++
    }
  }
  return { trees, errors, failure: undefined }
}

/** Whether an error says where it is, and that place is in the text. */
function isPositioned(error: unknown, text: string): boolean {
  if (!(error instanceof TemplateError)) return false
  const { line, column, message, code } = error
  if ((code !== 'parse' && code !== 'bound') || !message.startsWith(`template: t:${line}: `)) return false
  const found = text.split('\n')[line - 1]
  return found !== undefined && column >= 0 && column <= byteLength(found)
}

function shown(text: string): string {
  return JSON.stringify(text.length > 500 ? `${text.slice(0, 500)}…` : text)
}
