import type { Value } from '../../base/value.ts'
import { placeIn, type Bounds } from '../execution.ts'
import { compileText, executeWithin, type TemplateOptions } from '../template.ts'
import { canChange } from './effects.ts'
import { TracedExecution } from './execution.ts'
import { tracing } from './instrument.ts'
import type { Lineage, Origin, Sources } from './sources.ts'

export type { Lineage, Origin } from './sources.ts'

/** A template that can say where each byte of its output comes from. It is slower than one that only gives the output. */
export interface TracedTemplate<Context> {
  readonly name: string
  /** Throws what executing would throw. */
  trace(dot: Value, context: Context, options: TraceOptions): Traced
}

export interface TraceOptions {
  /** What has been asked for since this was last called: each answer a token of its own, and the fields that were taken of it. It is
   *  called after each call of a function. */
  readonly taken: () => readonly Origin[]
  /** Where the dot comes from. @default nothing that anyone asked for */
  readonly dot?: Lineage
  readonly bounds?: Bounds
}

export interface Traced {
  readonly output: string
  /** Together they are the whole output, in its order. */
  readonly segments: readonly Segment[]
}

/** Some bytes of the output that were written at once.
 *
 *  If one of the things that were asked for were different, or one field of it, only bytes would change whose segment names
 *  it, a part of it or what it is a part of, in `from` or `under`. That holds for outputs, not for whether there is one: what makes
 *  the template fail is not traced. */
export interface Segment {
  readonly bytes: number
  /** Where the text or action begins that wrote it, as in `TemplateError`. */
  readonly line: number
  readonly column: number
  /** Where it begins in the text, in UTF-16 units. */
  readonly at: number
  /** Whether it stands in the template as it is. */
  readonly isText: boolean
  /** What it shows. */
  readonly from: readonly Origin[]
  /** What decided that it is there: the conditions and ranges around it, and those that could have kept it from being reached. */
  readonly under: readonly Origin[]
}

/** Parses a text as `parseTemplate` does. */
export function traceTemplate<Context>(options: TemplateOptions<Context>): TracedTemplate<Context> {
  const { name, functions, text } = options
  let changes = false
  const { source, main } = compileText(options, set => {
    changes = canChange(set, functions)
    return tracing(functions)
  })
  return {
    name,
    trace(dot, context, { taken, dot: lineage = { also: [] }, bounds = {} }) {
      const run = new TracedExecution(source, main, context, { bounds, canChange: changes, dot: lineage, taken })
      const output = executeWithin(run, main, dot)
      const places = new Map<number, ReturnType<typeof placeIn>>()
      const segments = run.pieces.map(({ bytes, at, isText, from, under }) => {
        const place = places.get(at) ?? placeIn(text, at)
        places.set(at, place)
        return { bytes, at, isText, ...place, from: listed(from), under: listed(under) }
      })
      return { output, segments }
    },
  }
}

function listed(sources: Sources): readonly Origin[] {
  return [...sources]
}
