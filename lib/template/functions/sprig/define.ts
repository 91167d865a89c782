import type { Float, Struct, Value } from '../../../base/value.ts'
import type { Executing, ParameterKind, TemplateFunction } from '../../function.ts'

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
