import { messageOf, OperationalError } from '../base/errors.ts'
import { byteLength, fromBytes, toBytes } from '../base/text.ts'
import type { Value } from '../base/value.ts'
import { Channel } from './channel.ts'
import { TemplateError, type TemplateErrorCode } from './error.ts'
import { Excess } from './extent.ts'
import { pending, type Executing, type Pending } from './function.ts'
import { sourceOf, type Node } from './nodes.ts'
import { typeName, type Operand } from './operand.ts'
import { printf } from './printf.ts'
import { quote } from './quote.ts'
import { showPrinted } from './show.ts'

/** How much one execution may use. What is over ends it with a `TemplateError` of code `bound`. */
export interface Bounds {
  /** @default 64 MiB */
  readonly outputBytesMax?: number
  /** Nodes evaluated and turns of ranges; calls of functions, and long strings that they take and make, count for more, and functions
   *  that take long for as many as their time is. @default 10 million */
  readonly stepsMax?: number
  /** Templates within templates. @default 1_000 */
  readonly depthMax?: number
  /** Is told at the end, also of an execution that failed, how many steps it took. */
  readonly count?: (steps: number) => void
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
const STEPS_MAX = 10_000_000
const DEPTH_MAX = 1_000
/** So many characters of a string, or items of a list, that a function is given or makes, count as a step: going through them
 *  takes its time, too. */
const PIECES_PER_STEP = 64
/** How deep executeTemplate may nest: each call takes ten times as much of the stack as an action. */
const EXECUTE_DEPTH_MAX = 100

/** The text that a template belongs to, all templates of it, and how it was asked to be executed. */
export interface Source {
  readonly name: string
  readonly text: string
  readonly templates: ReadonlyMap<string, CompiledTemplate>
  readonly missingKey: 'error' | 'default' | 'zero'
  readonly showValues: boolean
  /** Whether a function that it uses changes maps. */
  readonly changesMaps: boolean
}

/** What a statement says to the range around it. */
export type Flow = typeof GO_ON | typeof BREAK | typeof CONTINUE
export const GO_ON = 0
export const BREAK = 1
export const CONTINUE = 2

/** A compiled statement and a compiled expression. */
export type Perform = (run: Execution, dot: Operand) => Flow
export type Evaluate = (run: Execution, dot: Operand) => Operand

export interface CompiledTemplate {
  readonly name: string
  readonly body: Perform
  /** How many variables it has, `$` included. */
  readonly slots: number
}

/** One execution of a template. What differs between a template and those that it calls, is exchanged around the call. */
export class Execution implements Executing {
  readonly source: Source
  readonly context: unknown
  output: Output
  readonly depthMax: number
  depth = 0
  /** How many calls of executeTemplate are under way. */
  #nested = 0
  /** The node that an error would be reported at: the last one begun. */
  node: Node | undefined
  template: string
  variables: Operand[] = []
  /** How often a function had no answer yet. */
  #awaited = 0
  #steps = 0
  readonly #stepsMax: number
  readonly #count: Bounds['count']

  constructor(source: Source, template: CompiledTemplate, context: unknown, bounds: Bounds) {
    this.source = source
    this.context = context
    this.output = new Output(this, bounds.outputBytesMax ?? OUTPUT_BYTES_MAX)
    this.depthMax = bounds.depthMax ?? DEPTH_MAX
    this.#stepsMax = bounds.stepsMax ?? STEPS_MAX
    this.#count = bounds.count
    this.template = template.name
  }

