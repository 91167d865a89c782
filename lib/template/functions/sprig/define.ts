import type { Float, Struct, Value } from '../../../base/value.ts'
import { STEPS_PER_MS, type Executing, type ParameterKind, type TemplateFunction } from '../../function.ts'

/** What the evaluator gives for each kind of parameter. */
interface Given {
  readonly any: Value
  readonly string: string
  readonly bool: boolean
  readonly int: number | bigint
  readonly float: Float
  readonly list: readonly Value[]
  readonly map: ReadonlyMap<string, Value>
}

type GivenFor<Kind extends ParameterKind> = Kind extends keyof Given ? Given[Kind] : Struct

type Arguments<Kinds extends readonly ParameterKind[]> = { readonly [I in keyof Kinds]: GivenFor<Kinds[I]> }

/** A function with a fixed number of parameters; its name is the first word of the signature. It is told last of the
 *  execution that calls it. */
export function define<const Kinds extends readonly ParameterKind[]>(
  signature: string,
  parameters: Kinds,
  call: (...args: readonly [...Arguments<Kinds>, Executing]) => Value,
): TemplateFunction<unknown> {
  return {
    name: nameIn(signature),
    signature,
    parameters,
    // The evaluator has checked the number and the kinds.
    call: (_, args, execution) => call(...(args as unknown as Arguments<Kinds>), execution),
  }
}

/** A function that takes any number of further arguments of one kind after the fixed ones. */
export function defineVariadic<const Kinds extends readonly ParameterKind[], Rest extends ParameterKind>(
  signature: string,
  parameters: Kinds,
  variadic: Rest,
  call: (...args: readonly [...Arguments<Kinds>, ...GivenFor<Rest>[]]) => Value,
): TemplateFunction<unknown> {
  return {
    name: nameIn(signature),
    signature,
    parameters,
    variadic,
    call: (_, args) => call(...(args as unknown as readonly [...Arguments<Kinds>, ...GivenFor<Rest>[]])),
  }
}

/** The same function, which takes so long: measured, and of a larger text among its arguments maybe longer. */
export function taking<Context>(
  ms: number | ((args: readonly Value[]) => number),
  each: TemplateFunction<Context>,
): TemplateFunction<Context> {
  return { ...each, steps: args => Math.ceil(STEPS_PER_MS * (typeof ms === 'number' ? ms : ms(args))) }
}

/** What an indented character counts: each line is put together. */
export const INDENT_TIMES = 3

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

/** The same function under further names. */
export function alsoAs(
  each: TemplateFunction<unknown>,
  ...names: readonly string[]
): readonly TemplateFunction<unknown>[] {
  const renamed = names.map(name => ({ ...each, name, signature: name + each.signature.slice(each.name.length) }))
  return [each, ...renamed]
}

function nameIn(signature: string): string {
  const end = signature.indexOf(' ')
  return end < 0 ? signature : signature.slice(0, end)
}
