import { byteLength } from '../../base/text.ts'
import type { Value } from '../../base/value.ts'
import { Execution, Output, type Bounds, type CompiledTemplate, type Source } from '../execution.ts'
import type { Pending } from '../function.ts'
import type { Operand } from '../operand.ts'
import { Origins, Sources, Taint, type Lineage, type Origin } from './sources.ts'

/** A piece of the output, written at once. */
export interface Piece {
  readonly bytes: number
  /** The text or action that wrote it: where it begins, in UTF-16 units. */
  readonly at: number
  /** Whether it stands in the template as it is. */
  readonly isText: boolean
  /** The origins of what it shows; none of plain text. */
  readonly from: Sources
  /** The origins of what decided that it was written. */
  readonly under: Sources
}

/** An execution that knows where its values come from. Each value's taint is kept beside it: in `frame` while an expression is
 *  evaluated, in `variables` and `dot` for the variables and the dot. */
export class TracedExecution extends Execution {
  readonly origins = new Origins()
  readonly pieces: Piece[] = []
  /** What is being evaluated or performed, the innermost. */
  frame = new Frame(undefined, Taint.none)
  /** The taint of each variable by its slot. */
  taints: Taint[] = []
  dotTaint = Taint.none
  /** What decides that the present statement is performed at all: the subjects of the branches around it. */
  control = Sources.none
  /** What decided whether the present range was left, or a turn of it cut short; it decides over the rest of the range. */
  jumped = Sources.none
  /** What may have gone into any map, the scratch or a channel that was changed. Which one, is not kept apart: whatever is read
   *  from a thing that could have been changed carries all of it. */
  changed = Sources.none
  readonly #canChange: boolean
  readonly #taken: () => readonly Origin[]

  constructor(
    source: Source,
    template: CompiledTemplate,
    context: unknown,
    { bounds, canChange, dot, taken }: TraceOptions,
  ) {
    super(source, template, context, bounds)
    this.output = new MeasuredOutput(this, this.output.bytesMax)
    this.#canChange = canChange
    this.#taken = taken
    const { exact, also } = dot
    const beside = Sources.of(also.map(origin => this.origins.of(origin)))
    this.dotTaint = new Taint(exact && this.origins.of(exact), beside)
    this.taints = [this.dotTaint]
  }

  /** Everything that decides over the present statement. */
  get deciding(): Sources {
    return this.control.with(this.jumped)
  }

  /** How many bytes the output has; undefined inside of a template whose output becomes a value. */
  get bytes(): number | undefined {
    return this.output instanceof MeasuredOutput ? this.output.bytes : undefined
  }

  /** What functions have asked for since this was last called. */
  taken(): readonly Origin[] {
    return this.#taken().map(origin => this.origins.of(origin))
  }

  /** Begins something; what is evaluated until it ends is part of it. */
  begin(given: Taint = Taint.none): Frame {
    this.frame = new Frame(this.frame, given)
    return this.frame
  }

  /** Ends an expression, whose value has this taint. */
  endExpression(taint: Taint): void {
    this.frame = this.frame.outer
    this.frame.add(taint)
  }

  endStatement({ all, outer }: Frame): void {
    this.frame = outer
    outer.all = outer.all.with(all)
  }

  /** The taint of a value that is read now: one that can be changed carries what may have gone into it. */
  read(value: Operand, taint: Taint): Taint {
    return typeof value === 'object' && value !== null ? taint.with(this.changed) : taint
  }

  /** Notes that something may have been changed, or would have been under other circumstances. */
  change(sources: Sources): void {
    if (this.#canChange) this.changed = this.changed.with(sources)
  }

  override perform(template: CompiledTemplate, dot: Operand): void {
    const { taints, dotTaint, control, jumped } = this
    this.dotTaint = this.frame.last ?? Taint.none
    this.taints = [this.dotTaint]
    this.control = this.deciding
    this.jumped = Sources.none
    super.perform(template, dot)
    Object.assign(this, { taints, dotTaint, control, jumped })
  }

  /** What the template writes becomes the value of the call that this is part of: it comes from all that is evaluated in it. */
  override execute(name: string, dot: Value): string | Pending {
    const call = this.frame
    const inner = this.begin()
    const [argument, beside] = call.argumentAlone
    inner.last = argument
    const text = super.execute(name, dot)
    this.frame = call
    call.result = inner.all.with(beside)
    return text
  }
}

export interface TraceOptions {
  readonly bounds: Bounds
  /** See `canChange` of `effects.ts`. */
  readonly canChange: boolean
  readonly dot: Lineage
  readonly taken: () => readonly Origin[]
}

/** What is known of a statement or expression while it is under way: the taints of what was evaluated directly in it. */
export class Frame {
  readonly #outer: Frame | undefined
  /** Of what came from the pipeline. */
  readonly given: Taint
  /** Of the first and of the last value evaluated in it. */
  first: Taint | undefined
  last: Taint | undefined
  /** The sources of all of them. */
  all = Sources.none
  /** Of an `if`, `with` or `range`: the taint of what it goes by, whether that has elements with an index, and whether ranging over it
   *  uses it up. */
  subject = Taint.none
  isIndexed = false
  usesUp = false
  /** Of a range: the taint of the element that it is at. */
  element = Taint.none
  /** Of a call: whether its first argument is a constant. */
  isNamed = false
  /** Of a call that executes a template: the sources of what that writes. */
  result: Sources | undefined
  #count = 0

  constructor(outer: Frame | undefined, given: Taint) {
    this.#outer = outer
    this.given = given
  }

  get outer(): Frame {
    if (this.#outer === undefined) throw new TypeError('the outermost frame does not end')
    return this.#outer
  }

  add(taint: Taint): void {
    this.first ??= taint
    this.last = taint
    this.all = this.all.with(taint.sources)
    this.#count++
  }

  /** Of `executeTemplate NAME DOT` the dot's taint, and the sources of the name. Where the name is no constant, both are of either. */
  get argumentAlone(): readonly [Taint, Sources] {
    if (this.isNamed && this.#count === 1) return [this.first as Taint, Sources.none]
    if (this.isNamed && this.#count === 0) return [this.given, Sources.none]
    const sources = this.all.with(this.given.sources)
    return [Taint.from(sources), sources]
  }
}

/** An output that counts its bytes. */
class MeasuredOutput extends Output {
  bytes = 0

  override write(text: string): void {
    this.bytes += byteLength(text)
    super.write(text)
  }
}
