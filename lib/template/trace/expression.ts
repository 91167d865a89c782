import type { Value } from '../../base/value.ts'
import { compileExpression, evaluateWithin } from '../expression.ts'
import type { Bounds } from '../execution.ts'
import type { Pending } from '../function.ts'
import type { TemplateOptions } from '../template.ts'
import { canChange } from './effects.ts'
import { TracedExecution } from './execution.ts'
import { tracing } from './instrument.ts'
import { Taint, type Lineage, type Origin } from './sources.ts'

/** An expression that can say where its value comes from. */
export interface TracedExpression<Context> {
  /** Throws what evaluating would throw.
   *  @param taken as in `TraceOptions` */
  trace(context: Context, taken: () => readonly Origin[], bounds?: Bounds): TracedValue
}

export interface TracedValue {
  readonly value: Value | Pending
  readonly lineage: Lineage
}

/** Parses a text as `parseExpression` does. */
export function traceExpression<Context>(options: TemplateOptions<Context>): TracedExpression<Context> {
  const { functions } = options
  let changes = false
  const compiled = compileExpression(options, set => {
    changes = canChange(set, functions)
    return tracing(functions)
  })
  const { source, main } = compiled
  return {
    trace(context, taken, bounds = {}) {
      const run = new TracedExecution(source, main, context, { bounds, canChange: changes, dot: { also: [] }, taken })
      const value = evaluateWithin(run, compiled)
      const { exact, also } = run.read(value, run.frame.last ?? Taint.none)
      return { value, lineage: { exact, also: [...also] } }
    },
  }
}
