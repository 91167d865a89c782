/** What calls of functions count towards the bound on steps, beside what every call does. */
import type { Value } from '../../base/value.ts'
import { STEPS_PER_MS, type TemplateFunction } from '../function.ts'

/** What each character of a format counts: there is little between two tokens. */
export const FORMAT_TIMES = 8

/** What an indented character counts: each line is put together. */
export const INDENT_TIMES = 3

/** The same function, which takes so long: measured, and of a larger text among its arguments maybe longer. */
export function taking<Context>(
  ms: number | ((args: readonly Value[]) => number),
  each: TemplateFunction<Context>,
): TemplateFunction<Context> {
  return { ...each, steps: args => Math.ceil(STEPS_PER_MS * (typeof ms === 'number' ? ms : ms(args))) }
}

/** The same function, which takes so many times as long for each character that it is given or gives as those that only copy them.
 *  @param times measured: 2,000 steps for each millisecond */
export function laborious<Context>(times: number, each: TemplateFunction<Context>): TemplateFunction<Context> {
  return {
    ...each,
    call(context, args, execution) {
      for (const arg of args) if (typeof arg === 'string') execution.weigh(times * arg.length)
      const result = each.call(context, args, execution)
      if (typeof result === 'string') execution.weigh(times * result.length)
      return result
    },
  }
}