  /** Begins a node. */
  at(node: Node): void {
    this.node = node
    if (++this.#steps > this.#stepsMax) this.#outOfSteps()
  }

  /** Counts a turn of a range. */
  turn(): void {
    if (++this.#steps > this.#stepsMax) this.#outOfSteps()
  }

  /** Counts what a function is given, or will go through. */
  weigh(pieces: number): void {
    if (pieces >= PIECES_PER_STEP) this.spend(Math.floor(pieces / PIECES_PER_STEP))
  }

  /** Counts what takes as long as so many steps. */
  spend(steps: number): void {
    this.#steps += steps
    if (this.#steps > this.#stepsMax) this.#outOfSteps()
  }

  /** Says what the execution took, where somebody wants to know. */
  end(): void {
    this.#count?.(this.#steps)
  }

  /** Counts and checks what a function made. */
  made(result: Operand): Operand {
    if (result === pending) this.#awaited++
    else if (typeof result === 'string') {
      this.weigh(result.length)
      if (result.length > this.output.bytesMax) this.exceed(`a string is longer than ${this.output.bytesMax} bytes`)
    }
    return result
  }

  /** Counts the items of a list that a function made: each had to be made. */
  madeItems(count: number): void {
    this.spend(count)
  }

  print(operand: Operand): void {
    if (typeof operand === 'string') this.output.write(operand)
    else if (operand instanceof Channel) {
      this.fail(`can't print ${sourceOf(this.node as Node)} of type ${typeName(operand)}`)
    } else this.output.write(showPrinted(operand))
  }

  /** Performs another template: it sees none of this one's variables. */
  perform(template: CompiledTemplate, dot: Operand): void {
    const { variables, template: caller, node } = this
    this.depth++
    this.template = template.name
    this.variables = newVariables(template, dot)
    template.body(this, dot)
    this.depth--
    this.template = caller
    this.variables = variables
    this.node = node
  }

  execute(name: string, dot: Value): string | Pending {
    const template = this.source.templates.get(name)
    if (template === undefined) {
      const shown = this.source.showValues ? quote(name) : 'of that name'
      throw new Error(`template: no template ${shown} associated with template ${quote(this.source.name)}`)
    }
    if (this.depth >= this.depthMax) this.exceedDepth()
    if (this.#nested >= EXECUTE_DEPTH_MAX)
      this.exceed(`exceeded maximum depth of executeTemplate (${EXECUTE_DEPTH_MAX})`)
    this.#nested++
    const { output, variables, template: caller, depth } = this
    const awaitedBefore = this.#awaited
    this.output = new Output(this, output.bytesMax)
    try {
      this.perform(template, dot ?? undefined)
      return this.#awaited > awaitedBefore ? pending : this.output.text
    } finally {
      // An error in it is reported once more, where the function was called.
      Object.assign(this, { output, variables, template: caller, depth })
      this.#nested--
    }
  }

  get showsValues(): boolean {
    return this.source.showValues
  }

  exceedDepth(): never {
    return this.exceed(`exceeded maximum template depth (${this.depthMax})`)
  }

  #outOfSteps(): never {
    return this.exceed(`more than ${this.#stepsMax} steps`)
  }

  exceed(message: string, cause?: unknown): never {
    return this.fail(message, { code: 'bound', cause })
  }

  /** A value in a message: itself where the template's owner allows it, as the verb prints it, else its type. */
  quoted(operand: Operand, verb: 'v' | 's' | 'q' = 'v'): string {
    return this.source.showValues ? printf(`%${verb}`, [operand]) : typeName(operand)
  }

  /** What a function or method threw becomes the error of the execution. */
  failCall(name: string, node: Node, error: unknown): never {
    if (error instanceof TemplateError && error.code === 'bound') throw error
    this.at(node)
    const excess = excessOf(error)
    if (excess !== undefined) this.exceed(`error calling ${name}: ${excess}`, error)
    const hint = error instanceof OperationalError ? error.hint : undefined
    return this.fail(`error calling ${name}: ${messageOf(error)}`, { hint, cause: error })
  }

  fail(
    message: string,
    options: { readonly code?: TemplateErrorCode; readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ): never {
    const { code = 'execute', hint, cause } = options
    const { name, text } = this.source
    const { line, column } = placeIn(text, this.node?.at ?? 0)
    const where = this.node === undefined ? '' : ` at <${sourceOf(this.node)}>`
    throw new TemplateError(
      code,
      `template: ${name}:${line}:${column}: executing ${quote(this.template)}${where}: ${message}`,
      { template: name, line, column },
      { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) },
    )
  }
}

/** Variables for one performance of a template; the first is `$`. */
export function newVariables({ slots }: CompiledTemplate, dot: Operand): Operand[] {
  const variables: Operand[] = [dot]
  variables.length = slots
  return variables
}

/** Where a position in UTF-16 units is, as in `TemplateError`. */
export function placeIn(text: string, position: number): { readonly line: number; readonly column: number } {
  const lineStart = text.lastIndexOf('\n', position - 1) + 1
  return { line: lineOf(text, lineStart), column: byteLength(text.slice(lineStart, position)) }
}

function lineOf(text: string, lineStart: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < lineStart; i = text.indexOf('\n', i + 1)) line++
  return line
}

/** What V8 ran out of, if it says so in an error: what the bounds let through may still be too much for it. */
export function excessOf(error: unknown): string | undefined {
  if (error instanceof Excess) return error.message
  // What needs a regular expression that V8 has not made yet, and has no stack left to make.
  if (error instanceof SyntaxError && error.message.endsWith('Stack overflow')) return 'nested too deeply'
  if (!(error instanceof RangeError)) return undefined
  if (error.message === 'Invalid string length') return 'a string is too long'
  return error.message === 'Maximum call stack size exceeded' ? 'nested too deeply' : undefined
}

/** No string of V8 is longer than this. */
const STRING_LENGTH_MAX = 2 ** 29 - 25

/** Where the output goes. */
export class Output {
  readonly bytesMax: number
  readonly #run: Execution
  #text = ''
  /** How many bytes there are at most: three for each UTF-16 unit, or, once that is over the bound, as many as there are. */
  #bytesAtMost = 0
  #isExact = false

  constructor(run: Execution, bytesMax: number) {
    this.#run = run
    this.bytesMax = Math.min(bytesMax, STRING_LENGTH_MAX)
  }

  write(text: string): void {
    this.#bytesAtMost += this.#isExact ? byteLength(text) : 3 * text.length
    this.#text += text
    if (this.#bytesAtMost > this.bytesMax) this.#measure()
  }

  /** The whole; bytes that came in pieces are put together. */
  get text(): string {
    return this.#text.isWellFormed() ? this.#text : fromBytes(toBytes(this.#text))
  }

  #measure(): void {
    if (!this.#isExact) {
      this.#isExact = true
      this.#bytesAtMost = this.#text.length > this.bytesMax ? Infinity : byteLength(this.#text)
    }
    if (this.#bytesAtMost > this.bytesMax) this.#run.exceed(`the output is longer than ${this.bytesMax} bytes`)
  }
}
